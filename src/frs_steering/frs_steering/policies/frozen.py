"""A camera whose pictures come, with fresh stamps, and are always the same: a driver that hangs behind a publisher.

The policy would act on what it saw before. A real camera never takes the same picture twice, to the last bit; a
simulated one does as long as nothing moves. So pictures that repeat themselves while the arm turns tell of nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

TURNED = 0.03
"""A joint that has turned by so much is to be seen [rad]: 1.5 cm at half a metre. The last one, which turns the hand
about its own axis, does not count: from afar that may not show."""
LEAST = 0.002
"""What a joint turns by less than this between two pictures is no motion [rad]: it rests, or creeps."""
MOST = 0.01
"""So much counts between two pictures at most [rad]: an arm in motion turns between every two, and one that leaps once
was set elsewhere, or its joint states came late."""


@dataclasses.dataclass(frozen=True)
class Pictures:
    """What is known of the pictures of one camera.

    Attributes:
        data: of the last one.
        joints: joint positions (n,) [rad] when it came; None where they were unknown.
        turned: how far a joint has turned while it came again and again, as far as that counts [rad].
    """

    data: bytes | Sequence[int]
    joints: NDArray[np.float64] | None
    turned: float = 0.0

    @property
    def are_frozen(self) -> bool:
        """Whether they tell of nothing any more."""
        return self.turned > TURNED - 0.5 * LEAST

    def followed_by(self, data: bytes | Sequence[int], joints: NDArray[np.float64] | None) -> Pictures:
        """After the next picture, which came while the joints were at `joints` (n,) [rad]."""
        if joints is None or self.joints is None or data != self.data:
            return Pictures(data, joints)
        turned = float(np.abs(joints - self.joints)[:-1].max())
        return Pictures(data, joints, self.turned + (min(turned, MOST) if turned >= LEAST else 0.0))
