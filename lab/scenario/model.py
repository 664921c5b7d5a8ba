"""What a scenario file may say: one story, its upstream, its function, its timeline and its arms.

The models here are the published JSON Schema's source (`scenario.schema.json` beside this file).
"""

from typing import Annotated, Self, TypeVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lab.scenario import kinds
from lab.scenario.curve import CurveShape
from lab.scenario.parts import SMALLEST_DOCUMENT, Balancer, Expect, Function, Model, Request, Upstream
from lab.scenario.setting import Setting
from lab.scenario.steps.invoke import Invoke
from lab.scenario.steps.wait import Wait
from lab.scenario.timeline import SPEED_MEANS, Speed, Timeline
from lab.scenario.words import Ability, Clock, Link, Role, SandboxKind, Wake, WakeOrder
from lab.units import Duration, format_duration


class Change(Model):
    """What one arm changes in its scenario: keys that are not written stay as they are."""

    upstream: Upstream = Upstream()
    balancer: Balancer | None = None
    function: Function = Function()
    request: Request = Request()
    link: Link | None = None
    wake: Wake | None = None
    wake_order: WakeOrder | None = None
    clock: Clock | None = None
    timeline: Timeline | None = None
    speed: Speed | None = Field(default=None, description=SPEED_MEANS)


class Arm(Model):
    """One run of the story with one change."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=40)
    role: Role
    title: str
    change: Change = Change()
    expect: Expect = Expect()
    pair: str | None = Field(default=None, description="The bug arm that proves the fault for this fix.")
    sandboxes: tuple[SandboxKind, ...] | None = None
    requires: tuple[Ability, ...] = Field(default=(), description="What its kind of sandbox must be able to do.")
    skip_reason: str | None = None

    @property
    def leans_on_bug(self) -> bool:
        """Whether a bug's run proves the fault for this arm, because here no request may run into it."""
        return self.role == "fix" or (self.role == "contrast" and self.expect.reuse in (False, "kept"))


class Sweep(Model):
    """Many requests with idle gaps around the upstream's timeout; which comes first is left to time alone."""

    title: str
    gaps: Annotated[tuple[Duration, ...], Field(min_length=2, max_length=20, description="Idle gaps to try.")]
    samples: int = Field(default=16, ge=1, le=100, description="Requests after each gap.")
    shape: CurveShape = Field(
        default=("never", "always"),
        description="How often requests fail as the gap grows: `never-always`, `never-sometimes-never` or a list.",
    )
    change: Change = Change()

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if len(set(map(self._name, self.gaps))) < len(self.gaps):
            raise ValueError("two of the gaps are the same to a millisecond: write each once")
        return self

    @staticmethod
    def _name(gap: float) -> str:
        return f"sweep-{round(gap * 1000)}ms"

    @property
    def arms(self) -> tuple[Arm, ...]:
        """What is run for each gap."""
        return tuple(self._arm(gap) for gap in self.gaps)

    def _arm(self, gap: float) -> Arm:
        timeline = (Invoke(), Wait(gap), Invoke()) * self.samples  # the first leaves a fresh connection in the pool
        change = self.change.model_copy(update={"timeline": timeline})
        return Arm(name=self._name(gap), role="contrast", title=self.title, change=change)


class Scenario(Model):
    """One story: an upstream, a function, a timeline, and arms."""

    title: str
    question: str
    story: str
    look_at: str
    seen_in: tuple[str, ...] = ()
    minutes: float = Field(default=1, gt=0, allow_inf_nan=False, description="About how long it takes to run and read.")
    sandboxes: tuple[SandboxKind, ...] = Field(
        default_factory=tuple, min_length=1, description="The kinds of sandbox that it can run in; else all."
    )
    requires: tuple[Ability, ...] = Field(default=(), description="What a kind of sandbox must be able to do.")
    skip_reason: str | None = Field(default=None, description="Why it does not run in the other kinds.")
    upstream: Upstream
    balancer: Balancer | None = None
    function: Function = Function()
    request: Request = Request()
    link: Link = "delivered"
    wake: Wake = "interrupted"
    wake_order: WakeOrder = "event-first"
    clock: Clock = Field(default="runs", description="What the function's monotonic clock does while it is frozen.")
    timeline: Timeline
    speed: Speed | None = Field(default=None, description=SPEED_MEANS)
    arms: Annotated[tuple[Arm, ...], Field(min_length=1)]
    sweep: Sweep | None = None

    def setting(self, arm: Arm) -> Setting:
        """The scenario as this arm runs it."""
        change = arm.change
        return Setting(
            upstream=_merged(self.upstream, change.upstream),
            balancer=change.balancer or self.balancer,
            function=_merged(self.function, change.function),
            request=_merged(self.request, change.request),
            link=change.link or self.link,
            wake=change.wake or self.wake,
            clock=change.clock or self.clock,
            wake_order=change.wake_order or self.wake_order,
            timeline=change.timeline or self.timeline,
            speed=change.speed or self.speed,
        )

    @property
    def runs_in(self) -> tuple[str, ...]:
        """The kinds of sandbox that it can run in."""
        able = kinds.able(frozenset(self.requires))
        return tuple(kind for kind in self.sandboxes or able if kind in able)

    def arm(self, name: str) -> Arm:
        return next(arm for arm in self.arms if arm.name == name)

    def pair_of(self, arm: Arm) -> Arm | None:
        """The bug that an arm refers to, as a fix does: the one it names, else the scenario's first."""
        if not arm.leans_on_bug:
            return None
        bugs = [other for other in self.arms if other.role == "bug"]
        return self.arm(arm.pair) if arm.pair else next(iter(bugs), None)

    @model_validator(mode="after")
    def _make_sense(self) -> Self:
        for index, arm in enumerate(self.arms):
            problem = self._problem(arm, [other.name for other in self.arms[:index]])
            if problem:
                # The index lets a message point at the arm's line in the file.
                raise PydanticCustomError("arm", "{problem}", {"problem": f"arm {arm.name!r} {problem}", "arm": index})
        if self.sweep is not None and (problem := self._sweep_problem(self.sweep)):
            raise PydanticCustomError("sweep", "{problem}", {"problem": problem})
        return self

    def _sweep_problem(self, sweep: Sweep) -> str | None:
        settings = [self.setting(arm) for arm in sweep.arms]
        if contradiction := _contradiction(settings[0]):
            return f"the sweep {contradiction}"
        limit = settings[0].upstream.idle_limit
        if limit is None:
            return "the sweep's upstream keeps connections for ever: give it an idle_timeout in the sweep's change"
        if len(sweep.shape) > 1 and not min(sweep.gaps) < limit < max(sweep.gaps):
            kept = format_duration(limit)
            return f"the sweep's gaps are all on one side of the limit of {kept}: give shorter and longer ones"
        return None

    def _problem(self, arm: Arm, earlier: list[str]) -> str | None:
        if arm.name in earlier:
            return "is the second of this name: give each its own"
        if arm.pair is not None and not any(arm.pair == other.name and other.role == "bug" for other in self.arms):
            return f"has the pair {arm.pair!r}, which is not a bug arm of this scenario"
        if arm.leans_on_bug and self.pair_of(arm) is None:
            kind = "fix" if arm.role == "fix" else "contrast without reuse"
            return f"is a {kind}, but the scenario has no bug arm to prove the fault"
        return _role_problem(arm, self.setting(arm))


AnyModel = TypeVar("AnyModel", bound=Model)


def _merged(base: AnyModel, change: AnyModel) -> AnyModel:
    written = {name: getattr(change, name) for name in change.model_fields_set}
    return base.model_copy(update=written)


def _contradiction(setting: Setting) -> str | None:
    """Words that have no effect together."""
    if setting.moves and setting.balancer is not None:
        return "moves the name while a balancer stands in front: the function does not know that name; leave one out"
    if setting.balancer is not None and setting.balancer.client_timeout is not None and setting.link == "lost":
        return "states the balancer's client_timeout, but loses every packet, its close as well: leave link: lost out"
    if setting.upstream.gateway_refresh == "probes" and setting.upstream.gateway_timeout is None:
        return "states gateway_refresh, but there is no gateway: give gateway_timeout too"
    if setting.upstream.gateway_refresh == "probes" and setting.link == "lost":
        return "states gateway_refresh, but loses every packet, so no probe arrives: leave one of the two out"
    size = setting.request.body_bytes
    if setting.request.as_json and size < SMALLEST_DOCUMENT:
        return f"sends a JSON document of {size} bytes: give body_bytes of {SMALLEST_DOCUMENT} or more"
    return None


def _role_problem(arm: Arm, setting: Setting) -> str | None:
    if contradiction := _contradiction(setting):
        return contradiction
    if arm.expect.reuse == "kept" and not arm.leans_on_bug:
        return f"is a {arm.role} and states `reuse: kept`: only a fix or a contrast can keep a connection alive"
    if arm.expect.reuse is False and arm.role in ("bug", "non-fix"):
        return f"is a {arm.role} and states `reuse: false`: it must use the stale connection; make it a contrast"
    limit, gap = setting.upstream.idle_limit, format_duration(setting.longest_gap)
    kept = "for ever" if limit is None else f"for {format_duration(limit)}"
    if setting.upstream.max_age is not None:
        kept += f", to an age of {format_duration(setting.upstream.max_age)} at the most"
    if arm.expect.fault == "client":
        if arm.role not in ("bug", "fix"):
            return f"is a {arm.role} and states `fault: client`: only a bug or its fix can"
        given_up = "states `fault: client`, but the upstream gives connections up or strikes: leave one of the two out"
        return given_up if setting.plans_fault else None
    if arm.role in ("bug", "non-fix", "fix") and not setting.plans_fault:
        return f"is a {arm.role}, but its gap is {gap} and the upstream keeps connections {kept}: nothing goes stale"
    if arm.role == "control" and setting.plans_front_end:
        return f"is a control, but its gap is {gap} and the balancer loses patience before"
    if arm.role == "control" and setting.moves:
        return "is a control, but its upstream's name moves"
    if arm.role == "control" and setting.plans_stale:
        return f"is a control, but its gap is {gap} and the upstream keeps connections {kept}: they go stale"
    return None
