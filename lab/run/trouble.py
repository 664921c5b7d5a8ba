"""What goes wrong in one run stays its own: it is written down as that run's trouble, and the others go on."""

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
    """Do a run's work; whatever goes wrong in it is written down as trouble, and the answer is False.

    What concerns the whole lab is raised all the same: LabLost, an OSError or MemoryError where the machine needs
    mending, and a cancellation. An error that nobody foresaw leaves its traceback in the logs of the run's folder.
    """
    try:
        await asyncio.create_task(work)  # of its own: a group that failed leaves its task counted as cancelled
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
    """File and line of the innermost of the lab's own frames."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_relative_to(ROOT) and "site-packages" not in file.parts:
            return f"{file.relative_to(ROOT)}:{frame.lineno}"
    return None


def _keep_traceback(error: BaseException, recorder: Recorder) -> str | None:
    """Where in the run's folder it was written; None for a journal that is not in one."""
    if recorder.journal.path is None:
        return None
    name = f"logs/trouble-{file_name(recorder.scope)}.txt"
    file = recorder.journal.path.parent / name
    file.parent.mkdir(exist_ok=True)
    with file.open("a", encoding="utf-8") as kept:
        kept.writelines(traceback.format_exception(error))
    return name
