"""The margin of a fix: one more run, with a gap that the upstream's limit outlasts by little. Pure.

In the scenario's own gap a client drops what it has not used for as long as its limit says, be that below the
upstream's limit or at it. Only a gap that ends just before the upstream's limit tells the two apart: a client that
still keeps the connection then has a limit that is not below the upstream's by the margin.
"""

from dataclasses import replace

from lab.journal import Scope
from lab.plan.experiment import Experiment
from lab.scenario.model import Arm
from lab.scenario.setting import Setting
from lab.scenario.steps import Gap
from lab.scenario.timeline import Idle, periods_ahead
from upstream_server import faults

MARGIN = 0.05
"""Share of the upstream's limit by which a fix's limit has to be below it.

The two clocks do not start together, and a look at the age is not yet a request that has arrived: between them lie the
network and whatever keeps a small machine busy, in which the upstream's close crosses the request (the scenario
`keep-alive-race`). docs/settings.md advises ten seconds, or a fifth of a short limit. A twentieth, 3 s of a load
balancer's 60, is what the lab insists on: it is well beyond those delays and below every limit that somebody has
chosen with a margin in mind, and only those that were set to the upstream's own number, or beyond it, fail.
"""
SUFFIX = "@margin"
"""Ends the name under which the journal has the run; no arm's name can have it."""


def scope_of(arm: Scope) -> Scope:
    """The run beside the run of an arm."""
    return replace(arm, arm=arm.arm + SUFFIX)


def setting_of(arm: Arm, setting: Setting) -> Setting | None:
    """What an arm's margin run is made with; None if it has none.

    A fix has one if nothing but a limit of its client can save it: its connection goes stale in one gap, without a
    word, and because the upstream's limit is over. A fix that states its reuse keeps the connection alive or retries.
    """
    stale = [period for period in setting.idle if setting.goes_stale(period)]
    if arm.role != "fix" or arm.expect.reuse is not None or len(stale) != 1:
        return None
    if not _by_limit_alone(setting, stale[0]) or not _silent(setting):
        return None
    return _cut_short(setting, stale[0])


def experiment_of(arm: Arm, job: Experiment) -> Experiment | None:
    """The margin run beside the run of an arm; None if it has none."""
    setting = setting_of(arm, job.setting)
    return replace(job, scope=scope_of(job.scope), setting=setting) if setting else None


def _by_limit_alone(setting: Setting, period: Idle) -> bool:
    """Whether the connection ends in this gap because it was not used for long, and for no other reason."""
    upstream = setting.upstream
    others = upstream.max_age is not None or upstream.faults or setting.balancer is not None or setting.moves
    return not others and len(period.steps) == 1 and isinstance(period.steps[0], Gap)


def _silent(setting: Setting) -> bool:
    """Whether the client's kernel hears nothing of the end."""
    upstream = setting.upstream
    forgotten = upstream.gateway_timeout is not None and upstream.gateway_timeout == upstream.idle_limit
    return setting.link == "lost" or forgotten or faults.mode(upstream.close).sends is None


def _cut_short(setting: Setting, period: Idle) -> Setting:
    """The same with a shorter gap, and with nothing after the invocation that follows it."""
    limit = setting.upstream.idle_limit
    assert limit is not None, "a gap in which nothing but time passes ends connections by a limit"
    timeline, ahead = setting.timeline, periods_ahead(setting.timeline)
    for at, step in enumerate(timeline):
        if isinstance(step, Gap) and ahead[at].number == period.number:
            shorter = replace(step, duration=round(limit * (1 - MARGIN), 6))
            return setting.model_copy(update={"timeline": (*timeline[:at], shorter, timeline[at + 1])})
    raise AssertionError(f"gap {period.number} is not in its own timeline")
