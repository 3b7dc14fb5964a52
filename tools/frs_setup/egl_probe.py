"""Tries to open an off-screen EGL display, as MuJoCo and PyOpenGL will: exit status 0 when one opens.

A process of its own, because a broken graphics driver can take the one that loads it with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from ctypes import POINTER, byref, c_char_p, c_int, c_uint, c_void_p

_PLATFORM_DEVICE = 0x313F  # EGL_PLATFORM_DEVICE_EXT
_MOST_DEVICES = 16
_OPENGL = ("libOpenGL.so.0", "libGL.so.1")  # either will do; EGL needs none of them to open, but drawing does


def loads_opengl() -> bool:
    """Whether there is a library that drawing functions can be taken from."""
    for name in _OPENGL:
        with contextlib.suppress(OSError):
            ctypes.CDLL(name)
            return True
    return False


def display_opens() -> bool:
    """Whether any EGL device of this machine (the software renderer counts) can be initialised.

    Raises:
        OSError: there is no EGL library.
        AttributeError: it is too old to list its devices.
    """
    egl = ctypes.CDLL("libEGL.so.1")
    egl.eglGetProcAddress.restype = c_void_p
    egl.eglGetProcAddress.argtypes = [c_char_p]
    egl.eglInitialize.restype = c_uint
    egl.eglInitialize.argtypes = [c_void_p, c_void_p, c_void_p]
    addresses = [egl.eglGetProcAddress(name) for name in (b"eglQueryDevicesEXT", b"eglGetPlatformDisplayEXT")]
    if not all(addresses):
        raise AttributeError("this EGL library cannot list its devices")
    query_devices = ctypes.CFUNCTYPE(c_uint, c_int, POINTER(c_void_p), POINTER(c_int))(addresses[0])
    get_display = ctypes.CFUNCTYPE(c_void_p, c_uint, c_void_p, c_void_p)(addresses[1])

    devices, count = (c_void_p * _MOST_DEVICES)(), c_int()
    if not query_devices(_MOST_DEVICES, devices, byref(count)):
        return False
    displays = (get_display(_PLATFORM_DEVICE, device, None) for device in devices[: count.value])
    return any(display and egl.eglInitialize(display, None, None) for display in displays)


if __name__ == "__main__":
    sys.exit(0 if loads_opengl() and display_opens() else 1)
