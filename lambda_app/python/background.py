"""A background task of the function, to see what a freeze does to work that is not an invocation."""

import threading
import time

TICK = 0.01
"""Real seconds between two ticks: short against any gap, and a hundred wake-ups a second cost nothing."""


class Ticker:
    """Counts while the process runs."""

    def __init__(self) -> None:
        self.ticks = 0
        threading.Thread(target=self._tick, name="background", daemon=True).start()

    def _tick(self) -> None:
        while True:
            time.sleep(TICK)
            self.ticks += 1
