"""A bug of the client's own: believed if the upstream saw the client close a healthy connection, and not otherwise."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.journal import Event
from lab.scenario.load import find, load
from lab.verdict.judge import judge
from lab.verdict.results import ArmResult
from tests.run.support import journal_of, run

STORY = "poisoned-by-timer"

Break = Callable[[Sequence[Event]], list[Event]]


def _last(events: Sequence[Event], kind: str) -> int:
    return max(at for at, event in enumerate(events) if event.kind == kind and event.source == "upstream")


def the_client_kept_the_connection(events: Sequence[Event]) -> list[Event]:
    return [event for event in events if event.kind != "connection-closed"]


def it_was_idle_again(events: Sequence[Event]) -> list[Event]:
    """The answer had come and gone when the client closed it: it may say `timeout`, but it did not fail of it."""
    at = _last(events, "connection-closed")
    closed = events[at]
    idle = replace(closed, kind="idle", data={"connection": closed["connection"]})
    return [*events[:at], idle, *events[at:]]


def the_upstream_closed_it(events: Sequence[Event]) -> list[Event]:
    at = _last(events, "connection-closed")
    return [*events[:at], replace(events[at], data={**events[at].data, "by": "upstream"}), *events[at + 1 :]]


def its_end_had_come(events: Sequence[Event]) -> list[Event]:
    return [
        replace(event, data={**event.data, "client": "CLOSE-WAIT"}) if event.kind == "tcp-state" else event
        for event in events
    ]


BREAKS = (the_client_kept_the_connection, it_was_idle_again, the_upstream_closed_it, its_end_had_come)


async def test_the_bug_passes_and_without_a_witness_it_does_not(tmp_path: Path) -> None:
    named = find(STORY)
    folder = await run(named, tmp_path, arms=("bug",))
    events = journal_of(folder)
    kept = [event for event in events if event.scope.attempt in (0, 1)]

    def arm_of(journal: Sequence[Event]) -> ArmResult:
        (story,) = judge([named], journal).scenarios
        (arm,) = story.arms
        return arm

    assert arm_of(events).verdict == "pass", arm_of(events).why
    assert arm_of(events).guard.client_gave_up
    for broken in BREAKS:
        damaged = arm_of(broken(kept))
        assert damaged.verdict == "inconclusive", (broken.__name__, damaged.why)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("    role: bug\n", "    role: non-fix\n", "only a bug or its fix can"),
        ("idle_timeout: 10m", "idle_timeout: 1m", "leave one of the two out"),
    ],
)
def test_what_contradicts_it_is_refused(tmp_path: Path, before: str, after: str, said: str) -> None:
    named = find(STORY)
    text = named.path.read_text()
    assert before in text
    path = tmp_path / "story.yaml"
    path.write_text(text.replace(before, after, 1))
    with pytest.raises(UsageError, match=said):
        load(path)
