"""The journal's clock: CLOCK_MONOTONIC as the machine has it, also where a shim makes the function's stand still."""

import ctypes
import time


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


# Looked up in libc itself, the name is not found in what was preloaded before it.
_clock_gettime = ctypes.CDLL("libc.so.6").clock_gettime


def now() -> float:
    """Seconds, as `lab.journal.now` has them."""
    moment = _Timespec()
    _clock_gettime(time.CLOCK_MONOTONIC, ctypes.byref(moment))
    seconds: int = moment.seconds
    nanoseconds: int = moment.nanoseconds
    return seconds + nanoseconds / 1e9
