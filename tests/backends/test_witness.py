"""What the kernel shows of a sandbox: whether it stood still, what is loaded, and whether an event loop waits in it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab.backends import quiescence as rest
from lab.backends.process import backend
from lab.backends.process.sandbox import ProcessSandbox, ProcessSpec
from lab.backends.shims import TIME
from lab.backends.witness import Witness, witnessed
from lab.errors import EnvironmentLacks
from lab.functions import DEFINITIONS
from lab.journal import Event
from tests.functions.support import lacks
from tests.patience import LOOK
from tests.run.sabotage import needs_compiler
from tests.run.support import journal_of, last_attempt, run, write

LOOKS = 100

THREADS = """
import signal, threading, time
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
print("up", flush=True)
time.sleep(600)
"""


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[ProcessSandbox]:
    """Two threads that sleep."""
    made = ProcessSandbox("sb-00still", ProcessSpec(("python3", "-c", THREADS), {}, "test", tmp_path))
    await made.start("127.0.0.1:1")
    while "up" not in made.log_since(0):
        await asyncio.sleep(LOOK)
    yield made
    await made.stop()


def left_in(folder: Path) -> set[str]:
    return {path.suffix for path in folder.iterdir()}


async def test_nothing_but_its_log_is_left_of_one_that_ended(sandbox: ProcessSandbox, tmp_path: Path) -> None:
    await sandbox.stop()
    assert left_in(tmp_path) == {".log"}


async def test_nothing_is_left_of_one_that_could_not_start(tmp_path: Path) -> None:
    made = ProcessSandbox("sb-00never", ProcessSpec(("/no/such/program",), {}, "test", tmp_path))
    with pytest.raises(EnvironmentLacks):
        await made.start("127.0.0.1:1")
    await made.stop()
    assert left_in(tmp_path) == {".log"}


async def test_the_number_of_an_untouched_sandbox_does_not_move(sandbox: ProcessSandbox) -> None:
    for _ in range(LOOKS):
        await sandbox.freeze()
        frozen = await sandbox.switches()
        assert frozen
        await asyncio.sleep(LOOK)
        assert await sandbox.switches() == frozen
        await sandbox.thaw()


async def test_a_thaw_behind_the_labs_back_moves_it(sandbox: ProcessSandbox) -> None:
    for _ in range(LOOKS):
        await sandbox.freeze()
        frozen = await sandbox.switches()
        os.killpg(sandbox.main_pid(), signal.SIGCONT)
        os.killpg(sandbox.main_pid(), signal.SIGSTOP)
        while not await sandbox.is_frozen():
            await asyncio.sleep(0)
        assert await sandbox.switches() != frozen
        await sandbox.thaw()


async def test_the_number_of_what_has_ended_is_none(sandbox: ProcessSandbox) -> None:
    await sandbox.stop()
    assert await sandbox.switches() is None


STORY = """\
title: A test
question: Does it?
story: s
look_at: l
upstream: {idle_timeout: 300s, close: fin}
function: %s
timeline: [invoke, freeze: 10s, invoke]
arms:
  - {name: below, role: control, title: Below the limit, expect: {outcome: ok}}
"""


async def events_of(folder: Path, function: str, more: str = "") -> tuple[Event, ...]:
    made = await run(write(folder, STORY % function + more), folder)
    events = last_attempt(journal_of(made))
    assert not [event for event in events if event.kind == "trouble"]
    return events


CASES = [(client, shape) for client, defined in DEFINITIONS.items() for shape in defined.shapes]


@needs_compiler
@pytest.mark.parametrize(("client", "shape"), CASES, ids=["-".join(case) for case in CASES])
async def test_the_kernel_tells_an_event_loop_from_none(tmp_path: Path, client: str, shape: str) -> None:
    if why := lacks(DEFINITIONS[client]):
        pytest.skip(why)
    events = await events_of(tmp_path, f"{{client: '{client}', shape: {shape}, preset: seed}}")
    (seen,) = [event for event in events if event.kind == "witnessed"]
    assert seen["loop"] is (shape != "sync")
    assert seen["preloaded"] == ([] if DEFINITIONS[client].language == "go" else [TIME])
    assert seen["wake"] == "interrupted", "as its clock page says, which a Go program has too"
    (frozen,) = [event for event in events if event.kind == "frozen"]
    (thawed,) = [event for event in events if event.kind == "thawed"]
    assert frozen["switches"] == thawed["switches"] > 0
    (left,) = [event for event in events if event.kind == "connections-left"]
    assert left["open"] == [{"connection": 1, "client": "ESTABLISHED"}]
    (state,) = [event for event in events if event.kind == "tcp-state"]
    assert state["info"]["client"]["unacked_bytes"] == 0


async def test_a_loop_is_seen_that_just_finishes_its_work(tmp_path: Path) -> None:
    """Awake, and looked at as soon as it has asked for the next event."""
    for number in range(5):
        folder = tmp_path / str(number)
        folder.mkdir()
        made = await run(write(folder, (STORY % "{shape: loop}").replace("freeze:", "wait:")), folder)
        (seen,) = [event for event in last_attempt(journal_of(made)) if event.kind == "witnessed"]
        assert seen["loop"] is True


HOLDS_A_SOCKET = """
import os, socket
held = socket.socket()
print("up", os.fstat(held.fileno()).st_ino, flush=True)
while True: pass
"""


async def test_of_a_thread_that_runs_the_kernel_shows_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "REST_BOUND", 0.05)
    busy = ProcessSandbox("sb-00busy", ProcessSpec(("python3", "-c", HOLDS_A_SOCKET), {}, "test", tmp_path))
    await busy.start("127.0.0.1:1")
    try:
        while not (said := busy.log_since(0)).endswith("\n"):
            await asyncio.sleep(LOOK)
        inode = int(said.split()[1])
        assert await witnessed(busy.main_pid(), {inode}) == Witness(preloaded=[], loop=None)
        await busy.freeze()
        assert (await witnessed(busy.main_pid(), {inode})).loop is False
        # One that it has closed meanwhile is watched by nobody for that reason.
        assert (await witnessed(busy.main_pid(), {inode + 1_000_000_000})).loop is None
    finally:
        await busy.stop()


@needs_compiler
async def test_what_its_page_makes_of_a_wake_is_seen(tmp_path: Path) -> None:
    events = await events_of(tmp_path, "{}", "wake: uninterrupted\n")
    (seen,) = [event for event in events if event.kind == "witnessed"]
    assert (seen["preloaded"], seen["wake"]) == ([TIME], "uninterrupted")


@needs_compiler
async def test_a_page_that_no_process_has_mapped_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "preload", lambda shim: {})
    events = await events_of(tmp_path, "{}")
    (seen,) = [event for event in events if event.kind == "witnessed"]
    assert (seen["preloaded"], seen.get("wake")) == ([], None)


async def test_nothing_is_left_of_a_client_that_closes(tmp_path: Path) -> None:
    events = await events_of(tmp_path, "{preset: no_keepalive}")
    (left,) = [event for event in events if event.kind == "connections-left"]
    assert left["open"] == []
