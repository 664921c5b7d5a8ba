"""A sweep: its interval, its samples, and what it is worth when nothing goes stale."""

from pathlib import Path

import pytest

from lab.report.run import curve
from lab.scenario.load import Named
from lab.scenario.words import Rate
from lab.verdict.curve import doubt, has_shape, wilson
from lab.verdict.results import Results, SweepPoint, SweepResult
from tests.backends.delegating import Wrap
from tests.run.sabotage import harmless
from tests.run.support import results_of, run, write

STORY = """\
title: A test
question: Does it?
story: s
look_at: l
upstream: {faults: [{at: request-head, do: fin, requests: [2]}]}
timeline: [invoke, wait: 10s, invoke]
arms:
  - {name: bug, role: bug, title: The bug, expect: {outcome: eof}}
sweep:
  title: A curve
  gaps: [1s, 5s, 15s]
  samples: 4
  change: {upstream: {idle_timeout: 5s, close: fin, faults: []}, speed: 20}
"""


async def swept(named: Named, folder: Path, wrap: Wrap = lambda backend: backend) -> tuple[Results, SweepResult]:
    results = results_of(named, await run(named, folder, wrap=wrap, repeats=2))
    sweep = results.scenarios[0].sweep
    assert sweep is not None
    return results, sweep


@pytest.mark.parametrize(
    ("failed", "total", "low", "high"),
    # From the closed form in Wilson (1927), as tables of it have them.
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (1, 20, 0.0089, 0.2361)],
)
def test_the_interval_of_a_rate(failed: int, total: int, low: float, high: float) -> None:
    assert wilson(failed, total) == pytest.approx((low, high), abs=0.0001)


async def test_a_sweep_states_its_rate_from_never_to_always(tmp_path: Path) -> None:
    results, sweep = await swept(write(tmp_path, STORY), tmp_path)
    assert sweep.verdict == "pass", sweep.why
    assert results.verdict == "pass"
    assert sweep.idle_limit == 5
    first, last = sweep.points[0], sweep.points[-1]
    assert (first.gap, first.rate) == (1, 0)
    assert (last.gap, last.rate) == (15, 1)
    # A row for each gap, once for all repeats; a sample after a failure has a connection of its own as well.
    assert [point.gap for point in sweep.points] == [1, 5, 15]
    assert [point.samples for point in sweep.points] == [4, 4, 4]
    assert "none of 4 requests failed" in sweep.why


async def test_a_sweep_over_an_upstream_that_closes_nothing_proves_nothing(tmp_path: Path) -> None:
    results, sweep = await swept(write(tmp_path, STORY), tmp_path, harmless)
    assert sweep.verdict == "inconclusive"
    assert results.verdict == "inconclusive"
    assert not any(point.failed for point in sweep.points)


async def test_a_client_that_looks_at_its_socket_never_fails(tmp_path: Path) -> None:
    looking = STORY.replace("gaps: [1s, 5s, 15s]", "gaps: [1s, 15s]\n  shape: never")
    looking = looking.replace("change: {upstream", "change: {function: {client: urllib3}, upstream")
    _, sweep = await swept(write(tmp_path, looking), tmp_path)
    assert sweep.verdict == "pass", sweep.why
    assert [(point.samples, point.failed) for point in sweep.points] == [(4, 0), (4, 0)]


async def test_a_curve_of_another_shape_than_stated_fails(tmp_path: Path) -> None:
    _, sweep = await swept(write(tmp_path, STORY.replace("samples: 4", "samples: 4\n  shape: never")), tmp_path)
    assert sweep.verdict == "fail"
    assert "The curve must be never, but after 15s requests always fail." in sweep.why


def curve_of(*failed: int) -> list[SweepPoint]:
    """One a gap, four samples each."""
    return [
        SweepPoint(gap=gap, samples=4, failed=count, rate=count / 4, low=0.0, high=1.0)
        for gap, count in enumerate(failed, start=1)
    ]


@pytest.mark.parametrize(
    ("shape", "failed", "fits"),
    [
        ("never-always", (0, 0, 4), True),
        ("never-always", (0, 1, 0, 4, 3, 4), True),
        ("never-always", (0, 0, 0), False),
        ("never-always", (4, 4), False),
        ("never-sometimes-never", (0, 1, 0), True),
        ("never-sometimes-never", (0, 4, 0, 2, 0), True),
        ("never-sometimes-never", (0, 0, 0), False),
        ("never-sometimes-never", (0, 1, 4), False),
        ("never", (0, 0), True),
        ("never", (0, 1), False),
        ("always", (4, 4), True),
        ("sometimes", (0, 1, 4), True),
        ("sometimes", (0, 0), False),
    ],
)
def test_the_shape_of_a_curve(shape: str, failed: tuple[int, ...], fits: bool) -> None:
    words: tuple[Rate, ...] = tuple(shape.split("-"))  # type: ignore[arg-type]  # words of the file
    assert has_shape(words, curve_of(*failed)) is fits
    assert (doubt(words, curve_of(*failed)) is None) is fits


def test_an_end_of_another_kind_is_a_failure_and_a_race_that_was_not_met_is_not() -> None:
    gone = doubt(("never", "always"), curve_of(0, 0, 0))
    assert gone is not None
    assert gone.verdict == "fail"
    missed = doubt(("never", "sometimes", "never"), curve_of(0, 0, 0))
    assert missed is not None
    assert missed.verdict == "inconclusive"


async def test_a_failure_that_the_upstream_knows_nothing_of_is_not_counted_as_a_race(tmp_path: Path) -> None:
    # The fault strikes requests in use; no connection is given up for being idle.
    text = STORY.replace("close: fin, faults: []", "close: fin, faults: [{at: request-head, do: fin, requests: [2]}]")
    _, sweep = await swept(write(tmp_path, text), tmp_path)
    assert sweep.verdict == "inconclusive"
    assert "had not given up" in sweep.why


async def test_a_chosen_arm_runs_without_the_sweep(tmp_path: Path) -> None:
    named = write(tmp_path, STORY)
    results = results_of(named, await run(named, tmp_path, arms=("bug",)))
    assert results.scenarios[0].sweep is None


def test_the_curve_stands_at_its_rates() -> None:
    three = tuple(
        SweepPoint(gap=gap, samples=4, failed=failed, rate=failed / 4, low=0.1, high=0.9)
        for gap, failed in ((1.0, 0), (5.0, 2), (15.0, 4))
    )
    drawn = curve.draw(SweepResult(title="t", idle_limit=5.0, points=three, verdict="pass", why="w"))
    heights = [dot.y for dot in drawn.dots]
    assert heights == sorted(heights, reverse=True), "the more failed, the higher"
    assert heights[1] == pytest.approx((heights[0] + heights[2]) / 2, abs=0.1)
    assert drawn.limit == drawn.dots[1].x
    assert list(curve.markdown(SweepResult(title="t", idle_limit=5.0, points=three, verdict="pass", why="w")))[3] == (
        "| 5s | 2/4 | 50% | 10 to 90% |"
    )
