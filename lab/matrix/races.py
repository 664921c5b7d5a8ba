"""Cells in which two things race, so that two runs may differ: each with its reason. All others are deterministic."""

from collections.abc import Callable
from dataclasses import dataclass

from lab.matrix.cells import Cell


@dataclass(frozen=True, slots=True)
class Race:
    """Who races whom, and in which cells."""

    reason: str
    covers: Callable[[Cell], bool]


RACES: tuple[Race, ...] = (
    Race(
        "over TLS an event loop that finds a close needs further turns to tell its pool, and the request may be first",
        lambda cell: cell.client.startswith("aiohttp") and cell.tls == "tls" and cell.mode in ("fin", "rst"),
    ),
    Race(
        "a thread that sleeps through the freeze enforces the idle limit; after the thaw it races the request",
        lambda cell: cell.client in ("jdk-http", "okhttp") and cell.preset in ("default", "sane"),
    ),
    Race(
        "net/http's reader and the request find the end of the connection at the same time (field notes, 1)",
        lambda cell: cell.client == "go" and cell.death == "fin",
    ),
)


def race_of(cell: Cell) -> str | None:
    """Why two runs may differ in this cell; None where they must not."""
    return next((race.reason for race in RACES if race.covers(cell)), None)
