"""Cells in which two things race, so that two runs may differ: each with its reason. All others are deterministic."""

from collections.abc import Callable
from dataclasses import dataclass

from lab.plan.cells import WITH_BODY, Cell
from lab.scenario.words import Reuse
from upstream_server import faults


@dataclass(frozen=True, slots=True)
class Race:
    """What races, and in which cells."""

    reason: str
    covers: Callable[[Cell], bool]
    when_used: bool = False
    """Whether it is run in the dead connection: a request on a new one has nothing to race."""
    language: str | None = None
    """The language whose runtime races, by the lab's name for it, if it is not the client itself."""
    two_writes: bool = False
    """Whether only a client races that writes head and body one after the other."""
    probed: bool = False
    """Whether only a client races whose idle connections the kernel probes every second."""

    def may_decide(self, reuse: Reuse | None) -> bool:
        """Whether it can have decided a cell in which this became of the connection; None if nobody knows."""
        return reuse is None or (reuse == "used" if self.when_used else reuse != "not kept")


def _heard(cell: Cell) -> bool:
    """Whether the client's kernel hears of the death while the connection is idle."""
    return cell.death in faults.heard()


def _aiohttp_over_tls(cell: Cell) -> bool:
    return cell.client.startswith("aiohttp") and cell.tls == "tls" and _heard(cell) and _of_any_age(cell)


def _of_any_age(cell: Cell) -> bool:
    return cell.preset not in AGED_AT_CHECKOUT


def _limit_kept_by_a_thread(cell: Cell) -> bool:
    return cell.client in ("jdk-http", "okhttp") and cell.preset in ("default", "sane")


def _go_reads_an_end(cell: Cell) -> bool:
    return cell.client == "go" and cell.death == "fin" and _of_any_age(cell)


def _loop_hears_of_it(cell: Cell) -> bool:
    return cell.shape == "loop" and _heard(cell)


def _loop_keeps_limit(cell: Cell) -> bool:
    return cell.shape == "loop" and cell.wake == "uninterrupted"


def _one_loop_keeps_limit(cell: Cell) -> bool:
    return cell.shape == "one-loop" and cell.wake == "uninterrupted"


AGED_AT_CHECKOUT = ("default", "sane")
"""Presets of aiohttp and Go whose idle limit is looked at when a connection is taken: one that was idle for the whole
gap is left, whichever side has heard of its end."""
TWO_WRITES = ("aiohttp@3.9", "httpx2", "requests", "urllib3", "http.client", "botocore", "jdk-http")
"""Clients that write a request's head and its body one after the other, for a journal that does not say so."""


def _late_bytes_draw_a_reset(cell: Cell) -> bool:
    return cell.is_idle_death and faults.mode(cell.mode).late_bytes == "reset" and cell.link == "delivered"


def _second_write_may_fail(cell: Cell) -> bool:
    return cell.method in WITH_BODY and (_late_bytes_draw_a_reset(cell) or cell.link == "lost")


def _packets_are_lost(cell: Cell) -> bool:
    return cell.link == "lost"


def _jdk_hears_of_it(cell: Cell) -> bool:
    return cell.client == "jdk-http" and _heard(cell)


# The first one names a cell: whether a connection is used comes before what happens in it.
RACES = (
    Race(
        "a thread that sleeps through the freeze enforces the idle limit; after the thaw it races the request",
        _limit_kept_by_a_thread,
    ),
    Race(
        "head and body are writes of their own: the peer's reset may come between them, or after both",
        _second_write_may_fail,
        when_used=True,
        two_writes=True,
    ),
    Race(
        "the kernel probes the connection once a second, and may do so when packets pass again, before the thaw",
        _packets_are_lost,
        probed=True,
    ),
    Race(
        "the client's own thread finds the end of the connection while the request is written",
        _jdk_hears_of_it,
    ),
    Race(
        "over TLS an event loop that finds a close needs further turns to tell its pool; the request may be first",
        _aiohttp_over_tls,
    ),
    Race(
        "net/http's reader and the request find the end of the connection at the same time",
        _go_reads_an_end,
    ),
    Race(
        "two threads wake: the event loop, which finds the close, and the runtime client's, which brings the request",
        _loop_hears_of_it,
        language="node",
    ),
    Race(
        "two threads wake: the event loop, whose timer keeps the idle limit, and the runtime client's with the request",
        _loop_keeps_limit,
        language="node",
    ),
    Race(
        "the loop's timer keeps the idle limit: it is first if the freeze met the loop outside its wait, which is rare",
        _one_loop_keeps_limit,
        language="node",
    ),
)


NODE = frozenset({"node-http", "fetch", "undici", "axios"})
PROBED = frozenset({"node-http", "axios"})
"""Clients of Node, and those that the kernel probes, for a journal that does not say so."""


@dataclass(frozen=True, slots=True)
class Nature:
    """What a client is like, as far as races depend on it; None if the journal does not say."""

    language: str | None = None
    """By the lab's name for it."""
    two_writes: bool | None = None
    """Whether it writes a request's head and its body one after the other."""
    probed: bool | None = None
    """Whether the kernel probes its idle connections every second."""


def race_of(cell: Cell, reuse: Reuse | None = None, nature: Nature = Nature()) -> str | None:
    """Why two runs may differ in this cell; None if they must not.

    If the cell was measured, what became of the connection tells whether the race was run.
    """
    client = cell.client.partition("@")[0]
    two_writes = cell.client in TWO_WRITES if nature.two_writes is None else nature.two_writes
    probed = client in PROBED if nature.probed is None else nature.probed
    language = nature.language or ("node" if client in NODE else None)
    mine = (
        race
        for race in RACES
        if race.language in (None, language)
        and (two_writes or not race.two_writes)
        and (probed or not race.probed)
        and race.covers(cell)
    )
    return next((race.reason for race in mine if race.may_decide(reuse)), None)
