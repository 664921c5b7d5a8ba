"""Keepalive probes that arrive on an idle connection, which no process is told of.

A probe carries nothing new, so the kernel answers it and drops it. But `tcp_info` counts every segment that
comes in (tcpi_segs_in), and anybody may ask it of a socket of their own.
"""

import asyncio
from collections.abc import Callable

from upstream_server import sockets

LOOK_S = 0.02
"""Real seconds between two looks: probes are whole seconds apart, so a gateway's end is late by a fiftieth at most."""


class ProbeWatch:
    """Looks at one idle connection, from its making until `stop`."""

    def __init__(self, wire: asyncio.Transport, heard: Callable[[], None]) -> None:
        """`heard` is called for each look that finds a probe."""
        self._wire = wire
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._seen, self._settled = self._state()
        self._timer = self._loop.call_later(LOOK_S, self._again)

    def __repr__(self) -> str:
        return f"<ProbeWatch {self._seen} segments seen>"

    def look(self) -> None:
        """Find what has come until now; the acknowledgement of our own answer is not a probe."""
        seen, settled = self._state()
        came, self._seen = seen != self._seen, seen
        if came and self._settled:
            self._heard()
        self._settled = settled

    def stop(self) -> None:
        self._timer.cancel()

    def _again(self) -> None:
        self.look()
        self._timer = self._loop.call_later(LOOK_S, self._again)

    def _state(self) -> tuple[int, bool]:
        """Segments that came, and whether everything that was sent had been acknowledged by then."""
        count = sockets.tcp_info(self._wire.get_extra_info("socket")).segments_in
        return count, sockets.unacknowledged(self._wire) == 0
