"""What to say where OpenGL is missing. Imports nothing that needs it."""


class GraphicsError(OSError):
    """The cameras can't be rendered; the message says what to install."""

    def __init__(self, error: Exception) -> None:
        """From what mujoco or PyOpenGL raised; each platform library fails in its own way."""
        reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        super().__init__(
            f"the cameras can't be rendered without OpenGL ({reason.rstrip('.')}); "
            "install it with: apt-get install libegl1 libgl1-mesa-dri libosmesa6"
        )
