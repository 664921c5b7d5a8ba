"""Each lie turns its verdict by the proof that is meant to, and the truth beside it passes.

Here is the short form; `-m long` asks for all of them, as `make sabotage` does.
"""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from lab.journal import Event, Source
from tests.sabotage.catalogue import LIES
from tests.sabotage.lie import Lie
from tests.sabotage.lies.freeze import some_gap_was_short
from tests.sabotage.lies.journal import NEEDED, PROVE_NOTHING
from tests.sabotage.row import Row, Seen
from tests.sabotage.runner import laboratory, tell_all
from tests.sabotage.stories import CONTROL, SANE, SEED

SHORT = {name: lie for name, lie in LIES.items() if lie.short}
LONG = {name: lie for name, lie in LIES.items() if not lie.short and lie.sandbox == "process"}
PASSED = Seen("pass", (), "")
LONGEST = 900
"""Real seconds for all of them, on a machine that does other things too."""


def rows_of(lies: dict[str, Lie]) -> dict[str, Row]:
    """All in one lab, side by side."""
    return {row.lie.name: row for row in asyncio.run(tell_all(list(lies.values())))}


@pytest.fixture(scope="module")
def short() -> dict[str, Row]:
    return rows_of(SHORT)


@pytest.fixture(scope="module")
def long() -> dict[str, Row]:
    return rows_of(LONG)


def check(row: Row) -> None:
    if row.state == "skipped":
        pytest.skip(row.honest.why)
    assert row.honest.believed, row.honest.why
    assert row.lie.only_said or not row.lied.believed, f"{row.lie.story} And it is believed: {row.lied.why}"
    assert row.lied.names(row.lie.expected), f"{row.lied.proofs}: {row.lied.why}"


@pytest.mark.parametrize("name", SHORT)
def test_a_lie_is_not_believed(name: str, short: dict[str, Row]) -> None:
    check(short[name])


@pytest.mark.long
@pytest.mark.timeout(LONGEST)
@pytest.mark.parametrize("name", LONG)
def test_no_lie_is_believed(name: str, long: dict[str, Row]) -> None:
    check(long[name])


def test_there_is_a_lie_of_each_kind_in_the_short_form() -> None:
    assert {lie.kind for lie in SHORT.values()} == {lie.kind for lie in LIES.values()}


def test_a_lie_that_a_slow_machine_made_true_is_not_told(short: dict[str, Row]) -> None:
    """It is neither believed nor seen through: it is told again."""
    row = next(iter(short.values()))
    true = replace(row, honest=PASSED, lied=PASSED)
    assert (true.state, replace(true, told=False).state) == ("STILL GREEN", "CAME TRUE")
    assert not replace(true, told=False).holds


@pytest.mark.parametrize(("woken", "short"), [(0.9, True), (1.1, False)])
def test_a_gap_is_short_by_its_wake(woken: float, short: bool) -> None:
    events = [
        Event(0.0, "lab", "gap-started", data={"number": 1, "real": 1.0}),
        Event(0.5, "lab", "gap-ended", data={"number": 1}),
        Event(woken, "sandbox", "thawed"),
    ]
    assert some_gap_was_short(events) is short


def test_each_kind_of_event_is_needed_or_proves_nothing(tmp_path: Path) -> None:
    """A kind of event that the table does not have is one that nobody has thought of."""
    seen = asyncio.run(kinds_of_events(tmp_path))
    assert seen <= NEEDED.keys() | PROVE_NOTHING.keys()
    assert not NEEDED.keys() & PROVE_NOTHING.keys()


async def kinds_of_events(folder: Path) -> set[tuple[Source, str]]:
    """In the journals of a bug, a fix and a control."""
    async with laboratory("process", folder, ()) as lab:
        journals = await asyncio.gather(*(lab.journal_of(place) for place in (SEED, SANE, CONTROL)))
    return {(event.source, event.kind) for journal in journals for event in journal if event.scope.scenario}
