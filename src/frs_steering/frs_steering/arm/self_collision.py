"""How close forearm, wrist, hand and fingers come to the base, the shoulder and the upper arm.

Only these can meet within the joint limits, apart from neighbours: in 2,000 random configurations of the fr3 model in
MuJoCo no other pair of its collision meshes did. The forearm and the hand before it, which touch by up to 1 cm where
joint 6 is below 0.70 rad, are left out: their meshes are convex hulls there, and the maker allows that range.

The parts that move are covered by balls, those that they can meet by capsules, both fitted around the collision meshes
of the fr3 model (package franky-sim, from franka_description), fingers open. So the distance here is never larger than
that of the meshes, which a test holds, and up to a few centimetres smaller.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CLEARANCE = 0.005
"""Least distance [m]; what an arm lags behind its commands comes off it."""

SHOULDER_HEIGHT = 0.333
"""Of joint 2 above the base [m], see `robot.kinematics`."""

# The balls: for each frame, as in `wrist_and_tcp_poses`, their centres there and their radii [m]. Each frame has the
# same number, for a few large products instead of many: the last one is repeated.
_BALLS = np.array(
    [
        [  # fr3_link5
            (0.000, 0.066, 0.001, 0.072),
            (-0.001, 0.060, -0.077, 0.069),
            (-0.001, 0.003, -0.227, 0.068),
            (0.010, 0.038, -0.156, 0.074),
        ],
        [(0.003, 0.003, 0.008, 0.061), (0.081, -0.030, 0.007, 0.062), *[(0.077, 0.036, 0.006, 0.063)] * 2],  # fr3_link6
        [(-0.004, -0.004, 0.071, 0.054), *[(0.032, 0.032, 0.080, 0.053)] * 3],  # fr3_link7
        [  # the hand with its fingers
            (0.000, 0.044, -0.096, 0.059),
            (0.000, -0.005, -0.007, 0.055),
            (0.000, -0.066, -0.079, 0.058),
            (0.001, 0.074, -0.038, 0.057),
        ],
    ]
)
_MOVING = ("forearm", "wrist", "flange", "hand")
_CENTRES = np.concatenate([_BALLS[..., :3], np.ones((4, 4, 1))], axis=2).swapaxes(1, 2)[:, None, None]

# The capsules: around fr3_link0; from the shoulder down, around the lower part of fr3_link1; along the axis of joint 2,
# through the shoulder; from the shoulder along the upper arm, around fr3_link2.
_STANDING = ("base", "shoulder", "shoulder", "upper arm")
_BASE_FROM, _BASE_TO = np.array([-0.092, 0.0, -0.049]), np.array([0.033, 0.0, 0.097])
_COLUMN, _HUB, _UPPER_ARM = 0.143, 0.16, 0.14
"""Lengths of the other three axes [m]."""
_SQUARED_LENGTHS = np.array([np.sum((_BASE_TO - _BASE_FROM) ** 2), _COLUMN**2, _HUB**2, _UPPER_ARM**2])
_RADII = (_BALLS[..., 3:] + np.array([0.105, 0.094, 0.067, 0.083]))[:, None, None]
_ALLOWED = (_RADII + CLEARANCE) ** 2


def _forms() -> Array:
    # What `_of_centres` multiplies the terms (1, s1, c1, c1 s2, s1 s2, c2) by, for sine and cosine of joints 1 and 2.
    # For a ball's centre c, and a capsule from a along v: ((c - a) v) / v^2 and c^2 - (c - a)^2, both linear in (c, 1).
    forms = np.zeros((6, 4, 8))
    shares, squares = forms[..., :4], forms[..., 4:]
    base = _BASE_TO - _BASE_FROM
    shares[0, :, 0] = [*base, -_BASE_FROM @ base] / _SQUARED_LENGTHS[0]
    squares[0, :, 0] = [*(2 * _BASE_FROM), -_BASE_FROM @ _BASE_FROM]
    shares[0, 2:, 1] = -1 / _COLUMN, SHOULDER_HEIGHT / _COLUMN
    squares[0, 2:, 1:] = [[2 * SHOULDER_HEIGHT], [-(SHOULDER_HEIGHT**2)]]
    shares[1, 0, 2], shares[2, 1, 2], shares[0, 3, 2] = -1 / _HUB, 1 / _HUB, 0.5
    squares[1, 0, 2], squares[2, 1, 2], squares[0, 3, 2] = _HUB, -_HUB, -(SHOULDER_HEIGHT**2) - _HUB**2 / 4
    shares[3, 0, 3] = shares[4, 1, 3] = shares[5, 2, 3] = 1 / _UPPER_ARM
    shares[5, 3, 3] = -SHOULDER_HEIGHT / _UPPER_ARM
    squares[0, 3] += 1.0  # of the fourth of a centre's numbers, which is squared along with them
    return forms.reshape(6, 32)


_FORMS = _forms()


@dataclasses.dataclass(frozen=True)
class Closeness:
    """How close the arm comes to itself.

    Attributes:
        squares: of the distances between the balls' centres and the capsules' axes, (frames, S, K, balls, capsules)
            [m^2].
        directions: of the joints 1 and 2, as `_terms` (S, K, 6).
        centres: of the balls in the base frame (frames, S, K, 4, balls), the fourth is 1 [m].
    """

    squares: Array
    directions: Array
    centres: Array

    def is_clear(self) -> bool:
        """Whether no ball comes closer to a capsule than CLEARANCE."""
        return bool((self.squares >= _ALLOWED).all())

    def distances(self) -> Array:
        """Least distance at each position (S, K) [m], negative inside."""
        return self._all().min(axis=(0, 3, 4))

    def nearest(self, start: int, step: int) -> tuple[Array, str, str]:
        """At one position: the unit vector (3,) from the capsule to the ball that are nearest, and their names."""
        reach = self._all()[:, start, step]
        frame, ball, capsule = np.unravel_index(int(reach.argmin()), reach.shape)
        centre = self.centres[frame, start, step, :3, ball]
        origin, axis = _capsule(int(capsule), self.directions[start, step])
        share = min(1.0, max(0.0, float((centre - origin) @ axis / (axis @ axis))))
        away = centre - origin - share * axis
        return away / max(float(np.sqrt(away @ away)), 1e-9), _MOVING[frame], _STANDING[capsule]

    def _all(self) -> Array:
        return np.sqrt(np.maximum(0.0, self.squares)) - _RADII


def closeness(positions: Array, poses: Array) -> Closeness:
    """How close the arm comes to itself at joint positions (S, K, 7) [rad] with these `wrist_and_tcp_poses`."""
    directions = _terms(positions)
    centres = poses @ _CENTRES
    forms = (directions @ _FORMS).reshape(*directions.shape[:-1], 4, 8)
    linear = centres.swapaxes(-1, -2) @ forms
    along, squares = linear[..., :4], (centres * centres).sum(axis=-2)[..., None] - linear[..., 4:]
    shares = np.minimum(np.maximum(along, 0.0), 1.0)
    squares -= shares * (2.0 * along - shares) * _SQUARED_LENGTHS
    return Closeness(squares, directions, centres)


def _terms(positions: Array) -> Array:
    angles = positions[..., :2]
    sines, cosines = np.sin(angles), np.cos(angles)
    terms = np.empty((*positions.shape[:-1], 6))
    terms[..., 0] = 1.0
    terms[..., 1] = sines[..., 0]
    terms[..., 2:5:2] = cosines
    terms[..., 3] = cosines[..., 0] * sines[..., 1]
    terms[..., 5] = terms[..., 4]
    terms[..., 4] = sines[..., 0] * sines[..., 1]
    return terms


def _capsule(number: int, terms: Array) -> tuple[Array, Array]:
    # Where its axis begins, and the vector along it (3,) [m].
    _, s1, c1, forward, sideward, up = terms
    shoulder = np.array([0.0, 0.0, SHOULDER_HEIGHT])
    hub = _HUB * np.array([-s1, c1, 0.0])
    return (
        (_BASE_FROM, _BASE_TO - _BASE_FROM),
        (shoulder, np.array([0.0, 0.0, -_COLUMN])),
        (shoulder - 0.5 * hub, hub),
        (shoulder, _UPPER_ARM * np.array([forward, sideward, up])),
    )[number]
