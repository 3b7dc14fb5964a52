"""The simulated DROID cell."""

import os

os.environ.setdefault("MUJOCO_GL", "egl")  # rendering without a screen; mujoco reads it when it is first imported
