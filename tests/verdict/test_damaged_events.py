"""An event that lacks a field, or has one of a wrong type, makes its run inconclusive: never a pass, never a crash."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lab.journal import Event
from lab.scenario.load import Named
from lab.verdict.judge import judge
from lab.verdict.results import Run
from tests.verdict.events import bug, scenario

ENVIRONMENT: dict[str, object] = {"python": "3", "kernel": "6", "machine": "m", "engine": None, "versions": {}}


def run_of(events: list[Event]) -> Run:
    story = scenario()
    named = Named("story", Path("story.yaml"), story, "", "story")
    about = {"run": "r", "sandbox": "process", "speed": 150.0, "repeats": 1, "environment": ENVIRONMENT}
    start = Event(-1.0, "lab", "run-started", data={**about, "arms": {"story": ["bug"]}, "skipped": {}})
    results = judge([named], [start, *events, Event(9.0, "lab", "run-finished")])
    return results.scenarios[0].arms[0].runs[0]


WHOLE = bug()
"""The events of an honest run."""
FIELDS = [(index, name) for index, event in enumerate(WHOLE) for name in event.data if name != "payload"]
"""Every field of theirs. An answer may be anything."""


def test_the_run_is_whole() -> None:
    assert "damaged" not in run_of(WHOLE).why


def test_a_spoiled_field_is_named_with_file_and_line() -> None:
    for index, name in FIELDS:
        event = WHOLE[index]
        run = run_of(with_data(index, {**event.data, name: object()}))
        assert (run.verdict, run.trace) == ("inconclusive", None)
        assert f"journal.jsonl:7: `{event.source} {event.written}` has a wrong `{name}" in run.why


def test_a_missing_field_never_crashes_the_judge_and_never_makes_a_pass() -> None:
    whole = run_of(WHOLE)
    for index, name in FIELDS:
        event = WHOLE[index]
        run = run_of(with_data(index, {key: value for key, value in event.data.items() if key != name}))
        assert run.trace is None, (event, name, run.trace)
        assert run.verdict == "inconclusive" or run == whole, (event, name)


def with_data(index: int, data: Mapping[str, object]) -> list[Event]:
    events = list(WHOLE)
    events[index] = replace(WHOLE[index], data=data, place="journal.jsonl:7")
    return events
