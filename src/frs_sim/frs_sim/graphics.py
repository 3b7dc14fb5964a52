"""What processes that render must mind: how they start, and what to say where OpenGL is missing. Imports none of it."""

from multiprocessing import get_context

SPAWN = get_context("spawn")
"""How worker processes start: a forked one hangs in a GL context that its parent has opened."""


class GraphicsError(OSError):
    """The cameras can't be rendered; the message says what to install."""

    def __init__(self, error: Exception) -> None:
        """From what mujoco or PyOpenGL raised; each platform library fails in its own way."""
        reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        super().__init__(
            f"the cameras can't be rendered without OpenGL ({reason.rstrip('.')}); "
            "install it with: apt-get install libegl1 libgl1-mesa-dri libosmesa6"
        )
