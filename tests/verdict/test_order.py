"""A journal that does not hold together proves nothing: joined, edited, re-ordered or without what it has to say."""

from dataclasses import replace

import pytest

from lab.journal import Event
from lab.scenario.steps.recycle import Recycle
from lab.verdict.order import disorder
from tests.verdict.events import Change, bug, changed, event, facts, scenario, setting_of, told, without


def against(*changes: Change, extra: tuple[Event, ...] = ()) -> list[str]:
    return list(disorder(setting_of(scenario()), facts(*changes, extra=extra)))


def second(kind: str) -> Event:
    return [each for each in bug() if each.kind == kind][-1]


def later(kind: str, by: float) -> Event:
    """The last event of a kind once more."""
    return replace(second(kind), t=second(kind).t + by)


def no_field(kind: str, name: str) -> Change:
    def change(each: Event) -> Event:
        if each.kind != kind or each.source == "client":
            return each
        return replace(each, data={key: value for key, value in each.data.items() if key != name})

    return change


def only_last(kind: str, t: float) -> Change:
    last = second(kind)
    return lambda each: replace(each, t=t) if each == last else each


def test_an_honest_run_holds_together() -> None:
    assert against() == []


DAMAGES: list[tuple[tuple[Change, ...], tuple[Event, ...], str]] = [
    ((), (later("gave-up", 0.1),), "the same `upstream gave-up` 2 times"),
    ((), (second("late-data"),), "one event, `upstream late-data`, 2 times"),
    ((), (later("arm-started", 0.1),), "the same `lab arm-started` 2 times"),
    ((), (event(-1.0, "invocation", "invoked", request_id="i-0", sandbox="sb-1"),), "before the run began"),
    ((), (event(9.0, "invocation", "event-unsent", request_id="i-9"),), "after the run had ended"),
    ((changed("arm-started", link="lost"),), (), "set out to run with link lost"),
    ((changed("arm-started", attempt=2),), (), "attempt 2 as attempt 1"),
    ((no_field("told", "preset"),), (), "does not say its preset"),
    ((no_field("arm-started", "speed"),), (), "does not say its speed"),
    ((changed("connection-opened", t=0.965),), (), "before it was opened"),
    ((changed("request", "upstream", number=2),), (), "is not in its place"),
    ((changed("executed", t=0.955),), (), "before the request"),
    ((changed("gave-up", t=2.0),), (), "ended by its idle timeout after only 1.020 s"),
    ((changed("gave-up", idle_s=2.5),), (), "but the upstream says 2.500 s"),
    ((changed("gap-started", number=2), changed("gap-ended", number=2)), (), "the gaps are numbered 2"),
    ((changed("gap-started", t=0.5),), (), "an invocation was under way in gap 1"),
    ((changed("frozen", sandbox="sb-2"),), (), "sandbox sb-1 was not frozen in gap 1"),
    ((), (event(2.0, "sandbox", "thawed", sandbox="sb-1", switches=70),), "a sandbox was thawed in gap 1"),
    ((), (later("frozen", 0.1),), "a sandbox was frozen twice in a row"),
    ((), (told("story/bug#1-0", 0.92, 0.93, "reset", reused=False),), "2 requests had ended before gap 1"),
    ((changed("request", "upstream", t=1.2),), (), "came at another time than the function says"),
    ((), (event(1.2, "link", "cut"),), "the link was cut"),
    ((), (event(0.97, "upstream", "fault", at="executed", do="rst", connection=1, number=1),), "that is not stated"),
    ((without("gave-up"),), (), "to which the upstream had done nothing"),
    ((), (later("invoked", 0.001),), "an invocation was made 2 times"),
    ((), (later("event-sent", 0.001),), "an event was sent 2 times"),
    ((changed("event-sent", sandbox="sb-2"),), (), "an invocation was in two sandboxes"),
    ((without("thawed"),), (), "a sandbox that was frozen answered"),
    ((only_last("told", 3.54), changed("request", "client", ended=9.0)), (), "ended at two moments"),
    ((changed("invoked", t=3.51),), (), "outside its invocations"),
    ((), (event(2.0, "upstream", "listener-down", how="rst"),), "the journal has 1 `listener-down`, but 0 are stated"),
]


@pytest.mark.parametrize(("changes", "extra", "expected"), DAMAGES)
def test_a_damage_is_seen(changes: tuple[Change, ...], extra: tuple[Event, ...], expected: str) -> None:
    assert any(expected in problem for problem in against(*changes, extra=extra)), against(*changes, extra=extra)


def test_a_lost_close_needs_a_cut_link() -> None:
    lost = scenario(upstream="{idle_timeout: 300s, close: rst}", link="lost")
    reset = changed("gave-up", mode="rst")
    assert any("no link was cut" in each for each in disorder(setting_of(lost), facts(reset)))
    cut = event(1.2, "link", "cut")
    assert not any("no link was cut" in each for each in disorder(setting_of(lost), facts(reset, extra=(cut,))))


def test_a_recycled_sandbox_is_not_warm() -> None:
    setting = setting_of(scenario())
    recycled = setting.model_copy(update={"timeline": (setting.timeline[0], Recycle(), setting.timeline[-1])})
    assert any("a warm start followed" in each for each in disorder(recycled, facts()))
