"""The story of an arm in words, and the lab's clock."""

import pytest

from lab.journal import Event, Scope, Source
from lab.report.run.clock import LabClock
from lab.report.run.timeline import moments
from tests.journal.ordinary import ordinary
from tests.report.sample import Tape, journal

ARM = Scope("seed-reset", "bug", 1)


def sentences(events: tuple[Event, ...] | list[Event]) -> list[str]:
    return [f"{moment.lane}: {moment.text}" for moment in moments(events)]


def test_the_bug_in_words() -> None:
    (late,) = (event for event in journal("bug") if event.kind == "late-data")
    assert sentences(journal("bug")) == [
        "sandbox: cold start",
        "connection: connection 1 opened",
        "upstream: executed the request",
        "sandbox: POST on new connection 1 → ok",
        "sandbox: frozen (kernel: stopped)",
        "upstream: gave up connection 1 (vanish in place of a lost rst, TCP_REPAIR: nothing sent)",
        "connection: client's socket: ESTABLISHED (upstream's: CLOSE)",
        "sandbox: thawed",
        f"connection: {late['bytes']} bytes came on given-up connection 1",
        "sandbox: POST on reused connection 1 → reset",
    ]


def test_what_the_kernels_have_in_their_books_is_told_where_it_is_not_nothing() -> None:
    tape = Tape(ARM)
    tape.open(1, 1)
    quiet = {"unacked_bytes": 0, "retransmits": 0, "probes": 0, "last_data_sent_ms": 12}
    busy = {"unacked_bytes": 1, "retransmits": 2, "probes": 0}
    ends = {"connection": 1, "client": "ESTABLISHED", "upstream": "FIN-WAIT-1"}
    tape.at(10, "lab", "tcp-state", **ends, info={"client": quiet, "upstream": busy})
    tape.at(20, "lab", "tcp-state", **ends | {"upstream": "CLOSE"}, info={"client": None, "upstream": None})
    tape.at(21, "invocation", "failed", request_id="i-1", sandbox="s-1")
    told = [sentence for sentence in sentences(tape.events) if "socket" in sentence]
    assert told == [
        "connection: client's socket: ESTABLISHED "
        "(upstream's: FIN-WAIT-1, 1 bytes not acknowledged, 2 segments sent again)",
        "connection: client's socket: ESTABLISHED (upstream's: CLOSE)",
    ]


def test_a_retry_names_both_connections() -> None:
    assert "sandbox: POST on reused connection 1, then on new connection 2 → ok" in sentences(journal("retry-fresh"))


def test_a_gap_without_a_freeze_is_told() -> None:
    told = sentences(journal("never-frozen"))
    assert "sandbox: idle for 6m, not frozen" in told
    assert not any("frozen (" in sentence or "thawed" in sentence for sentence in told)


def test_a_connection_that_the_client_closed_is_told_once() -> None:
    told = sentences(journal("close-after"))
    assert told.count("connection: connection 1 closed by the client") == 1
    assert "sandbox: POST on new connection 2 → ok" in told


def test_the_lab_clearing_away_is_left_out_but_late_data_is_not() -> None:
    tape = Tape(ARM)
    tape.open(1, 1)
    tape.tell(0.5, 2, "timeout", (1,), 1)
    tape.at(50, "upstream", "late-data", connection=1, bytes=7, seen_by="socket")
    tape.at(60, "sandbox", "stopped", sandbox="s-1", exit=-9)
    assert sentences(tape.events)[1:] == [
        "sandbox: POST on new connection 1 → timeout",
        "connection: 7 bytes came on given-up connection 1",
    ]


def test_a_sandbox_that_dies_is_told_with_its_exit() -> None:
    tape = Tape(ARM)
    tape.at(0, "sandbox", "started", sandbox="s-1")
    tape.at(5, "sandbox", "stopped", sandbox="s-1", exit=-11)
    tape.at(6, "invocation", "failed", request_id="i-1", error_type="Runtime.ExitError")
    assert sentences(tape.events) == [
        "sandbox: cold start",
        "sandbox: stopped (exit -11)",
        "sandbox: the invocation failed",
    ]


@pytest.mark.parametrize(
    ("during", "when"),
    [("idle", "before its next invocation"), ("answered", "after its answer"), ("invocation", "in an invocation")],
)
def test_a_runtime_that_ends_by_itself_is_told_once_and_also_after_the_last_answer(during: str, when: str) -> None:
    tape = Tape(ARM)
    tape.at(0, "sandbox", "started", sandbox="s-1")
    tape.at(5, "invocation", "returned", request_id="i-1", sandbox="s-1", payload=None)
    tape.at(6, "sandbox", "crashed", sandbox="s-1", exit=1, during=during)
    tape.at(7, "sandbox", "stopped", sandbox="s-1", exit=1)
    assert sentences(tape.events)[1:] == [f"sandbox: the runtime ended by itself (exit 1), {when}"]


def test_sandboxes_are_numbered_where_there_are_two() -> None:
    tape = Tape(ARM)
    tape.at(0, "sandbox", "started", sandbox="a")
    tape.at(5, "sandbox", "stopped", sandbox="a", exit=0)
    tape.at(6, "sandbox", "started", sandbox="b")
    assert sentences(tape.events) == [
        "sandbox: cold start, sandbox 1",
        "sandbox: stopped, sandbox 1 (exit 0)",
        "sandbox: cold start, sandbox 2",
    ]


def test_a_port_that_served_two_connections_means_the_later_one() -> None:
    tape = Tape(ARM)
    for ms, number in ((0, 1), (10, 2)):
        tape.at(ms, "upstream", "connection-opened", connection=number, peer_port=40000)
    times = {"started": tape.clock(9), "ended": tape.clock(12)}
    attempts = [{"local_port": 40000, "reused": False}]
    tape.at(13, "client", "request", method="POST", outcome="ok", attempts=attempts, **times)
    assert sentences(tape.events)[-1] == "sandbox: POST on new connection 2 → ok"


@pytest.mark.parametrize(
    ("source", "kind", "data", "sentence"),
    [
        ("sandbox", "frozen", {"confirmed": False}, "sandbox: frozen (the kernel did not say stopped)"),
        ("sandbox", "thawed", {"was_frozen": False}, "sandbox: thawed (had not stayed frozen)"),
        ("upstream", "executed", {"executions": 2}, "upstream: executed the request for the second time"),
        ("upstream", "replayed", {}, "upstream: answered from its record, without a second execution"),
        (
            "upstream",
            "late-close",
            {"connection": 3, "how": "rst"},
            "connection: client closed given-up connection 3 (RST)",
        ),
        (
            "upstream",
            "gave-up",
            {"connection": 1, "mode": "fin", "how": "close"},
            "upstream: gave up connection 1 (fin, FIN sent)",
        ),
        ("link", "cut", {}, "connection: link cut: packets are lost both ways"),
        ("link", "lifted", {}, "connection: link lifted: packets pass again"),
        ("lab", "trouble", {"what": "no \x1b[31m answer"}, "lab: trouble: no \N{REPLACEMENT CHARACTER}[31m answer"),
    ],
)
def test_single_events(source: Source, kind: str, data: dict[str, object], sentence: str) -> None:
    assert sentences([ordinary(1.0, source, kind, ARM, data)]) == [sentence]


def test_no_events_no_moments() -> None:
    assert moments(()) == []


def test_times_are_real_and_lab() -> None:
    events = journal("bug")
    gave_up = next(moment for moment in moments(events) if "gave up" in moment.text)
    times = {event.kind: event.t - events[0].t for event in events}
    (gap,) = (event for event in events if event.kind == "gap-started")
    assert gave_up.t == pytest.approx(times["gave-up"])
    # Until the gap at the pace of real time, then as fast as the gap says.
    into_the_gap = (times["gave-up"] - times["gap-started"]) * gap["duration"] / gap["real"]
    assert gave_up.lab == pytest.approx(times["gap-started"] + into_the_gap, rel=0.05)


def test_a_lab_clock_runs_fast_in_gaps_only() -> None:
    tape = Tape(ARM, start=100.0)
    tape.at(0, "lab", "arm-started")
    for ms in (1000, 3000):
        tape.at(ms, "lab", "gap-started", duration=60.0, real=0.6, frozen=True)
        tape.at(ms + 600, "lab", "gap-ended")
    clock = LabClock.of(tape.events)
    seen = [clock.lab(100.0 + ms / 1000) for ms in (0, 1000, 1300, 1600, 2600, 3600, 4600)]
    assert seen == pytest.approx([0, 1, 31, 61, 62, 1 + 60 + 1.4 + 60, 1 + 60 + 1.4 + 60 + 1])


def jumping_gap(total: float, *, of: float) -> Tape:
    """A gap of some milliseconds, in which the upstream's timer fires on the way; the lab records after it."""
    tape = Tape(ARM)
    tape.at(0, "lab", "arm-started", epoch=1.7e9)
    tape.open(1, 1)
    tape.at(10, "lab", "gap-started", number=1, duration=of, real=of, frozen=True)
    tape.at(12, "sandbox", "frozen", sandbox="s-1", confirmed=True)
    tape.at(13, "upstream", "clock-moved", by=total - 60, total=total - 60)
    tape.at(14, "upstream", "gave-up", connection=1, mode="rst", how="linger-reset", why="idle timeout")
    tape.at(15, "lab", "time-moved", by=total - 60, total=total - 60, awake=False)
    tape.at(16, "upstream", "clock-moved", by=60, total=total)
    tape.at(17, "lab", "time-moved", by=60, total=total, awake=False)
    tape.at(18, "lab", "gap-ended", number=1)
    tape.at(20, "sandbox", "thawed", sandbox="s-1", was_frozen=True)
    tape.at(30, "invocation", "returned", request_id="r", sandbox="s-1")
    return tape


def test_a_lab_clock_jumps_where_the_upstreams_does() -> None:
    tape = jumping_gap(360.0, of=360.0)
    clock = LabClock.of(tape.events)
    assert [clock.lab(tape.clock(ms)) for ms in (12, 14, 20)] == pytest.approx([0.012, 300.014, 360.020])
    assert clock.before_a_jump(tape.clock(13)) == pytest.approx(0.013)


def test_the_jumps_of_a_gap_are_told_once_before_what_they_bring_about() -> None:
    told = [moment.text for moment in moments(jumping_gap(360.0, of=360.0).events)]
    assert told[2] == "6m pass: the clocks jump"
    assert told[3].startswith("gave up connection 1")
    assert sum("jump" in text for text in told) == 1


def test_a_gap_that_passes_in_part_in_real_time_says_so() -> None:
    told = [moment.text for moment in moments(jumping_gap(100.0, of=360.0).events)]
    assert "the clocks jump over 100.0 s of 6m" in told


def test_the_platforms_wait_before_a_retry_is_lab_time_and_is_told() -> None:
    tape = Tape(ARM)
    tape.at(0, "invocation", "failed", request_id="r", error_type="RequestFailed", message="{}")
    tape.at(1, "invocation", "retry-planned", request_id="r", attempt=2, duration=60.0, real=0.2)
    tape.at(201, "invocation", "invoked", request_id="r", cold=False)
    tape.at(211, "invocation", "failed", request_id="r", error_type="RequestFailed", message="{}")
    first, wait, second = moments(tape.events)
    assert wait.text == "the platform waits 1m before the second try of the event"
    assert second.lab - first.lab == pytest.approx(60.011)


def test_a_gap_that_never_ended_goes_on() -> None:
    tape = Tape(ARM)
    tape.at(0, "lab", "gap-started", duration=10.0, real=1.0, frozen=True)
    assert LabClock.of(tape.events).lab(tape.clock(2000)) == pytest.approx(20)


def test_what_the_lab_notes_late_is_told_before_its_effects() -> None:
    tape = Tape(ARM)
    tape.at(0, "sandbox", "started", sandbox="s-1")
    tape.open(1, 1)
    tape.at(2, "sandbox", "frozen", sandbox="s-1", confirmed=True)
    tape.at(100, "upstream", "gave-up", connection=1, mode="rst", how="linger-reset")
    tape.tell(201, 202, "reset", (1,), 2)
    tape.at(202.4, "upstream", "late-data", connection=1, bytes=226, seen_by="tap")
    tape.at(200.5, "sandbox", "thawed", sandbox="s-1", was_frozen=True)
    tape.at(206, "invocation", "returned", sandbox="s-1", payload={"sandbox": "f-1"})
    told = [(moment.text, round(moment.t * 1000, 1)) for moment in moments(tape.events)]
    assert told[-3:] == [
        ("thawed", 200.5),
        ("226 bytes came on given-up connection 1", 202),
        ("POST on reused connection 1 → reset", 202),
    ]


def test_late_bytes_of_another_connection_keep_their_time() -> None:
    tape = Tape(ARM)
    tape.open(1, 1)
    tape.open(2, 2)
    tape.at(100, "upstream", "gave-up", connection=1, mode="rst", how="linger-reset")
    tape.tell(201, 202, "ok", (2,), 2)
    tape.at(210, "upstream", "late-data", connection=1, bytes=1, seen_by="tap")
    assert [round(moment.t * 1000) for moment in moments(tape.events) if "bytes" in moment.text] == [209]


def test_a_request_is_told_in_the_sandbox_that_answered() -> None:
    tape = Tape(ARM)
    for ms, name, own in ((0, "a", "f-1"), (20, "b", "f-2")):
        tape.at(ms, "sandbox", "started", sandbox=name)
        times = {"started": tape.clock(ms + 2), "ended": tape.clock(ms + 3)}
        tape.at(ms + 3, "client", "request", method="GET", outcome="ok", sandbox=own, **times)
        tape.at(ms + 4, "invocation", "returned", sandbox=name, payload={"sandbox": own})
    assert [moment.sandbox for moment in moments(tape.events) if "GET" in moment.text] == ["a", "b"]
