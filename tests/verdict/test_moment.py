"""The moment, the length and the cause of a gap are part of the proof."""

from dataclasses import replace

import pytest

from lab.journal import Event
from lab.verdict.guard import guard_of, proofs_of
from lab.verdict.results import Guard
from lab.verdict.stale import ended_as_stated
from tests.verdict.events import Change, arm_of, changed, event, facts, scenario, setting_of


def guard(*changes: Change) -> Guard:
    story = scenario()
    seen = facts(*changes)
    return guard_of(proofs_of(arm_of(story), setting_of(story), seen, None), seen)


def test_the_honest_run_owes_nothing() -> None:
    assert guard().missing == ()


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        (changed("gave-up", t=1.05), "timely"),
        (changed("gave-up", t=3.505), "fault_delivered"),
        (changed("frozen", t=3.1), "timely"),
        (changed("thawed", switches=72), "frozen_throughout"),
        (changed("frozen", confirmed=False), "frozen_throughout"),
        (changed("gap-started", t=1.2), "full_gap"),
        (changed("gave-up", why="restart"), "cause_as_stated"),
        (changed("gave-up", why="gateway"), "cause_as_stated"),
        (changed("gave-up", mode="rst"), "cause_as_stated"),
        (changed("late-data", t=3.46), "reused_connection"),
        (changed("tcp-state", client="CLOSE-WAIT"), "client_tcp_state"),
        (changed("tcp-state", upstream="FIN-WAIT-1"), "fault_delivered"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_happened_at_another_moment_proves_nothing(change: Change, missing: str) -> None:
    assert missing in guard(change).missing


def test_a_connection_that_ended_before_its_answer_came_back_is_early() -> None:
    """An idle timeout of a few milliseconds can be over before the function has its answer."""
    seen = facts(changed("gave-up", t=0.985))
    assert [stale.connection for stale in seen.untimely] == [1]


def test_a_connection_that_ends_while_another_one_is_used_is_not_the_gaps() -> None:
    """It was idle through a whole invocation: no gap had to do with its end."""
    later = (
        event(3.9, "lab", "gap-started", number=2, duration=360.0, real=2.4, frozen=True),
        event(6.4, "lab", "gap-ended", number=2),
        event(6.5, "sandbox", "thawed", sandbox="sb-1", was_frozen=True, switches=70),
    )
    seen = facts(changed("gave-up", t=3.6), extra=later)
    assert not seen.stale


def test_a_journal_of_0_1_is_not_asked_for_what_it_did_not_take() -> None:
    """It counts no context switches."""

    def strip(each: Event) -> Event:
        return replace(each, data={key: value for key, value in each.data.items() if key != "switches"})

    assert all(gap.still for gap in facts(strip).gaps)
    assert not all(gap.still for gap in facts(changed("thawed", switches=71)).gaps)


@pytest.mark.parametrize(
    ("upstream", "why", "mode", "stated"),
    [
        ("{idle_timeout: 300s, close: rst}", "idle timeout", "rst", True),
        ("{idle_timeout: 300s, close: rst}", "idle timeout", "vanish", False),
        ("{idle_timeout: 10m, close: rst, gateway_timeout: 350s}", "gateway", "vanish", True),
        ("{idle_timeout: 10m, close: rst, gateway_timeout: 350s}", "gateway", "rst", False),
        ("{max_age: 350s, close: fin}", "max age", "fin", True),
        ("{max_age: 350s, close: fin}", "idle timeout", "fin", False),
    ],
)
def test_the_cause_is_the_one_that_is_stated(upstream: str, why: str, mode: str, stated: bool) -> None:
    seen = facts(changed("gave-up", why=why, mode=mode))
    (stale,) = seen.stale
    assert ended_as_stated(setting_of(scenario(upstream=upstream)), stale) is stated


def test_where_links_lose_packets_a_lost_close_may_vanish() -> None:
    (stale,) = facts().stale
    lost = scenario(upstream="{idle_timeout: 300s, close: rst}", link="lost")
    assert ended_as_stated(setting_of(lost), stale)


@pytest.mark.parametrize(("why", "stated"), [("restart", True), ("idle timeout", False)])
def test_a_restart_is_not_an_idle_timeout(why: str, stated: bool) -> None:
    """The gap is shorter than the idle timeout: what closed in place of the restart proves nothing."""
    story = scenario(
        upstream="{idle_timeout: 10m, close: rst}", timeline="[invoke, freeze: 3m, restart: rst, freeze: 3m, invoke]"
    )
    (stale,) = facts(changed("gave-up", why=why, mode="rst")).stale
    assert ended_as_stated(setting_of(story), stale) is stated
