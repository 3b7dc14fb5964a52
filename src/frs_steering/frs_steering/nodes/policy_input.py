"""What the policy saw, as a message for the journal."""

from __future__ import annotations

import array

import cv2
import numpy as np
from frs_msgs.msg import PolicyInput
from sensor_msgs.msg import Image

from frs_steering.nodes.conversions import time_msg
from frs_steering.policies.interface import PolicySpec
from frs_steering.policies.observation import Moment


def policy_input_to_msg(moment: Moment, seed: int, spec: PolicySpec) -> PolicyInput:
    """What the policy saw in one query, its images at the policy's own size: nothing is lost that it looks at."""
    seen = moment.observation
    msg = PolicyInput(
        seed=seed,
        instruction=seen.instruction,
        joint_position=np.asarray(seen.joint_position, np.float64),
        gripper=float(seen.gripper),
        gripper_before=list(seen.gripper_before),
        cameras=list(spec.cameras),
        images=[_image(seen.images[camera], spec.image_size) for camera in spec.cameras],
    )
    msg.header.stamp = time_msg(moment.stamp)
    return msg


def _image(pixels: np.ndarray, size: int | None) -> Image:
    if size is not None:
        pixels = cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA)
    height, width = pixels.shape[:2]
    data = array.array("B", np.ascontiguousarray(pixels).tobytes())
    return Image(height=height, width=width, encoding="rgb8", step=3 * width, data=data)
