"""The journal: everything that happened in a run, in one append-only file, on one clock.

One event is one line of `journal.jsonl`. Times are seconds of CLOCK_MONOTONIC, which every
process and container on a machine shares, so events of the lab, its upstreams and its functions
can be ordered against each other. Verdicts and reports are pure functions of these events.

Which kinds of events there are, with their fields and units, is in `lab.journal.events`.
"""

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

Source = Literal["lab", "sandbox", "link", "invocation", "client", "upstream"]
SOURCES = get_args(Source)

WRITTEN: dict[tuple[str, str], str] = {}
"""The kind as a journal has it, by source and the short name that the code uses, where the two differ."""
SHORT: dict[tuple[str, str], str] = {}
"""The other way round. Journals of version 1 have the short names, which are read as they are."""


def now() -> float:
    """Seconds of the machine-wide monotonic clock."""
    return time.monotonic()


@dataclass(frozen=True, slots=True)
class Scope:
    """Which run of which arm an event belongs to; empty for the whole lab."""

    scenario: str = ""
    arm: str = ""
    repeat: int = 0
    attempt: int = 1
    """An inconclusive run is made again; the last attempt speaks for its repeat."""

    def __str__(self) -> str:
        if not self.scenario:
            return "lab"
        again = f".{self.attempt}" if self.attempt > 1 else ""
        return f"{self.scenario}/{self.arm}#{self.repeat}{again}"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    t: float
    source: Source
    kind: str
    scope: Scope = Scope()
    data: Mapping[str, Any] = field(default_factory=dict)
    place: str = field(default="", compare=False, repr=False)
    """File and line that it was read from."""
    version: int = field(default=1, compare=False, repr=False)
    """Version of the journal that it was read from: older ones say less."""

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def get(self, key: str, default: Any = None) -> Any:
        return self.data.get(key, default)

    def __repr__(self) -> str:
        details = " ".join(f"{key}={value}" for key, value in self.data.items())
        return f"<{self.t:.4f} {self.scope} {self.source} {self.kind} {details}>"

    @property
    def written(self) -> str:
        """Its kind as a journal has it."""
        return WRITTEN.get((self.source, self.kind), self.kind)

    def to_json(self) -> str:
        scope: dict[str, Any] = {"scenario": self.scope.scenario, "arm": self.scope.arm, "repeat": self.scope.repeat}
        if self.scope.attempt > 1:
            scope["attempt"] = self.scope.attempt
        head = {"t": round(self.t, 6), "source": self.source, "kind": self.written}
        return json.dumps(head | (scope if self.scope.scenario else {}) | {"data": dict(self.data)})

    @classmethod
    def from_json(cls, line: str, place: str = "", version: int = 1) -> Self:
        """Read one line of a journal; raises ValueError if it is not an event, whatever its kind.

        Whether it says what its kind must say is another question: see `lab.journal.vocabulary.read`.
        """
        try:
            raw = json.loads(line, parse_constant=_refuse)
            scope = Scope(raw.get("scenario", ""), raw.get("arm", ""), raw.get("repeat", 0), raw.get("attempt", 1))
            kind = SHORT.get((raw["source"], raw["kind"]), raw["kind"])
            event = cls(float(raw["t"]), raw["source"], kind, scope, raw["data"], place, version)
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError) as error:
            raise ValueError(f"not a journal event: {line[:60]!r}") from error
        if wrong := event._wrong(raw["t"]):
            raise ValueError(f"not a journal event, by its {wrong}: {line[:60]!r}")
        return event

    def _wrong(self, t: object) -> str | None:
        """Which part of an event that was read can be none; `t` is its time as it was written."""
        parts = {
            "t": type(t) in (int, float) and math.isfinite(self.t),
            "source": self.source in SOURCES,
            "kind": isinstance(self.kind, str) and bool(self.kind),
            "scenario": isinstance(self.scope.scenario, str),
            "arm": isinstance(self.scope.arm, str),
            "repeat": type(self.scope.repeat) is int and self.scope.repeat >= 0,
            "attempt": type(self.scope.attempt) is int and self.scope.attempt >= 1,
            "data": isinstance(self.data, dict),
        }
        return next((name for name, good in parts.items() if not good), None)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
