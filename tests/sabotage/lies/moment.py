"""The connection ended at another moment than stated: before the freeze, after the thaw, before the first answer."""

from dataclasses import replace
from typing import cast

from lab.backends.base import Bench
from lab.journal import Recorder
from lab.plan.job import Job
from lab.run.gap import IdlePeriod
from lab.upstream.client import Listener
from tests.sabotage.breaks import Altered, Scene, altered, nothing
from tests.sabotage.lie import Arm, Break, tell
from tests.sabotage.stories import BUG, FIX, SANE, SANE_CELL, SEED, SEED_CELL, arm, story

KIND = "moment"


class FreezesLate(Altered):
    """A freeze that comes when the upstream has given the connection up."""

    async def freeze(self) -> None:
        await self.scene.upstream_gave_up()
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
        await self.scene.upstream_gave_up()


class Patient(Scene):
    """An upstream that keeps connections a little longer than the gap lasts."""

    async def open_upstream(self, job: Job, recorder: Recorder) -> Listener:
        upstream = job.setting.upstream.model_copy(update={"idle_timeout": job.setting.longest_gap + 60})
        return await super().open_upstream(
            replace(job, setting=job.setting.model_copy(update={"upstream": upstream})), recorder
        )


AFTER_THE_THAW = Break(
    bench=lambda bench: cast(Bench, Patient(bench, ThawsFirst)),
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
    expected=("fault_delivered", "gave up 0 of 1"),
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


class Keeps(Scene):
    """An upstream that keeps its connections for ever."""

    async def open_upstream(self, job: Job, recorder: Recorder) -> Listener:
        upstream = job.setting.upstream.model_copy(update={"idle_timeout": None, "faults": ()})
        return await super().open_upstream(
            replace(job, setting=job.setting.model_copy(update={"upstream": upstream})), recorder
        )


KEEPS = Break(
    bench=lambda bench: cast(Bench, Keeps(bench)),
    patches={(IdlePeriod, "_wait_for_closing"): nothing},
)
tell(
    "fix-outlived-by-its-connection",
    KIND,
    "upstream",
    "The bug's connection died, the fix's own is kept for ever, and nobody waits for its end.",
    SANE,
    SANE_CELL,
    break_it=KEEPS,
    expected=("own_connection_ended", "gave up 0 of 1"),
)
tell(
    "never-closed",
    KIND,
    "upstream",
    "The upstream never gives the connection up.",
    SEED,
    SEED_CELL,
    break_it=KEEPS,
    expected=("fault_delivered", "gave up 0 of 1"),
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
