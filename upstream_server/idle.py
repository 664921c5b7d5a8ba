"""What ends a connection that is not used: its timeouts and its age, on the clock of its listener."""

import asyncio
from collections.abc import Callable

from upstream_server.behaviour import Behaviour, IdleEnd
from upstream_server.clock import Clock, Timer
from upstream_server.events import now
from upstream_server.probes import ProbeWatch

FLUSH_CHECK_S = 0.001
"""Real seconds between two looks whether the bytes before an end have left: no event announces an empty send queue."""


class IdleTimer:
    """The idle times of one connection, one after the other. `start` begins one, `stop` ends it."""

    def __init__(
        self,
        clock: Clock,
        behaviour: Behaviour,
        due: Callable[[], object],
        refreshed: Callable[[], object],
    ) -> None:
        """The connection was made now.

        `due` is called when something ends it, `refreshed` when a gateway first sees it used in an idle time.
        """
        self._clock = clock
        self._behaviour = behaviour
        self._due = due
        self._told_refreshed = refreshed
        self._born = self._since = self._refreshed = clock.now()
        self._timer: Timer | asyncio.TimerHandle | None = None
        self._probes: ProbeWatch | None = None

    def __repr__(self) -> str:
        return f"<IdleTimer {'runs' if self._timer is not None else 'stands'}>"

    @property
    def end(self) -> IdleEnd:
        """What ends the connection next, as far as is known."""
        return self._behaviour.idle_end(born=self._born, idle_since=self._since, refreshed=self._refreshed)

    def start(self, behaviour: Behaviour, wire: asyncio.Transport) -> float:
        """Idle from now on, under this behaviour; returns when, on the machine's clock."""
        self.stop()
        t = now()
        self._behaviour = behaviour
        self._since = self._refreshed = self._clock.reading(t)
        self._arm()
        if behaviour.gateway_timeout is not None and behaviour.gateway_refresh == "probes":
            self._probes = ProbeWatch(wire, self._heard_probe)
            self._clock.look_before_moves(self._probes.look)
        return t

    def wait_for_flush(self) -> None:
        """The end has come, but bytes are still on their way: call again soon in real time."""
        self._clock.begin(self)
        self._timer = asyncio.get_running_loop().call_later(FLUSH_CHECK_S, self._fire)

    def stop(self) -> None:
        """It is used, or gone."""
        self._clock.end(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._probes is not None:
            self._probes.stop()
            self._clock.look_no_more(self._probes.look)
            self._probes = None

    def _arm(self) -> None:
        self._timer = self._clock.call_at(self.end.at, self._fire)

    def _fire(self) -> None:
        self._clock.end(self)
        if self._probes is not None:
            self._probes.look()
        if self.end.at > self._clock.now():  # a probe refreshed the gateway
            self._arm()
        else:
            self._due()

    def _heard_probe(self) -> None:
        """The gateway saw the connection used. Told once an idle time: further probes say nothing new."""
        if self._refreshed == self._since:
            self._told_refreshed()
        self._refreshed = self._clock.now()
