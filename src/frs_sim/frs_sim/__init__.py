"""The simulated DROID cell."""

import os

os.environ.setdefault("MUJOCO_GL", "egl")  # rendering without a screen; mujoco reads it when it is first imported
os.environ.setdefault("LP_NUM_THREADS", "0")  # Mesa's renderer in the calling thread: its own take every core at once
