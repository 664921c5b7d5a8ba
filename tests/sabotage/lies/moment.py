"""The connection ended at another moment than stated: before the freeze, after the thaw, before the first answer."""

from dataclasses import replace

from lab.plan.experiment import Experiment
from lab.run.gap import IdlePeriod
from tests.backends.delegating import with_experiments, with_setting, with_upstream
from tests.sabotage.breaks import Altered, altered, nothing
from tests.sabotage.lie import Arm, Break, tell
from tests.sabotage.stories import BUG, FIX, SANE, SANE_CELL, SEED, SEED_CELL, arm, story

KIND = "moment"
BEYOND_ITS_LIMIT = 400.0
"""Lab seconds that are more than any upstream's limit here."""
A_LITTLE = 60.0
"""Lab seconds that an upstream keeps a connection beyond the gap."""


class FreezesLate(Altered):
    """A freeze that comes when the upstream has given the connection up."""

    async def freeze(self) -> None:
        await self.scene.upstream_gives_up(BEYOND_ITS_LIMIT)
        await self.sandbox.freeze()


tell(
    "freeze-after-the-death",
    KIND,
    "kernel",
    "The connection ends while the sandbox is still awake, and then it is frozen.",
    SEED,
    SEED_CELL,
    break_it=altered(FreezesLate),
    expected=("timely", "before the freeze"),
    short=True,
)
tell(
    "fix-frozen-after-the-death",
    KIND,
    "kernel",
    "The bug's connection ends in its freeze, the fix's own while the sandbox is awake.",
    SANE,
    SANE_CELL,
    break_it=altered(FreezesLate),
    expected=("timely", "before the freeze"),
)
LEFT_ALONE = Arm(story(BUG, arm("alone", "contrast", "outcome: ok, reuse: false", "function: {preset: sane}")), "alone")
tell(
    "contrast-frozen-after-the-death",
    KIND,
    "kernel",
    "The same of a contrast that leaves the stale connection alone.",
    LEFT_ALONE,
    break_it=altered(FreezesLate),
    expected="timely",
)


class ThawsFirst(Altered):
    """It is awake when the upstream gives the connection up, and has its event only then."""

    async def thaw(self) -> None:
        await self.sandbox.thaw()
        await self.scene.upstream_gives_up(A_LITTLE)


def patient(experiment: Experiment) -> Experiment:
    """With an upstream that keeps connections a little longer than the gap lasts."""
    setting = experiment.setting
    return with_setting(
        experiment, upstream=setting.upstream.model_copy(update={"idle_timeout": setting.longest_gap + A_LITTLE})
    )


AFTER_THE_THAW = Break(
    backend=lambda backend: altered(ThawsFirst).backend(with_experiments(patient)(backend)),
    patches={(IdlePeriod, "_wait_for_closing"): nothing},
)
THAW_FIRST = "wake_order: thaw-first\n"
tell(
    "death-after-the-thaw",
    KIND,
    "upstream",
    "The connection ends when the sandbox is awake again, and the lab does not wait for it.",
    Arm(story(BUG, more=THAW_FIRST), "bug"),
    replace(SEED_CELL, wake_order="thaw-first"),
    break_it=AFTER_THE_THAW,
    expected=("fault_delivered", "none of 1 had ended"),
)
tell(
    "fix-death-after-the-thaw",
    KIND,
    "upstream",
    "The same of a fix, which proves nothing about a connection that died later.",
    Arm(story(BUG, FIX, more=THAW_FIRST), "fix"),
    break_it=AFTER_THE_THAW,
    expected="own_connection_ended",
)
tell(
    "death-before-the-answer",
    KIND,
    "function",
    "The handler goes on so long that the upstream ends the connection before the first answer is back.",
    Arm(
        story(
            BUG,
            arm("loop", "contrast", "outcome: ok, executions: [1, 1], reuse: false", "function: {shape: loop}"),
            upstream="{idle_timeout: 300s, close: rst}",
            function="{preset: seed, shape: sync}",
            link="delivered",
        ),
        "loop",
    ),
    instead=Arm(
        story(
            BUG,
            arm(
                "loop",
                "contrast",
                "outcome: ok, executions: [1, 1], reuse: false",
                "function: {client: tricky, preset: dawdles, shape: loop}",
            ),
            upstream="{idle_timeout: 300s, close: rst}",
            function="{preset: seed, shape: sync}",
            link="delivered",
        ),
        "loop",
    ),
    expected="timely",
)


KEEPS = Break(
    backend=with_upstream(idle_timeout=None, faults=()),
    patches={(IdlePeriod, "_wait_for_closing"): nothing},
)
"""An upstream that keeps its connections for ever."""
tell(
    "fix-outlived-by-its-connection",
    KIND,
    "upstream",
    "The bug's connection died, the fix's own is kept for ever, and nobody waits for its end.",
    SANE,
    SANE_CELL,
    break_it=KEEPS,
    expected=("own_connection_ended", "none of 1 had ended"),
)
tell(
    "never-closed",
    KIND,
    "upstream",
    "The upstream never gives the connection up.",
    SEED,
    SEED_CELL,
    break_it=KEEPS,
    expected=("fault_delivered", "none of 1 had ended"),
)
EXECUTED = Arm(
    story(
        arm("bug", "bug", "outcome: reset, executions: [1, 1]"),
        upstream="{faults: [{at: executed, do: rst, requests: [2]}]}",
        link="delivered",
        timeline="invoke, wait: 10s, invoke",
    ),
    "bug",
)
tell(
    "never-a-fault",
    KIND,
    "upstream",
    "The upstream answers the request that it was to drop.",
    EXECUTED,
    replace(SEED_CELL, mode="executed-rst"),
    break_it=KEEPS,
    expected=("fault_delivered", "no connection that lived carried it"),
)
