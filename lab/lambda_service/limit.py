"""A time limit on the platform's clock, which may jump."""

from collections.abc import Callable

from upstream_server.clock import Clock, Timer


class Limit:
    """Begun, then ended in time or over."""

    def __init__(self, clock: Clock, tell: Callable[[], object]) -> None:
        """`tell` is called when the time is over."""
        self.seconds = 0.0
        """Of the limit that was begun last, in lab time."""
        self.over = False
        self._clock = clock
        self._tell = tell
        self._timer: Timer | None = None

    def __repr__(self) -> str:
        return f"<Limit {self.seconds:g}s{' over' if self.over else ''}>"

    def begin(self, seconds: float) -> None:
        """Count from now; what was begun before counts no more."""
        self.end()
        self.seconds = seconds
        self._timer = self._clock.call_later(seconds, self._pass)

    def end(self) -> None:
        """Count no more."""
        self.over = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _pass(self) -> None:
        self._timer = None
        self.over = True
        self._tell()
