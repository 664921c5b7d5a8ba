"""The time between two invocations: it passes, packets are lost, and the upstream gives up connections."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from statistics import median

from lab.backends.base import Site
from lab.backends.waiting import poll
from lab.journal import BarrierTimeout, Event, Recorder
from lab.journal.events import GapFinished, GapStarted
from lab.plan.experiment import Experiment
from lab.run.front import FrontWatch
from lab.run.lab_time import LabTime
from lab.scenario.timeline import Idle
from upstream_server import faults

GIVE_UP_BOUND = 10.0
"""Real seconds beyond the idle timeout within which the upstream must give up an idle connection."""
ARRIVAL_BOUND = 1.0
ARRIVAL_POLL = 0.001
"""Real seconds for a close that was sent to show in the client's kernel, and between two looks at it."""

UNACKNOWLEDGED = ("FIN-WAIT-1", "CLOSING", "LAST-ACK")
"""States of an upstream's socket whose FIN has not been acknowledged: kernels take up to 40 ms for that."""

CLOSED = {"gave-up", "fault", "connection-closed"}


class IdlePeriod:
    """Starts when the sandboxes are idle (and frozen, if the gap asks for it) and ends just before the wake."""

    def __init__(self, experiment: Experiment, period: Idle, site: Site, recorder: Recorder, lab_time: LabTime) -> None:
        self._experiment = experiment
        self._period = period
        self._site = site
        self._recorder = recorder
        self._time = lab_time
        self._began = 0.0
        """On the machine's clock."""
        self._until = 0.0
        """On the experiment's clock."""
        self._front = FrontWatch(experiment, period, site.balancer, recorder)
        self._number = 1 + sum(event.kind == "gap-started" for event in recorder.events)

    def __repr__(self) -> str:
        return f"<IdlePeriod {self._number} of {self._experiment.scope}: {', '.join(map(str, self._period.steps))}>"

    async def begin(self, answered: float) -> None:
        """The gap is measured from the last answer, which is also when the upstream's idle timer starts."""
        self._began, self._until = answered, answered + self._time.moved
        started = GapStarted(
            number=self._number,
            duration=self._period.duration,
            real=self._period.duration,
            frozen=self._period.frozen,
        )
        self._recorder.record(started, t=answered)
        await self._site.link.cut()
        await self._front.begin()

    async def pass_time(self, lab_seconds: float) -> None:
        """Wait for this much time more, counted from where the last step's time ended."""
        self._until += lab_seconds
        early = _overtime(self._recorder.events) if self._experiment.setting.by_chance else 0.0
        await self._time.pass_until(self._until - early, awake=not self._period.frozen, since=self._began)

    async def end(self) -> None:
        """Wait until every connection that is to go stale has, then let packets pass again. Raises BarrierTimeout."""
        setting = self._experiment.setting
        if not setting.by_chance and self._experiment.awaits_deaths:
            doomed = [opened for opened in self._open_connections() if self._is_to_end(opened)]
            await self._wait_for_closing(doomed)
            if doomed or setting.goes_stale(self._period):
                await self._wait_for_arrival()
        await self._front.end()
        await self._site.link.lift()
        self._recorder.record(GapFinished(number=self._number))

    async def _wait_for_closing(self, connections: list[Event]) -> None:
        for connection in connections:
            await self._recorder.wait_for(
                _closing_of(connection["connection"]),
                f"the upstream to give up connection {connection['connection']}",
                GIVE_UP_BOUND,
            )

    def _is_to_end(self, opened: Event) -> bool:
        """Whether this period ends an open connection, for whatever reason."""
        setting = self._experiment.setting
        most = setting.upstream.max_age
        too_old = most is not None and self._time.at(opened.t) + most <= self._until
        return setting.ends_every(self._period) or too_old or self._ends_after_answer(opened["connection"])

    def _ends_after_answer(self, connection: int) -> bool:
        """Whether a fault of the upstream follows the answer that this connection carried last."""
        requests = [event for event in self._recorder.events if event.kind == "request" and event.source == "upstream"]
        number = sum(event["connection"] == connection for event in requests)
        rules = self._experiment.setting.faults_after_answers
        return any(rule.is_for(connection, number) and rule.first is None for rule in rules)

    def _open_connections(self) -> list[Event]:
        events = [event for event in self._recorder.events if event.source == "upstream"]
        closed = {event["connection"] for event in events if event.kind in CLOSED}
        return [e for e in events if e.kind == "connection-opened" and e["connection"] not in closed]

    async def _wait_for_arrival(self) -> None:
        """Wait until a close that was delivered shows in both kernels, which takes a moment."""
        if self._experiment.setting.link == "lost":
            return
        ended = [event for event in self._recorder.events if event.kind in ("gave-up", "fault")]
        told = {event["connection"] for event in ended if event.get("mode", event.get("do")) in faults.heard()}
        opened = [event for event in self._recorder.events if event.kind == "connection-opened"]
        awaited = [event for event in opened if event["connection"] in told]

        async def arrived() -> bool:
            ends = [both.states for both in await self._site.kernel.ends(awaited)]
            return not any(client == "ESTABLISHED" or upstream in UNACKNOWLEDGED for client, upstream in ends)

        with suppress(BarrierTimeout):  # the states are recorded before the wake, and the guard judges them
            await poll(arrived, every=ARRIVAL_POLL, within=ARRIVAL_BOUND, what="the close to arrive")


def _overtime(events: Sequence[Event]) -> float:
    """Real seconds by which requests usually start later than their gap states: the delay of the platform.

    If time alone decides, the gap that counts is the client's: from the end of one request to the start of the next.
    """
    requests = [event for event in events if (event.source, event.kind) == ("client", "request")]
    late = []
    for gap in (event for event in events if event.kind == "gap-started"):
        before = max((event["ended"] for event in requests if event["ended"] <= gap.t), default=None)
        after = min((event["started"] for event in requests if event["started"] > gap.t), default=None)
        if before is not None and after is not None:
            jumps = sum(event["by"] for event in events if event.kind == "time-moved" and before < event.t < after)
            late.append(after - before + jumps - gap["duration"])
    return max(median(late), 0.0) if late else 0.0


def _closing_of(connection: int) -> Callable[[Event], bool]:
    return lambda event: event.kind in CLOSED and event["connection"] == connection
