"""A clock page that a test writes, byte by byte as it is laid out."""

import ctypes
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

SIZE = 4096
MAGIC = b"THAWCLK1"
NS = 1_000_000_000
NEVER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Report:
    """What a function wrote into its page."""

    attached: int
    readings: int
    last_mono_ns: int
    last_wall_ns: int
    waits: int
    elapsed: int
    woken: int
    slot_tid: int
    slot_generation: int
    slot_deadline_ns: int


class Page:
    """Both sides of a page."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(MAGIC.ljust(SIZE, b"\0"))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), SIZE)
        # A running program must never see half of a number, and struct writes it byte by byte.
        self._mono, self._wall = (ctypes.c_int64.from_buffer(self._map, offset) for offset in (16, 24))

    def move(self, mono: float, wall: float) -> int:
        """Moves the clocks on by seconds; returns the new generation."""
        for place, by in ((self._mono, mono), (self._wall, wall)):
            place.value += round(by * NS)
        generation = self.generation + 1
        struct.pack_into("<I", self._map, 8, generation)
        return generation

    @property
    def generation(self) -> int:
        """The newest one."""
        return int.from_bytes(self._map[8:12], "little")

    def uninterrupted(self) -> None:
        """A freeze no longer interrupts a wait."""
        struct.pack_into("<I", self._map, 32, 1)

    def kernel_speed(self, speed: float) -> None:
        """What the kernel's own timers are divided by."""
        struct.pack_into("<d", self._map, 40, speed)

    def read(self) -> Report:
        """What the function says."""
        return Report(
            *struct.unpack_from("<I4xQqqQQI", self._map, 64),
            *struct.unpack_from("<IIq", self._map, 128),
        )

    def close(self) -> None:
        del self._mono, self._wall  # they hold the map open
        self._map.close()
