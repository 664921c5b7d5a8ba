"""Forks of a process that has imported everything: they are processes like others, and none is left."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab.backends.process.sandbox import ProcessSandbox, ProcessSpec
from lab.backends.process.template import Fork, TemplateEnded, Templates
from lab.cleanup.procfs import all_pids, group_members, stat, thread_states
from lab.functions import DEFINITIONS
from lab.functions.program import Built
from tests.patience import LOOK

SERVES = ("-m", "http.server", "0", "--bind", "127.0.0.1")
"""A module that runs until it is ended."""
ENDS = ("-m", "this")
"""One that prints something and ends."""
ENVIRONMENT = {"PATH": os.defpath, "THAWLAB_CLIENT": "http.client"}


@pytest.fixture
def program() -> Built:
    return DEFINITIONS["http.client"].program.here()


@pytest.fixture
async def templates(program: Built) -> AsyncIterator[Templates]:
    assert program.template is not None
    async with contextlib.aclosing(Templates(program.template)) as made:
        yield made


@pytest.fixture
def environment(program: Built) -> dict[str, str]:
    return {**ENVIRONMENT, **program.environment}


async def fork(templates: Templates, program: Built, module: tuple[str, ...], log: Path) -> Fork:
    return await templates.fork((*program.command, *module), {**ENVIRONMENT, **program.environment}, log)


async def test_a_fork_runs_the_module_and_its_end_is_told(templates: Templates, program: Built, tmp_path: Path) -> None:
    log = tmp_path / "log"
    made = await fork(templates, program, ENDS, log)
    assert await made.wait() == made.returncode == 0
    assert "Beautiful is better than ugly." in log.read_text()


async def test_a_fork_leads_a_group_of_its_own(templates: Templates, program: Built, tmp_path: Path) -> None:
    first, second = [await fork(templates, program, SERVES, tmp_path / "log") for _ in range(2)]
    assert (os.getpgid(first.pid), os.getsid(first.pid)) == (first.pid, first.pid)
    assert group_members(first.pid) == [first.pid]
    os.killpg(first.pid, signal.SIGKILL)
    assert await first.wait() == -signal.SIGKILL
    assert second.returncode is None
    second.kill()
    assert await second.wait() == -signal.SIGKILL


async def test_a_fork_shares_its_imports(templates: Templates, program: Built, tmp_path: Path) -> None:
    """One template for functions that differ only in what nothing reads while it is imported."""
    command = (*program.command, *ENDS)
    for preset in ("seed", "sane"):
        variables = {**ENVIRONMENT, **program.environment, "THAWLAB_PRESET": preset}
        await (await templates.fork(command, variables, tmp_path / "log")).wait()
    assert repr(templates).count("<Template ") == 1
    other = {**ENVIRONMENT, **program.environment, "THAWLAB_BACKGROUND": "1"}
    await (await templates.fork(command, other, tmp_path / "log")).wait()
    assert repr(templates).count("<Template ") == 2


async def test_who_is_forked_from_one_that_was_killed_is_ended(
    templates: Templates, program: Built, tmp_path: Path
) -> None:
    made = await fork(templates, program, SERVES, tmp_path / "log")
    parent = parent_of(made.pid)
    os.kill(parent, signal.SIGKILL)
    assert await made.wait() == -signal.SIGKILL
    with pytest.raises(TemplateEnded):
        await fork(templates, program, SERVES, tmp_path / "log")


async def test_a_sandbox_without_a_template_is_a_process_of_its_own(
    program: Built, tmp_path: Path, environment: dict[str, str]
) -> None:
    """A template that cannot begin keeps no function from running, or from telling why it does not."""
    async with contextlib.aclosing(Templates(("-c", "raise SystemExit(1)"))) as broken:
        spec = ProcessSpec((*program.command, *ENDS), environment, "test", tmp_path, templates=broken)
        sandbox = ProcessSandbox("sb-00own", spec)
        await sandbox.start("127.0.0.1:1")
        assert await sandbox.wait_exit() == 0
        assert "Beautiful" in sandbox.log_since(0)
        await sandbox.stop()


async def test_who_stops_waiting_for_a_fork_leaves_none(templates: Templates, program: Built, tmp_path: Path) -> None:
    known = await fork(templates, program, SERVES, tmp_path / "log")
    parent = parent_of(known.pid)
    asking = asyncio.create_task(fork(templates, program, SERVES, tmp_path / "log"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    another = await fork(templates, program, SERVES, tmp_path / "log")  # by then the one before was made and killed
    async with asyncio.timeout(10):
        while children_of(parent) != {known.pid, another.pid}:
            await asyncio.sleep(LOOK)
    for made in (known, another):
        made.kill()
        await made.wait()


async def test_a_frozen_fork_stands_still(program: Built, tmp_path: Path, environment: dict[str, str]) -> None:
    assert program.template is not None
    async with contextlib.aclosing(Templates(program.template)) as templates:
        spec = ProcessSpec((*program.command, *SERVES), environment, "test", tmp_path, templates=templates)
        sandbox = ProcessSandbox("sb-00fork", spec)
        await sandbox.start("127.0.0.1:1")
        await sandbox.freeze()
        assert thread_states(sandbox.main_pid()) == {"T"}
        assert await sandbox.stop() == -signal.SIGKILL


def parent_of(pid: int) -> int:
    text = Path(f"/proc/{pid}/stat").read_text()
    return int(text[text.rindex(")") + 2 :].split()[1])


def children_of(parent: int) -> set[int]:
    found = set()
    for pid in all_pids():
        with contextlib.suppress(OSError):
            here = stat(pid)
            if here and here.state not in "ZX" and parent_of(pid) == parent:
                found.add(pid)
    return found
