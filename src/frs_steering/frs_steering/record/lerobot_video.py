"""A camera's video of a LeRobotDataset, picture by picture, with the statistics that the dataset wants of it."""

from __future__ import annotations

from pathlib import Path

import imageio_ffmpeg
import numpy as np

from frs_steering.record.errors import JournalError
from frs_steering.record.frames import RATE

_SAMPLED = 5
"""Every so many pictures one is counted in the statistics."""


class Video:
    """H.264 of 15 Hz. Holds one picture at a time, however long the episode is."""

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        """Begin a video of pictures of `size`, (height, width).

        Raises:
            OSError: it can't be written.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.size = path, size
        # A key frame at every second picture, as LeRobot writes them: its loader seeks at random.
        self._stream = imageio_ffmpeg.write_frames(
            str(path), size[::-1], fps=RATE, codec="libx264", pix_fmt_out="yuv420p", macro_block_size=2,
            quality=None, output_params=["-preset", "veryfast", "-crf", "18", "-g", "2"],
        )  # fmt: skip
        self._stream.send(None)
        self._number, self._count = 0, 0
        self._least, self._most = np.full(3, np.inf), np.full(3, -np.inf)
        self._sum, self._squares = np.zeros(3), np.zeros(3)

    def add(self, picture: np.ndarray) -> None:
        """Add a picture, (height, width, 3) uint8 RGB.

        Raises:
            JournalError: it is of another size.
        """
        if picture.shape[:2] != self.size:
            raise JournalError(f"a picture is of {picture.shape[:2]} pixels; those before it are of {self.size}")
        self._stream.send(np.ascontiguousarray(picture))
        if self._number % _SAMPLED == 0:
            channels = picture.reshape(-1, 3) / 255.0
            self._least = np.minimum(self._least, channels.min(0))
            self._most = np.maximum(self._most, channels.max(0))
            self._sum += channels.sum(0)
            self._squares += np.square(channels).sum(0)
            self._count += len(channels)
        self._number += 1

    def close(self) -> None:
        """End the file."""
        self._stream.close()

    def statistics(self) -> dict[str, np.ndarray]:
        """Of each channel, 0..1: (3, 1, 1) each, and how many pixels they are of."""
        mean = self._sum / self._count
        deviation = np.sqrt(np.maximum(self._squares / self._count - mean**2, 0.0))
        found = {"min": self._least, "max": self._most, "mean": mean, "std": deviation}
        return {name: value.reshape(-1, 1, 1) for name, value in found.items()} | {"count": np.array([self._count])}
