"""Verdicts depend on the journal alone, and on every proof in it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from lab.journal import Event, read_journal
from lab.scenario.load import Named, load
from lab.verdict.judge import judge
from tests.run.support import journal_of, run

SEED_RESET = Path(__file__).resolve().parents[2] / "scenarios" / "seed-reset.yaml"

Journal = tuple[Event, ...]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Named, Journal]:
    """A real run of a bug, a control, a contrast, three fixes and a non-fix."""
    named = load(SEED_RESET)
    arms = ("bug", "frozen-below", "get", "idle-timeout", "retry-fresh", "look-first")
    folder = await run(named, tmp_path_factory.mktemp("runs"), arms=arms)
    return named, journal_of(folder)


def verdicts(named: Named, journal: Journal) -> dict[str, str]:
    return {arm.name: arm.verdict for arm in judge([named], journal).scenarios[0].arms}


def test_all_pass(told: tuple[Named, Journal]) -> None:
    assert set(verdicts(*told).values()) == {"pass"}


def test_the_same_journal_gives_the_same_results(told: tuple[Named, Journal]) -> None:
    named, journal = told
    assert judge([named], journal) == judge([named], tuple(reversed(journal)))


def without(kind: str) -> Callable[[Event], Event | None]:
    return lambda event: None if event.kind == kind else event


def changed(kind: str, **data: object) -> Callable[[Event], Event | None]:
    return lambda event: replace(event, data={**event.data, **data}) if event.kind == kind else event


REUSING = {"bug", "get", "retry-fresh", "look-first"}
FROZEN = REUSING | {"frozen-below", "idle-timeout"}


@pytest.mark.parametrize(
    ("damage", "not_passing"),
    [
        (without("gave-up"), REUSING | {"idle-timeout"}),
        (without("late-data"), REUSING | {"idle-timeout"}),
        (without("tcp-state"), REUSING | {"idle-timeout"}),
        (changed("tcp-state", client="CLOSE-WAIT"), REUSING | {"idle-timeout"}),
        (without("frozen"), FROZEN),
        (changed("frozen", confirmed=False), FROZEN),
        (without("thawed"), FROZEN),
        (changed("thawed", was_frozen=False), FROZEN),
        (without("gap-started"), FROZEN),
        (changed("listener-opened", idle_timeout=3600.0), {"idle-timeout"}),
        (without("executed"), FROZEN),
        (without("arm-finished"), FROZEN),
    ],
    ids=lambda value: value.__qualname__ if callable(value) else "",
)
def test_without_its_proof_nothing_passes(
    told: tuple[Named, Journal], damage: Callable[[Event], Event | None], not_passing: set[str]
) -> None:
    named, journal = told
    damaged = tuple(kept for event in journal if (kept := damage(event)) is not None)
    passing = {name for name, verdict in verdicts(named, damaged).items() if verdict == "pass"}
    assert not passing & not_passing


def test_a_bug_that_ends_otherwise_fails(told: tuple[Named, Journal]) -> None:
    named, journal = told
    damaged = tuple(
        replace(event, data={**event.data, "outcome": "eof"}) if event.get("outcome") == "reset" else event
        for event in journal
    )
    assert verdicts(named, damaged)["bug"] == "fail"


def test_a_success_that_nobody_carried_out_is_not_believed(told: tuple[Named, Journal]) -> None:
    named, journal = told
    healed = changed("request", outcome="ok")
    damaged = tuple(kept for event in journal if (kept := healed(event)) is not None)
    assert verdicts(named, damaged)["bug"] == "inconclusive"


def test_a_reset_told_as_closed_locally_fails(told: tuple[Named, Journal]) -> None:
    """What a classifier does to aiohttp's reset without an errno: it is not the reset that the arm states."""
    named, journal = told
    misread = tuple(
        replace(event, data={**event.data, "outcome": "closed-locally"}) if event.get("outcome") == "reset" else event
        for event in journal
    )
    assert {verdicts(named, misread)[name] for name in ("bug", "look-first")} == {"fail"}


def test_a_control_that_met_a_fault_is_inconclusive(told: tuple[Named, Journal]) -> None:
    named, journal = told
    (first, *_) = [e for e in journal if e.scope.arm == "frozen-below" and e.kind == "idle"]
    fault = replace(first, kind="gave-up", data={"connection": 1, "mode": "rst", "how": "x", "idle_s": 1})
    assert verdicts(named, (*journal, fault))["frozen-below"] == "inconclusive"


def test_an_unfinished_run_is_unfinished(told: tuple[Named, Journal]) -> None:
    named, journal = told
    results = judge([named], tuple(event for event in journal if event.kind != "run-finished"))
    assert results.verdict == "unfinished"


def test_a_torn_last_line_is_left_out(told: tuple[Named, Journal], tmp_path: Path) -> None:
    _, journal = told
    lines = "\n".join(event.to_json() for event in journal)
    path = tmp_path / "journal.jsonl"
    path.write_text(lines + '\n{"t": 1, "sou')
    assert len(read_journal(path)) == len(journal)
