"""The jump of the clocks that was not made, or not everywhere."""

from collections.abc import Callable
from typing import Any

from lab.journal.events import TimeMoved
from lab.lambda_service.function import Function
from lab.run.lab_time import LabTime
from lab.scenario.steps import Standing
from tests.backends.delegating import DelegatingUpstream, with_upstream_handle
from tests.sabotage.breaks import Altered, altered
from tests.sabotage.lie import Break, tell
from tests.sabotage.stories import CONTROL, CONTROL_CELL, SANE, SANE_CELL

KIND = "jumps"
HALF = 0.5
Real = Callable[..., Any]


class NeverMoved(Altered):
    """The clocks of its function stay where they are."""

    async def move_clocks(self, by: float) -> None:
        return None


class HalfMoved(Altered):
    async def move_clocks(self, by: float) -> None:
        await self.sandbox.move_clocks(by * HALF)


class NeverAdvanced(DelegatingUpstream):
    """Its clock stays where it is."""

    async def advance(self, by: float) -> Standing:
        return await self.real.standing()


class HalfAdvanced(DelegatingUpstream):
    async def advance(self, by: float) -> Standing:
        return await self.real.advance(by * HALF)


async def only_told(real: Real, lab_time: LabTime, by: float, *, awake: bool) -> Standing:
    """The jump is written down, and no clock is moved."""
    lab_time.moved += by
    lab_time._recorder.record(TimeMoved(by=by, total=lab_time.moved, awake=awake))
    return await lab_time._upstream.standing()


async def not_told(real: Real, lab_time: LabTime, by: float, *, awake: bool) -> Standing:
    """Every clock is moved, and nobody writes it down."""
    lab_time.moved += by
    standing = await lab_time._upstream.advance(by)
    await lab_time._function.advance(by)
    return standing


async def all_but_the_function(real: Real, function: Function, by: float) -> None:
    """The platform's clock alone is moved."""
    await function.clock.advance(by)


UPSTREAM, FUNCTION = "the upstream's clock had", "the function's monotonic clock had"
for name, teller, text, broken, expected in (
    ("never-moved", "kernel", "The function's clocks do not jump.", altered(NeverMoved), f"{FUNCTION} not jumped"),
    ("half-moved", "kernel", "The function's clocks jump half as far.", altered(HalfMoved), f"{FUNCTION} jumped by"),
    (
        "upstream-never-advanced",
        "upstream",
        "The upstream's clock does not jump.",
        Break(backend=with_upstream_handle(NeverAdvanced)),
        f"{UPSTREAM} not jumped",
    ),
    (
        "upstream-half-advanced",
        "upstream",
        "The upstream's clock jumps half as far.",
        Break(backend=with_upstream_handle(HalfAdvanced)),
        f"{UPSTREAM} jumped by",
    ),
    (
        "jump-only-told",
        "lab",
        "A jump is written down that was not made.",
        Break(patches={(LabTime, "_move"): only_told}),
        f"{UPSTREAM} not jumped",
    ),
    (
        "jump-not-told",
        "lab",
        "A jump is made that is not written down.",
        Break(patches={(LabTime, "_move"): not_told}),
        "full_gap",
    ),
    (
        "function-forgotten",
        "lab",
        "The lab moves every clock but those of the function.",
        Break(patches={(Function, "advance"): all_but_the_function}),
        f"{FUNCTION} not jumped",
    ),
):
    tell(
        name,
        KIND,
        teller,  # type: ignore[arg-type]
        text,
        CONTROL,
        CONTROL_CELL,
        break_it=broken,
        expected=(expected, "as long as stated" if expected == "full_gap" else expected),
        short=name in ("never-moved", "upstream-never-advanced"),
    )
tell(
    "fix-never-moved",
    KIND,
    "kernel",
    "The function's clocks do not jump.",
    SANE,
    SANE_CELL,
    break_it=altered(NeverMoved),
    expected=(f"{FUNCTION} not jumped", f"{FUNCTION} not jumped"),
)
