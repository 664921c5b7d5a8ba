"""What a run's scenario states, what its journal says, and the checks that compare the two."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from lab.journal import Event
from lab.scenario.setting import Setting
from lab.verdict.facts import Facts


@dataclass(frozen=True)
class Statement:
    """A run's setting and its facts."""

    setting: Setting
    facts: Facts

    def all(self, source: str, kind: str) -> list[Event]:
        return [event for event in self.facts.events if (event.source, event.kind) == (source, kind)]

    @cached_property
    def asked(self) -> set[str]:
        """Ids of the requests that the function was asked for."""
        untold = (name for event in self.all("invocation", "untold") for name in event["requests"])
        return {request["id"] for request in self.facts.requests} | set(untold)

    @cached_property
    def requests(self) -> list[Event]:
        """The function's requests as the upstream got them, without what a handler left running."""
        return [event for event in self.all("upstream", "request") if event["request"] in self.asked]

    @cached_property
    def speed(self) -> float | None:
        started = self.all("lab", "arm-started")
        return started[0].get("speed") if started else None


Check = Callable[[Statement], Iterator[str]]
CHECKS: list[Check] = []


def check(function: Check) -> Check:
    """Make a check known; the order of definition is that of the messages."""
    CHECKS.append(function)
    return function


def same(seen: float | None, stated: float | None) -> bool:
    """Equal within the six digits that a header or a journal keeps."""
    if seen is None or stated is None:
        return seen is stated
    return abs(seen - stated) <= 1e-4 * max(abs(stated), 1e-9)
