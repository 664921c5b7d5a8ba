"""The golden runs hold one of each kind."""

from typing import get_args

from lab.journal import SOURCES, Event
from lab.scenario.words import Role
from lab.verdict.results import Verdict
from tests.golden import RUNS, finished, journal, matrix
from tests.golden.catalogue import MATRICES, OLD
from upstream_server import faults, moments

EVERY = (*RUNS, *OLD)


def of_kind(name: str, kind: str) -> list[Event]:
    return [event for events in finished(name).events.values() for event in events if event.kind == kind]


def test_each_role_passes_somewhere_in_both_kinds_of_sandbox() -> None:
    seen = {
        (RUNS[name].sandbox, arm.role)
        for name in RUNS
        for scenario in finished(name).results.scenarios
        for arm in scenario.arms
        if arm.verdict == "pass"
    }
    assert seen == {(sandbox, role) for sandbox in ("process", "docker") for role in get_args(Role)}


def test_each_verdict_is_given_somewhere() -> None:
    seen = {arm.verdict for name in EVERY for scenario in finished(name).results.scenarios for arm in scenario.arms}
    assert seen == set(get_args(Verdict))
    kinds = {
        arm.skipped for name in EVERY for scenario in finished(name).results.scenarios for arm in scenario.arms
    } - {None}
    assert kinds == {"declared", "lacking"}


def test_connections_are_given_up_in_each_mode() -> None:
    for name in ("close-modes", "docker-close-modes"):
        modes = {event["mode"] for event in of_kind(name, "gave-up")}
        assert modes == set(faults.modes()), name


def test_a_fault_strikes_at_each_moment() -> None:
    struck = {event["at"] for event in of_kind("moments", "fault")}
    assert struck == set(moments.moments())


def test_there_is_an_event_of_each_source() -> None:
    seen = {event.source for name in EVERY for events in finished(name).events.values() for event in events}
    assert seen == set(SOURCES)


def test_one_is_of_0_1_and_passes_as_it_did() -> None:
    results = finished("from-0.1").results
    assert {arm.verdict for scenario in results.scenarios for arm in scenario.arms} == {"pass"}
    (started,) = of_kind("from-0.1", "run-started")
    assert "asked" not in started.data, "journals of 0.1 did not have it"


def test_one_was_killed_and_says_so() -> None:
    results = finished("unfinished").results
    assert results.verdict == "unfinished"
    assert {arm.verdict for arm in results.scenarios[0].arms} == {"pass", "unfinished"}


def test_the_sweep_has_its_curve() -> None:
    (scenario,) = finished("sweep").results.scenarios
    assert scenario.sweep is not None
    assert [point.rate for point in scenario.sweep.points] == [0.0, 0.0, 1.0, 1.0]


def test_every_cell_was_measured() -> None:
    for name, cells in MATRICES.items():
        assert {cell.id: cell.status for cell in matrix(name).cells} == dict.fromkeys(cells, "measured")


def test_the_journal_of_one_arm_is_found() -> None:
    kinds = [event.kind for event in journal("roles", "seed-reset", "bug")]
    assert kinds[0] == "arm-started"
    assert kinds[-1] == "arm-finished"
