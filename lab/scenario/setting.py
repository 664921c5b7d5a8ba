"""What one arm runs with: its scenario with its change applied, and what follows from that."""

from lab.scenario.parts import Balancer, FaultRule, Function, Model, Request, Upstream
from lab.scenario.timeline import Idle, Timeline, idle_periods
from lab.scenario.words import Ability, Clock, Link, Need, Wake, WakeOrder
from upstream_server import faults, moments


class Setting(Model):
    """Everything one arm needs to run: the scenario with the arm's change applied."""

    upstream: Upstream
    balancer: Balancer | None
    function: Function
    request: Request
    link: Link
    wake: Wake
    wake_order: WakeOrder
    timeline: Timeline
    clock: Clock = "runs"
    speed: float | None = None
    """Lab seconds in a real one, at most."""
    by_chance: bool = False
    """No barriers and no socket inspection during a gap: only elapsed time decides whether a connection goes stale."""

    @property
    def needs(self) -> frozenset[Need]:
        """What a machine must have to run this in a process sandbox."""
        needs: set[Need] = set()
        if self.wake == "uninterrupted" or self.clock == "stalls":
            needs.add("compiler")
        if self.upstream.vanish == "repair":
            needs.add("net-admin")
        for act in self.upstream.acts:
            needs |= faults.mode(act).needs
        if self.balancer is not None:
            needs.add(self.balancer.server)
        return frozenset(needs)

    @property
    def close_modes(self) -> frozenset[str]:
        """How idle connections may end: as stated or, if that is to be lost and no packet can be, silently."""
        close = self.upstream.close
        return frozenset({close, faults.mode(close).when_lost}) if self.link == "lost" else frozenset({close})

    @property
    def abilities(self) -> frozenset[Ability]:
        """What its timeline asks of the kind of sandbox. A link that is `lost` has a stand-in if packets cannot be."""
        return frozenset({"move-names"}) if self.moves else frozenset()

    @property
    def idle(self) -> list[Idle]:
        """The idle periods between invocations."""
        return idle_periods(self.timeline)

    @property
    def longest_gap(self) -> float:
        """Lab seconds of the longest idle period between two invocations."""
        return max((period.duration for period in self.idle), default=0.0)

    @property
    def freezes(self) -> bool:
        """Whether the sandbox is frozen in some gap."""
        return any(period.frozen for period in self.idle)

    @property
    def moves(self) -> bool:
        """Whether the upstream's name moves to another address."""
        return any(period.moves for period in self.idle)

    def goes_stale(self, period: Idle) -> bool:
        """Whether a pooled connection does not survive this stretch of the timeline."""
        return period.number in self._stale

    def ends_every(self, period: Idle) -> bool:
        """Whether no connection survives this stretch, however young it is."""
        limit = self.upstream.idle_limit
        return period.breaks or (limit is not None and period.duration > limit)

    def front_ends(self, period: Idle) -> bool:
        """Whether a balancer in front closes the function's unused connection in this period."""
        patience = self.balancer.client_timeout if self.balancer else None
        return patience is not None and period.duration > patience

    @property
    def plans_front_end(self) -> bool:
        """Whether a balancer in front closes the function's connection between two invocations."""
        return any(self.front_ends(period) for period in self.idle)

    @property
    def _stale(self) -> frozenset[int]:
        """The stretches that a connection does not survive; the invocation after one opens another connection."""
        most, stale, age = self.upstream.max_age, set(), 0.0
        for period in self.idle:
            age += period.duration
            if self.ends_every(period) or (most is not None and age > most):
                stale.add(period.number)
            if period.number in stale or period.recycles:
                age = 0.0
        return frozenset(stale)

    @property
    def plans_stale(self) -> bool:
        """Whether a pooled connection goes stale between two invocations."""
        return bool(self._stale)

    @property
    def faults_after_answers(self) -> list[FaultRule]:
        """The upstream's faults that end a connection which the client's pool has just got back."""
        return [rule for rule in self.upstream.faults if moments.after_answer(rule.at) and rule.do != moments.STALL]

    @property
    def leaves_stale(self) -> bool:
        """Whether the client's pool is left with a stale connection, by an idle gap or right after an answer."""
        return self.plans_stale or bool(self.faults_after_answers)

    @property
    def plans_fault(self) -> bool:
        """Whether anything is meant to go wrong: a connection goes stale, the upstream has faults, its name moves."""
        return self.plans_stale or self.plans_front_end or bool(self.upstream.faults) or self.moves
