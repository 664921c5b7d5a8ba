"""The journal's vocabulary: what is written is read back, what is damaged is named, and older journals are read."""

import json
from dataclasses import fields, replace
from pathlib import Path

import jsonschema
import pytest

from lab.journal import Event, History, MalformedEvent, Scope, read_journal
from lab.journal.event import SHORT, WRITTEN
from lab.journal.events import GapStarted, ListenerClosed, RequestReceived, SandboxFrozen, SocketExamined
from lab.journal.events.lab import EndsBooks, SocketBooks
from lab.journal.schema import every_kind, schema_text
from lab.journal.vocabulary import KINDS, Happening, event_of, read

RECORDED = Path(__file__).parents[1] / "data" / "run" / "journal.jsonl"
"""Of thawlab 0.1."""
FROZEN = Event(1.0, "sandbox", "frozen", Scope("s", "a", 1), {"sandbox": "sb", "confirmed": True, "switches": 3})


@pytest.fixture(scope="module")
def published() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(schema_text()))


def test_a_kind_is_named_after_its_class() -> None:
    for kind in every_kind():
        spelled = "".join(word.capitalize() for word in kind.spellings[0].split("-"))
        assert kind.__name__ in (spelled, kind.source.capitalize() + spelled)


def test_stretches_of_time_begin_and_end_alike() -> None:
    for ended, began in (("finished", "started"), ("closed", "opened")):
        both = {(kind.source, kind.spellings[0]) for kind in every_kind()}
        for source, name in both:
            subject, _, verb = name.rpartition("-")
            if verb == ended and source != "client":  # a request of the function is told when it has ended
                assert (source, f"{subject}-{began}") in both


def test_what_is_recorded_is_read_back() -> None:
    books = EndsBooks(SocketBooks(unacked_bytes=12), None)
    said = SocketExamined(wake=1, sandbox="sb", connection=1, client="ESTABLISHED", upstream="CLOSE", info=books)
    event = said.event(5.0, Scope("s", "a", 1))
    again = Event.from_json(event.to_json())
    assert read(again) == replace(said, t=5.0)


def test_what_has_a_default_is_left_out_while_it_has_it() -> None:
    assert ListenerClosed().data() == {}
    assert ListenerClosed(tap_lost=2).data() == {"tap_lost": 2}


def test_a_kind_of_a_later_version_is_no_problem() -> None:
    later = replace(FROZEN, kind="photographed")
    assert read(later) is None
    assert History([later, FROZEN]).problems == ()
    assert SandboxFrozen.of(later) is None


def test_a_field_of_a_later_version_is_ignored() -> None:
    later = replace(FROZEN, data={**FROZEN.data, "temperature": -4})
    assert SandboxFrozen.of(later) == SandboxFrozen(t=1.0, sandbox="sb", confirmed=True, switches=3)


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        ({"confirmed": True, "switches": 3}, "has no `sandbox`"),
        ({"sandbox": "sb", "confirmed": "yes", "switches": 3}, "has a wrong `confirmed`"),
        ({"sandbox": "sb", "confirmed": 1, "switches": 3}, "has a wrong `confirmed`"),
        ({"sandbox": "sb", "confirmed": True, "switches": -3}, "has a wrong `switches`"),
        ({"sandbox": "sb", "confirmed": True, "switches": 3.0}, "has a wrong `switches`"),
        ({"sandbox": None, "confirmed": True, "switches": 3}, "has a wrong `sandbox`"),
    ],
)
def test_a_damaged_event_is_named_with_file_and_line(data: dict[str, object], wrong: str) -> None:
    damaged = replace(FROZEN, data=data, place="journal.jsonl:7")
    with pytest.raises(MalformedEvent, match=f"^journal.jsonl:7: `sandbox frozen` {wrong}"):
        read(damaged)
    history = History([damaged, FROZEN])
    assert len(history.problems) == 1
    assert len(history.all(SandboxFrozen)) == 1


def test_a_nested_value_is_checked_too() -> None:
    info = {"client": {"unacked_bytes": "many"}, "upstream": None}
    said = SocketExamined(wake=1, sandbox="sb", connection=1, client="CLOSE", upstream="CLOSE", info=None)
    event = said.event(1.0, Scope())
    with pytest.raises(MalformedEvent, match=r"info\.client\.unacked_bytes"):
        read(replace(event, data={**event.data, "info": info}))


def test_what_an_older_journal_does_not_say_is_not_asked() -> None:
    older = replace(FROZEN, data={"sandbox": "sb", "confirmed": True})
    assert SandboxFrozen.of(older) == SandboxFrozen(t=1.0, sandbox="sb", confirmed=True, switches=None)
    with pytest.raises(MalformedEvent, match="has no `switches`"):
        read(replace(older, version=2))


def test_a_journal_states_its_version(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    first = Event(0.0, "lab", "run-started", data={"journal": "thawlab.journal/2"})
    path.write_text(f"{first.to_json()}\n{FROZEN.to_json()}\n")
    assert [event.version for event in read_journal(path)] == [2, 2]
    assert {event.version for event in read_journal(RECORDED)} == {1}


def test_a_journal_of_0_1_is_read_without_a_problem() -> None:
    events = read_journal(RECORDED)
    assert not History(events).problems
    assert all(read(event) is not None for event in events)


def test_reader_and_schema_agree(published: jsonschema.Draft202012Validator) -> None:
    gap = GapStarted(number=1, duration=360, real=0.36, frozen=True)
    whole = json.loads(gap.event(1.0, Scope("s", "a", 1)).to_json())
    published.validate(whole)
    for name in whole["data"]:
        damaged = {**whole, "data": {key: value for key, value in whole["data"].items() if key != name}}
        assert not published.is_valid(damaged)
        with pytest.raises(MalformedEvent):
            read(Event.from_json(json.dumps(damaged)))


def test_the_schema_knows_every_field() -> None:
    definitions = json.loads(schema_text())["$defs"]
    for kind in every_kind():
        assert list(definitions[kind.__name__]["properties"]) == [f.name for f in fields(kind) if f.name != "t"]
    assert "unit" in json.dumps(definitions["GapStarted"]["properties"]["real"])
    assert definitions["RequestReceived"]["required"][-1] == "tls"
    assert "tls" in RequestReceived.newer


def test_a_kind_is_registered_where_it_is_defined() -> None:
    @event_of("link", was="slowed-down")
    class LinkSlowed(Happening):
        """A test."""

        percent: int

    try:
        assert LinkSlowed.spellings == ("slowed", "slowed-down")
        assert KINDS["link", "slowed"] is KINDS["link", "slowed-down"] is LinkSlowed
        line = LinkSlowed(percent=3).event(1.0, Scope()).to_json()
        assert json.loads(line)["kind"] == "slowed"
        assert Event.from_json(line) == Event.from_json(line.replace("slowed", "slowed-down"))
        assert LinkSlowed.of(LinkSlowed(percent=3).event(1.0, Scope())) == LinkSlowed(t=1.0, percent=3)
    finally:
        del event_of.__globals__["_KINDS"]["link", "slowed"]
        del event_of.__globals__["_KINDS"]["link", "slowed-down"]
        del WRITTEN["link", "slowed-down"], SHORT["link", "slowed"]
