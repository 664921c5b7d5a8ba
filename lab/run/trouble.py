"""An error in one run is recorded as that run's trouble; the other runs go on."""

import asyncio
import traceback
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from lab.backends.naming import file_name
from lab.checkout import ROOT
from lab.errors import LabError, LabLost, leaves
from lab.journal import BarrierTimeout, Recorder
from lab.journal.events import TroubleMet
from lab.run.signals import machine_lacks


async def went_well(work: Coroutine[Any, Any, None], recorder: Recorder) -> bool:
    """Do a run's work. If it fails, record the trouble and return False.

    Errors that concern the whole lab are raised: LabLost, cancellation, and an OSError or MemoryError that means that
    the machine is at fault. The traceback of an unexpected error goes to the logs in the run's folder.
    """
    try:
        await asyncio.create_task(work)  # its own task: a task group that failed leaves its task marked as cancelled
    except BaseException as error:
        errors = leaves(error)
        for each in errors:
            if isinstance(each, LabLost) or machine_lacks(each):
                raise each from None
        task = asyncio.current_task()
        if (task and task.cancelling()) or not all(isinstance(each, Exception) for each in errors):
            raise
        for each in errors:
            _write_down(each, recorder)
        return False
    return True


def _write_down(error: BaseException, recorder: Recorder) -> None:
    if isinstance(error, LabError | BarrierTimeout):
        recorder.record(TroubleMet(what=str(error)))
        return
    where, kept = _where(error), _keep_traceback(error, recorder)
    message = (str(error).splitlines() or [""])[0]
    what = f"{type(error).__name__}: {message}".rstrip(": ") + (f" ({where})" if where else "")
    recorder.record(TroubleMet(what=what + (f"; see {kept}" if kept else ""), where=where, traceback=kept))


def _where(error: BaseException) -> str | None:
    """File and line of the innermost frame that belongs to the lab."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_relative_to(ROOT) and "site-packages" not in file.parts:
            return f"{file.relative_to(ROOT)}:{frame.lineno}"
    return None


def _keep_traceback(error: BaseException, recorder: Recorder) -> str | None:
    """Where in the run's folder it was written; None if the journal is not in a folder."""
    if recorder.journal.path is None:
        return None
    name = f"logs/trouble-{file_name(recorder.scope)}.txt"
    file = recorder.journal.path.parent / name
    file.parent.mkdir(exist_ok=True)
    with file.open("a", encoding="utf-8") as kept:
        kept.writelines(traceback.format_exception(error))
    return name
