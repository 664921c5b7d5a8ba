"""The clock page: how far a function's clocks are ahead of the machine's, and what its processes say of their waits.

A file of one sandbox, mapped by the lab and by the function's time object (`lambda_app/shims/time/`, which has the same
layout in its `shared.h`). Standard library only: it runs beside a container too.
"""

import ctypes
import mmap
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

MAGIC = b"THAWCLK1"
SIZE = 4096
VARIABLE = "THAWLAB_CLOCK"
"""The variable of a function's environment with the path of its page."""

WAKES = ("interrupted", "uninterrupted")

NO_DEADLINE = 2**63 - 1
SECOND = 1_000_000_000
_FUTEX = {"x86_64": 202, "aarch64": 98}
_FUTEX_WAKE = 1
_EVERYBODY = 2**31 - 1


class _Slot(ctypes.Structure):
    _fields_ = (
        ("tid", ctypes.c_uint32),
        ("seen", ctypes.c_uint32),
        ("deadline_ns", ctypes.c_int64),
        ("spare", ctypes.c_uint32 * 4),
    )


class _Layout(ctypes.Structure):
    """All values are little-endian, as the machines that the time object knows."""

    _fields_ = (
        ("magic", ctypes.c_char * 8),
        ("generation", ctypes.c_uint32),
        ("_1", ctypes.c_uint32),
        ("mono_ns", ctypes.c_int64),
        ("wall_ns", ctypes.c_int64),
        ("wake", ctypes.c_uint32),
        ("_2", ctypes.c_uint32),
        ("kernel_speed", ctypes.c_double),
        ("_3", ctypes.c_char * 16),
        ("attached", ctypes.c_uint32),
        ("_4", ctypes.c_uint32),
        ("readings", ctypes.c_uint64),
        ("last_mono_ns", ctypes.c_int64),
        ("last_wall_ns", ctypes.c_int64),
        ("waits", ctypes.c_uint64),
        ("elapsed", ctypes.c_uint64),
        ("woken", ctypes.c_uint32),
        ("_5", ctypes.c_char * 12),
        ("slots", _Slot * 64),
    )


@dataclass(frozen=True, slots=True)
class Report:
    """What the page says at one moment. Times are seconds on the function's clocks."""

    attached: int
    """How many processes have mapped the page since it was made."""
    readings: int
    """How often a clock was read."""
    last_mono: float
    last_wall: float
    """What the last reading of each kind of clock said; 0 before the first."""
    waits: int
    """How many timed waits have begun."""
    elapsed: int
    """How many of them a jump ended."""
    woken: int
    """The generation up to which every wait knows the page."""
    generation: int
    next_deadline: float | None
    """When the next of the waits in progress ends, on the monotonic clock; None if none has a deadline.

    Timers of the kernel (timerfd among them) and waits beyond the page's 64 slots are not in it.
    """


class ClockPage:
    """One sandbox's page. One process moves it; the function's processes read it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Take over the descriptor of a page."""
        self.path = path
        try:
            self._memory = mmap.mmap(descriptor, SIZE)
        finally:
            os.close(descriptor)
        self._page = _Layout.from_buffer(self._memory)

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make a page whose clocks are the machine's.

        Any user may write to it, since a function may run as another one: the folder decides who can reach it.
        Raises FileExistsError, or OSError if the file cannot be made.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o666)
        os.ftruncate(descriptor, SIZE)
        page = cls(path, descriptor)
        page._page.magic = MAGIC
        return page

    @classmethod
    def open(cls, path: Path) -> Self:
        """The page that another process made; raises ValueError if the file is not a clock page, or OSError."""
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        if os.fstat(descriptor).st_size < SIZE or os.pread(descriptor, len(MAGIC), 0) != MAGIC:
            os.close(descriptor)
            raise ValueError(f"{path} is not a clock page")
        return cls(path, descriptor)

    def move(self, mono: float, wall: float) -> int:
        """Move the clocks on by so many seconds; returns the generation that waits must see."""
        page = self._page
        page.mono_ns += round(mono * SECOND)
        page.wall_ns += round(wall * SECOND)
        return self._changed()

    @property
    def mono(self) -> float:
        """Seconds by which the function's monotonic clock is ahead of the machine's."""
        return float(self._page.mono_ns / SECOND)

    @property
    def wall(self) -> float:
        """Seconds by which the function's wall clock is ahead of the machine's."""
        return float(self._page.wall_ns / SECOND)

    @property
    def wake(self) -> Literal["interrupted", "uninterrupted"]:
        """What a thaw does to a wait for events."""
        return "uninterrupted" if self._page.wake else "interrupted"

    @wake.setter
    def wake(self, wake: Literal["interrupted", "uninterrupted"]) -> None:
        self._page.wake = WAKES.index(wake)

    @property
    def kernel_speed(self) -> float:
        """By what the limits of TCP that a program sets are divided; 0 or 1 leaves them alone."""
        return float(self._page.kernel_speed)

    @kernel_speed.setter
    def kernel_speed(self, speed: float) -> None:
        self._page.kernel_speed = speed

    def read(self) -> Report:
        """What the function's processes have written."""
        page = self._page
        deadlines = [slot.deadline_ns for slot in page.slots if slot.tid and slot.deadline_ns != NO_DEADLINE]
        return Report(
            attached=page.attached,
            readings=page.readings,
            last_mono=page.last_mono_ns / SECOND,
            last_wall=page.last_wall_ns / SECOND,
            waits=page.waits,
            elapsed=page.elapsed,
            woken=page.woken,
            generation=page.generation,
            next_deadline=min(deadlines) / SECOND if deadlines else None,
        )

    @property
    def followed(self) -> bool:
        """Whether a process has mapped it and every wait knows the page as it is."""
        page = self._page
        known = all(slot.seen == page.generation for slot in page.slots if slot.tid)
        return bool(page.attached) and page.woken == page.generation and known

    def left(self) -> float | None:
        """Seconds on the function's clocks until the next of its waits is over; None if none has a deadline."""
        deadline = self.read().next_deadline
        return None if deadline is None else deadline - (time.monotonic() + self.mono)

    def close(self) -> None:
        """Unmap the page; the file stays, and whoever has mapped it keeps it."""
        if not self._memory.closed:
            del self._page
            self._memory.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _changed(self) -> int:
        page = self._page
        generation: int = (page.generation + 1) % 2**32
        page.generation = generation
        word = ctypes.c_void_p(ctypes.addressof(page) + _Layout.generation.offset)
        number = ctypes.c_long(_FUTEX[platform.machine()])
        ctypes.CDLL(None).syscall(number, word, ctypes.c_long(_FUTEX_WAKE), ctypes.c_long(_EVERYBODY), None, None, None)
        return generation
