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
"""A joint that has turned by more than this is to be seen [rad]: 1.5 cm at half a metre. The last one, which turns the
hand about its own axis, does not count: from afar that may not show."""

REPEATS = 2
"""So many pictures in a row; one alone may have been taken before the arm set out."""


@dataclasses.dataclass(frozen=True)
class Pictures:
    """What is known of the pictures of one camera.

    Attributes:
        data: of the last one.
        joints: joint positions (n,) [rad] when a picture that was another one came last; None where they were unknown.
        repeats: how many times it came again after the arm had turned.
    """

    data: bytes | Sequence[int]
    joints: NDArray[np.float64] | None
    repeats: int = 0

    @property
    def are_frozen(self) -> bool:
        """Whether they tell of nothing any more."""
        return self.repeats >= REPEATS

    def followed_by(self, data: bytes | Sequence[int], joints: NDArray[np.float64] | None) -> Pictures:
        """After the next picture, which came while the joints were at `joints` (n,) [rad]."""
        if joints is None or self.joints is None or data != self.data:
            return Pictures(data, joints)
        turned = np.abs(joints - self.joints)[:-1].max() > TURNED
        return dataclasses.replace(self, repeats=self.repeats + int(turned))
