"""Where lies get into the lab: the run of an experiment, and functions that are replaced.

Many lies are told side by side in one process, so what is replaced asks who calls: a lie is known to the task that
runs its arm, and to all tasks that this one starts.
"""

import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any
from unittest import mock

from lab.plan.experiment import Experiment
from lab.run import experiment as runner
from tests.sabotage.lie import Arm, Break, Lie, Seam

telling: ContextVar[Lie | None] = ContextVar("telling", default=None)
"""The lie that this lab run is about; None if it is honest."""
told: ContextVar[Break | None] = ContextVar("told", default=None)
"""What is broken in this arm's run; None in every other's."""

Real = Callable[..., Any]
Replacement = Callable[..., Any]
"""Gets the real function as its first argument."""


@contextmanager
def open_seams(lies: Iterable[Lie]) -> Iterator[None]:
    """While this is open, runs of arms and cells listen to `telling`."""
    with ExitStack() as stack:
        for owner, name, replacement in (
            (runner, "_on_a_site", _on_a_site),
            *((*seam, _asking(seam)) for seam in {seam for lie in lies for seam in lie.break_it.patches}),
        ):
            stack.enter_context(mock.patch.object(owner, name, _calling(replacement, getattr(owner, name))))
        yield


def _calling(replacement: Replacement, real: Real) -> Real:
    @functools.wraps(real)
    def call(*args: Any, **options: Any) -> Any:
        return replacement(real, *args, **options)

    return call


def _asking(seam: Seam) -> Replacement:
    def replacement(real: Real, *args: Any, **options: Any) -> Any:
        broken = told.get()
        lie = broken.patches.get(seam) if broken else None
        return lie(real, *args, **options) if lie else real(*args, **options)

    return replacement


def _broken(experiment: Experiment) -> Break | None:
    """What is to be broken in this run."""
    lie = telling.get()
    if lie is None or (isinstance(lie.told_in, Arm) and experiment.scope.arm != lie.told_in.scope):
        return None
    return lie.break_it


async def _on_a_site(real: Real, experiment: Experiment, hosts: Any, lab: runner.Lab, *args: Any) -> None:
    """What the lab wrote down before this is the honest experiment."""
    if (broken := _broken(experiment)) is not None:
        told.set(broken)
        experiment, lab = broken.job(experiment), replace(lab, backend=broken.backend(lab.backend))
    await real(experiment, hosts, lab, *args)
