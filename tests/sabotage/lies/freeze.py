"""The freeze that was none, and the gap that was not as stated."""

import asyncio
from collections.abc import Sequence
from typing import cast

from lab.backends.base import LinkHandle
from lab.backends.process.sandbox import ProcessSandbox
from lab.journal import Event
from lab.run.stage import Stage
from lab.scenario.steps import Step
from lab.scenario.steps.freeze import Freeze
from lab.scenario.steps.wait import Wait
from tests.sabotage.breaks import Altered, Scene, altered, other_timeline, scene
from tests.sabotage.lie import Arm, Break, tell
from tests.sabotage.stories import BUG, CONTROL, CONTROL_CELL, SANE, SANE_CELL, SEED, SEED_CELL, WAIT, story

RAN_WITHIN = 5.0
POLL = 0.001
"""Real seconds in which a sandbox that was thawed behind the lab's back has run, and between two looks."""


class NeverFrozen(Altered):
    """It says it froze and did not."""

    async def freeze(self) -> None:
        return None


class SaysFrozen(NeverFrozen):
    """And its kernel says so too, whenever it is asked."""

    async def is_frozen(self) -> bool:
        return True


class ThawedInTheGap(Scene):
    """Just before the wake the sandbox is thawed behind the lab's back, and runs."""

    again = False
    """Whether it is frozen again then, so that every question is answered as it should be."""

    @property
    def link(self) -> LinkHandle:
        return self

    async def cut(self) -> None:
        await self.site.link.cut()

    async def lift(self) -> None:
        for sandbox in cast("list[ProcessSandbox]", self.made):
            before = await sandbox.switches()
            await sandbox.thaw()
            async with asyncio.timeout(RAN_WITHIN):
                while await sandbox.switches() == before:
                    await asyncio.sleep(POLL)
            if self.again:
                await sandbox.freeze()
        await self.site.link.lift()


class ThawedAndFrozenAgain(ThawedInTheGap):
    again = True


for name, sandbox, text in (
    ("freeze-stops-nothing", NeverFrozen, "A freeze that stops nothing."),
    ("freeze-only-told", SaysFrozen, "A freeze that stops nothing, of a sandbox that is always called frozen."),
):
    tell(
        name,
        "freeze",
        "kernel",
        text,
        SEED,
        SEED_CELL,
        break_it=altered(sandbox),
        expected=("frozen_throughout", "stood still for the whole gap"),
        short=sandbox is NeverFrozen,
    )
for name, kind, text in (
    ("thawed-in-the-gap", ThawedInTheGap, "The sandbox is thawed too early."),
    ("thawed-and-frozen-again", ThawedAndFrozenAgain, "The sandbox ran for a moment in the middle of its freeze."),
):
    tell(
        name,
        "freeze",
        "kernel",
        text,
        SEED,
        SEED_CELL,
        break_it=scene(kind),
        expected=("frozen_throughout", "stood still for the whole gap"),
    )
    tell(
        f"fix-{name}",
        "freeze",
        "kernel",
        text,
        SANE,
        SANE_CELL,
        break_it=scene(kind),
        expected=("frozen_throughout", "stood still for the whole gap"),
    )


# The gap.


def shorter(by: float) -> Break:
    """Time passes so many times as fast in every gap, whatever the lab writes down."""

    async def pass_time(real: object, run: Stage, lab_seconds: float) -> None:
        assert callable(real)
        await real(run, lab_seconds * by)

    return Break(patches={(Stage, "pass_time"): pass_time}, told=some_gap_was_short)


def some_gap_was_short(events: Sequence[Event]) -> bool:
    """Or the lab was so slow that the stated time passed all the same."""
    ended = {event["number"]: event.t for event in events if event.kind == "gap-ended"}
    for start in (event for event in events if event.kind == "gap-started"):
        woken = [e.t for e in events if e.kind in ("thawed", "invoked") and e.t >= ended[start["number"]]]
        if min(woken) - start.t < start["real"]:
            return True
    return False


tell(
    "gap-of-nothing",
    "gap",
    "lab",
    "No time passes in the gap.",
    CONTROL,
    CONTROL_CELL,
    break_it=shorter(0),
    expected=("full_gap", "as long as stated"),
    short=True,
)
tell(
    "gap-halved",
    "gap",
    "lab",
    "Half of the stated time passes.",
    CONTROL,
    CONTROL_CELL,
    break_it=shorter(0.5),
    expected=("full_gap", "as long as stated"),
)


def waits(step: Step) -> Step:
    return Wait(step.duration) if isinstance(step, Freeze) else step


def freezes(step: Step) -> Step:
    return Freeze(step.duration) if isinstance(step, Wait) else step


for name, arm_place, cell in (("bug", SEED, SEED_CELL), ("fix", SANE, SANE_CELL), ("control", CONTROL, CONTROL_CELL)):
    tell(
        f"{name}-waits",
        "gap",
        "lab",
        "The sandbox runs through the gap in which it is to be frozen.",
        arm_place,
        cell,
        break_it=other_timeline(waits),
        expected=("frozen_throughout", "stood still for the whole gap"),
    )
tell(
    "freezes-instead-of-waiting",
    "gap",
    "lab",
    "The sandbox is frozen in the gap in which it is to run.",
    Arm(story(BUG, timeline=WAIT), "bug"),
    break_it=other_timeline(freezes),
    expected="gap 1 was not run as stated",
)
