"""Leaving the graph so that those who stay are not hurt by it, and within a time."""

from __future__ import annotations

import contextlib
import ctypes
import sys
import time
import traceback
from collections.abc import Iterator

import rclpy
from rclpy.context import Context
from rclpy.node import Node

QUIET = 0.1
"""s between what a process says last and the end of the publisher that said it.

Fast DDS can lock up for ever in a process that stays: when it hears that a publisher is gone while its timer thread
answers that publisher's last message (which it does within 5 ms), and in the same pass looks whether anybody's lease
has ended (https://github.com/eProsima/Fast-DDS/issues/6502, open; seen here with Fast DDS 3.2 in the tests). Who has
been silent for a moment before he goes leaves no answer under way.
"""

LEAVE_TIME = 1.0
"""s that a process, with all its work done, may take to leave the graph, where Fast DDS may also lock up for ever."""


class _Notice(ctypes.Structure):
    """glibc's `struct sigevent` (sigevent(3type)), as far as SIGEV_THREAD needs it."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("function", ctypes.c_void_p),
        ("attributes", ctypes.c_void_p),
        ("rest", ctypes.c_byte * 32),
    )


_SIGEV_THREAD = 2  # the C library calls the notice's function, with its value, in a new thread (timer_create(2))
_C = ctypes.CDLL(None, use_errno=True)
_TIMERS = _C if hasattr(_C, "timer_create") else ctypes.CDLL("librt.so.1", use_errno=True)
"""Where timers are: in the C library itself from glibc 2.34 on, beside it before."""


@contextlib.contextmanager
def ended_in_time(status: int) -> Iterator[None]:
    """End the process with that status if the block takes longer than LEAVE_TIME, without a word, whatever it does.

    A call that locks up in the middleware keeps Python's lock, so no thread of Python can end it; the C library's timer
    does, by `_exit`, when what was printed is out.

    Raises:
        OSError: there is no timer.
    """
    with contextlib.suppress(OSError):  # nobody listens any more
        sys.stdout.flush()
    notice = _Notice(value=status, notify=_SIGEV_THREAD, function=ctypes.cast(_C._exit, ctypes.c_void_p))
    timer = ctypes.c_void_p()
    if _TIMERS.timer_create(time.CLOCK_MONOTONIC, ctypes.byref(notice), ctypes.byref(timer)):
        raise OSError(ctypes.get_errno(), "timer_create")
    # The interval (none), then the first end, each in s and ns.
    times = (ctypes.c_long * 4)(0, 0, int(LEAVE_TIME), int(LEAVE_TIME % 1 * 1e9))
    try:
        if _TIMERS.timer_settime(timer, 0, times, None):
            raise OSError(ctypes.get_errno(), "timer_settime")
        yield
    finally:
        _TIMERS.timer_delete(timer)


def leave(*nodes: Node, context: Context | None = None) -> None:
    """Destroy the nodes, and shut their context down (None: rclpy's default one). Takes twice QUIET.

    A node's own end is news in the graph as well, which the context tells; so it is silent once more before its end.
    """
    time.sleep(QUIET)
    for node in nodes:
        node.destroy_node()
    time.sleep(QUIET)
    rclpy.try_shutdown(context=context)


def abandon(error: BaseException) -> None:
    """Leave the graph with what there is of a node whose constructor raised; the process is to end with status 1."""
    with ended_in_time(status=1):
        traceback.clear_frames(error.__traceback__)  # which hold it
        rclpy.try_shutdown()
