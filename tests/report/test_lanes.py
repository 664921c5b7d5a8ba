"""Lanes in seconds, and their drawing in pixels."""

from itertools import pairwise

import pytest

from lab.journal import Event, Scope
from lab.report.run.drawing import LABEL_WIDTH, MOST_ROWS, RADIUS, draw
from lab.report.run.lanes import Lanes, Phase, lanes
from tests.golden.jumping import jumping
from tests.report.sample import Tape, journal

ARMS = ["bug", "frozen-below", "never-frozen", "close-after", "retry-fresh", "look-first"]
ARM = Scope("seed-reset", "bug", 1)


def bands(events: tuple[Event, ...], row: str) -> list[tuple[str, float, float]]:
    return [(b.kind, round(b.start * 1000, 1), round(b.end * 1000, 1)) for b in lanes(events).bands if b.row == row]


def when(events: tuple[Event, ...], kind: str, number: int = 0) -> float:
    """Real milliseconds from the first event to one of a kind."""
    return round(([event.t for event in events if event.kind == kind][number] - events[0].t) * 1000, 1)


def test_the_bands_of_the_bug() -> None:
    events = journal("bug")
    frozen, thawed, gone = (when(events, kind) for kind in ("frozen", "thawed", "gave-up"))
    found = bands(events, "sandbox")
    assert [kind for kind, *_ in found] == ["starting", "running", "frozen", "running"]
    assert found[0][1:] == (when(events, "started"), when(events, "ready"))
    assert found[2][1:] == (frozen, thawed)
    opened, idle, dead = bands(events, "connection 1")
    assert opened == ("open", when(events, "connection-opened"), when(events, "idle"))
    assert idle == ("idle", when(events, "idle"), gone)
    assert dead[:2] == ("given up", gone)
    assert bands(events, "upstream") == [("request", when(events, "request"), when(events, "response"))]


def test_a_closed_connection_has_no_band_after_its_close() -> None:
    events = journal("close-after")
    assert bands(events, "connection 1")[-1][2] == when(events, "connection-closed")
    assert bands(events, "connection 2")[0][:2] == ("open", when(events, "connection-opened", 1))


def test_the_upstreams_own_close_does_not_end_a_given_up_band_and_the_clients_does() -> None:
    tape = Tape(ARM)
    tape.open(0, 1)
    tape.at(10, "upstream", "gave-up", connection=1, mode="fin", how="close")
    tape.at(11, "upstream", "connection-closed", connection=1, by="upstream")
    tape.at(20, "upstream", "late-close", connection=1, how="fin")
    tape.at(30, "invocation", "returned")
    assert bands(tuple(tape.events), "connection 1") == [("open", 0, 10), ("given up", 10, 20)]


def test_marks_are_the_moments_in_their_rows() -> None:
    found = lanes(journal("bug"))
    assert [(mark.number, mark.row) for mark in found.marks] == [
        (1, "sandbox"),
        (2, "connection 1"),
        (3, "upstream"),
        (4, "sandbox"),
        (5, "sandbox"),
        (6, "upstream"),
        (7, "connection 1"),
        (8, "sandbox"),
        (9, "connection 1"),
        (10, "sandbox"),
    ]


def test_phases_follow_each_other_and_know_lab_time() -> None:
    phases = lanes(journal("bug")).phases
    assert [phase.title for phase in phases] == ["cold start", "invocation", "frozen 6m", "invocation"]
    assert all(before.end == after.start for before, after in pairwise(phases))
    assert phases[2].lab_rate == pytest.approx(360 / 2.4, rel=0.1)
    assert phases[3].lab_rate == pytest.approx(1)


def test_two_sandboxes_have_a_row_each() -> None:
    tape = Tape(ARM)
    for ms, name in ((0, "a"), (20, "b")):
        tape.at(ms, "sandbox", "started", sandbox=name)
        tape.at(ms + 5, "sandbox", "ready", sandbox=name)
        tape.at(ms + 10, "sandbox", "stopped", sandbox=name, exit=0)
    tape.at(40, "invocation", "returned")
    found = lanes(tape.events)
    assert found.rows == ("sandbox 1", "sandbox 2", "upstream")
    assert bands(tuple(tape.events), "sandbox 2") == [("starting", 20, 25), ("running", 25, 30)]


def test_nothing_happened_nothing_drawn() -> None:
    assert draw(lanes(())) is None
    assert draw(lanes([Event(1.0, "lab", "arm-started", ARM)])) is None


@pytest.mark.parametrize("arm", ARMS)
def test_a_drawing_keeps_within_its_bounds(arm: str) -> None:
    drawing = draw(lanes(journal(arm)))
    assert drawing is not None
    for box in drawing.boxes:
        assert box.x >= LABEL_WIDTH
        assert box.x + box.width <= drawing.width
        assert 0 < box.y < drawing.height
    for dot in drawing.dots:
        assert LABEL_WIDTH <= dot.x <= drawing.width - RADIUS


@pytest.mark.parametrize("arm", ARMS)
def test_marks_of_a_row_do_not_hide_each_other(arm: str) -> None:
    drawing = draw(lanes(journal(arm)))
    assert drawing is not None
    for y in {dot.y for dot in drawing.dots}:
        row = sorted(dot.x for dot in drawing.dots if dot.y == y)
        assert all(after - before >= 2 * RADIUS for before, after in pairwise(row))


def test_the_axis_says_real_and_lab_time() -> None:
    events = journal("bug")
    drawing = draw(lanes(events))
    assert drawing is not None
    major = [(tick.real, tick.lab) for tick in drawing.ticks if tick.major]
    assert len(major) == 5
    assert major[0] == ("0 ms", "0 s")
    assert major[1][0] == f"{when(events, 'event-sent'):g} ms"
    assert major[2][0] == f"{when(events, 'gap-started'):g} ms"
    assert major[3][0] == f"{when(events, 'gap-ended'):g} ms"
    assert "300.0 s" in [tick.lab for tick in drawing.ticks if not tick.major]
    assert [tick.x for tick in drawing.ticks] == sorted(tick.x for tick in drawing.ticks)


def test_a_gap_in_which_time_jumps_is_drawn_in_lab_time() -> None:
    tape = Tape(ARM)
    tape.at(0, "sandbox", "started", sandbox="s-1")
    tape.at(1, "lab", "gap-started", number=1, duration=400.0, real=400.0, frozen=True)
    tape.at(2, "lab", "time-moved", by=300.0, total=300.0, awake=False)
    tape.open(4, 1)
    tape.at(6, "lab", "time-moved", by=100.0, total=400.0, awake=False)
    tape.at(8, "invocation", "returned")
    (gap,) = (phase for phase in lanes(tape.events).phases if phase.jumps)
    assert gap.share(gap.start) == pytest.approx(0)
    assert gap.share(0.004) == pytest.approx(0.75, abs=0.001)
    assert gap.share(gap.end) == pytest.approx(1)
    for share in (0.1, 0.5, 0.74, 0.9):  # in the middle of a jump
        lab = gap.lab_start + share * (gap.lab_end - gap.lab_start)
        assert gap.real(lab) == pytest.approx(0.002 if share < 0.75 else 0.006, abs=0.0001)
    drawing = draw(lanes(tape.events))
    assert drawing is not None
    assert [tick.x for tick in drawing.ticks] == sorted(tick.x for tick in drawing.ticks)


@pytest.mark.parametrize("arm", ARMS)
def test_a_golden_run_whose_clocks_jump_keeps_within_its_bounds(arm: str) -> None:
    drawing = draw(lanes([event for event in jumping("roles") if event.scope.arm == arm]))
    assert drawing is not None
    assert all(LABEL_WIDTH <= dot.x <= drawing.width - RADIUS for dot in drawing.dots)
    assert all(box.x >= LABEL_WIDTH and box.x + box.width <= drawing.width for box in drawing.boxes)
    assert any("and a jump of" in box.tip for box in drawing.boxes)


def test_a_burst_of_connections_is_cut_and_said_so() -> None:
    tape = Tape(ARM)
    for number in range(1, 101):
        tape.open(number, number)
    tape.at(200, "invocation", "returned")
    drawing = draw(lanes(tape.events))
    assert drawing is not None
    assert len(drawing.rows) == MOST_ROWS
    assert drawing.rows[-1].label == "upstream"
    assert drawing.hidden_rows == 101 - MOST_ROWS


def test_a_phase_whose_ends_are_one_number_in_lab_time_is_drawn() -> None:
    """As a damaged journal may have it: so late a time that a microsecond is lost in it."""
    phase = Phase("gap", "frozen", 1.0, 1.000001, 1e15, 1e15)
    drawing = draw(Lanes(("sandbox",), (), (), (phase,)))
    assert drawing is not None
    assert all(tick.major for tick in drawing.ticks)
