"""Freezing a container, by its cgroup and by the engine's pause: what counts is what the kernel says."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from lab.backends.docker import freezer
from lab.backends.docker.freezer import Cgroup, Freezer, find_cgroup
from lab.lambda_service.invocation import InvokeResult
from lab.lambda_service.sandbox import FreezeFailed
from tests.docker.support import Room, Stand, open_room, without_traceback
from tests.patience import COMMAND_PATIENCE, LOOK

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def room(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Room]:
    async with open_room(tmp_path_factory.mktemp("logs")) as opened:
        yield opened


@pytest.fixture(params=["cgroup", "engine pause"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways; the engine's is taken where the cgroup may not be written."""
    if request.param == "engine pause":
        monkeypatch.setattr(Cgroup, "may_write", False)
    elif not any(os.access(tree, os.W_OK) for tree in (freezer.CGROUPS / "freezer", freezer.CGROUPS)):
        pytest.skip("this user may not write cgroups, so the engine's pause is its only way")
    return str(request.param)


async def settled(stand: Stand) -> None:
    await asyncio.wait_for(stand.function.settled(), COMMAND_PATIENCE)


async def ended(stand: Stand, what: str) -> InvokeResult:
    """The next invocation, which a sandbox that is gone cannot serve: it ends in bounded time."""
    result = await asyncio.wait_for(stand.function.invoke(b"{}"), COMMAND_PATIENCE)
    assert without_traceback("\n".join(map(repr, stand.recorder.events))), what
    return result


def of(stand: Stand) -> Freezer:
    """A freezer on the stand's container, with the engine's own pause behind it."""
    container = stand.container

    class Pause:
        async def pause(self) -> None:
            await asyncio.to_thread(container.pause)

        async def unpause(self) -> None:
            await asyncio.to_thread(container.unpause)

    return Freezer(container.id, Pause())


async def test_it_freezes_and_thaws_as_the_kernel_says(room: Room, way: str) -> None:
    async with room.stand("freezes") as stand:
        told = await stand.invoke()
        assert told["outcome"] == "ok"
        await settled(stand)
        assert stand.frozen_in_kernel()
        assert of(stand).how == way
        assert (stand.container.status == "paused") == (way == "engine pause")
        assert (await stand.invoke())["attempts"][0]["reused"], "thawed, it goes on where it was"
        await settled(stand)
        assert stand.kinds("sandbox") == ["started", "ready", "asked", "frozen", "thawed", "asked", "frozen"]
        assert all(event["confirmed"] for event in stand.recorder.events if event.kind == "frozen")
        assert all(event["was_frozen"] for event in stand.recorder.events if event.kind == "thawed")


async def test_twice_is_as_good_as_once(room: Room, way: str) -> None:
    async with room.stand("twice", freezes=False) as stand:
        await stand.invoke()
        await settled(stand)
        freezer = of(stand)
        await freezer.set(False)
        assert not stand.frozen_in_kernel(), "thawing what is not frozen changes nothing"
        await freezer.set(True)
        await freezer.set(True)
        assert stand.frozen_in_kernel()
        await freezer.set(False)
        await freezer.set(False)
        assert not stand.frozen_in_kernel()
        assert (await stand.invoke())["outcome"] == "ok"


async def test_it_is_stopped_while_frozen(room: Room, way: str) -> None:
    async with room.stand("stopped") as stand:
        await stand.invoke()
        await settled(stand)
        container = stand.container
        assert stand.frozen_in_kernel()
    stopped = stand.recorder.events[-2]
    assert (stopped.kind, stopped["exit"]) == ("stopped", -9)
    assert find_cgroup(container.id) is None
    assert not room.client.containers.list(all=True, filters={"name": container.name})


async def test_it_is_killed_while_frozen(room: Room, way: str) -> None:
    async with room.stand("killed") as stand:
        await stand.invoke()
        await settled(stand)
        stand.container.kill()
        result = await ended(stand, "killed")
        assert result.function_error == "Unhandled"
        assert b"Runtime.ExitError" in result.payload
        assert (await stand.invoke())["outcome"] == "ok", "the next invocation gets a sandbox of its own"


async def test_its_container_is_removed_while_frozen(room: Room, way: str) -> None:
    async with room.stand("removed") as stand:
        await stand.invoke()
        await settled(stand)
        container = stand.container
        freezer.thaw_by_cgroup(container.id)  # no engine can kill what it does not know to be frozen (cgroup v1)
        container.remove(force=True)
        result = await ended(stand, "removed")
        assert result.function_error == "Unhandled"
        assert (await stand.invoke())["outcome"] == "ok"


async def test_both_its_containers_are_removed_while_idle(room: Room) -> None:
    async with room.stand("both-removed", freezes=False) as stand:
        await stand.invoke()
        await settled(stand)
        for container in (stand.container, stand.side_container):
            container.remove(force=True)
        await stand.recorder.wait_for(lambda event: event.kind == "stopped", "the lab to notice", COMMAND_PATIENCE)
        assert (await stand.invoke())["outcome"] == "ok"


async def test_freezing_what_is_gone_fails_and_does_not_hang(room: Room, way: str) -> None:
    async with room.stand("gone", freezes=False) as stand:
        await stand.invoke()
        freezer = of(stand)
        stand.container.remove(force=True)
        for wanted in (True, False):
            with pytest.raises(FreezeFailed, match=r"could not be|nothing confirms"):
                await asyncio.wait_for(freezer.set(wanted), COMMAND_PATIENCE)
        assert await freezer.is_frozen() is False


async def test_a_pause_without_effect_is_not_believed(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freezer, "CONFIRM_BOUND", 0.3)
    monkeypatch.setattr(Cgroup, "may_write", False)
    async with room.stand("no-effect", freezes=False) as stand:
        await stand.invoke()

        class SaysYes:
            async def pause(self) -> None:
                return None

            async def unpause(self) -> None:
                return None

        with pytest.raises(FreezeFailed, match="the kernel did not say frozen"):
            await Freezer(stand.container.id, SaysYes()).set(True)


async def test_an_engine_that_is_slow_fails_the_freeze_and_not_the_lab(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freezer, "CONFIRM_BOUND", 0.2)
    monkeypatch.setattr(freezer, "ENGINE_BOUND", 0.2)
    monkeypatch.setattr(Cgroup, "may_write", False)
    async with room.stand("slow", freezes=False) as stand:
        await stand.invoke()
        container = stand.container
        wait_no_more = asyncio.Event()

        class Slow:
            async def pause(self) -> None:
                await wait_no_more.wait()
                await asyncio.to_thread(container.pause)

            async def unpause(self) -> None:
                await asyncio.to_thread(container.unpause)

        slow = Freezer(container.id, Slow())
        with pytest.raises(FreezeFailed, match="the kernel did not say frozen"):
            await slow.set(True)
        with pytest.raises(FreezeFailed, match="has not answered"):
            await slow.set(False)
        wait_no_more.set()
        monkeypatch.setattr(freezer, "CONFIRM_BOUND", COMMAND_PATIENCE)
        monkeypatch.setattr(freezer, "ENGINE_BOUND", COMMAND_PATIENCE)
        await slow.set(False)
        assert not stand.frozen_in_kernel(), "a freeze that comes late is thawed all the same"
        await slow.finish()


async def test_a_freeze_that_nobody_can_see_is_not_believed(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    async with room.stand("unseen", freezes=False) as stand:
        await stand.invoke()
        monkeypatch.setattr(freezer, "CGROUPS", Path("/nowhere"))
        with pytest.raises(FreezeFailed, match="its cgroup is not visible under /nowhere"):
            await of(stand).set(True)
        assert stand.container.status == "paused", "it was frozen, and still does not count"
        with pytest.raises(FreezeFailed):
            await of(stand).set(False)
        assert stand.container.status == "running"


@pytest.mark.parametrize("version", [1, 2])
async def test_either_version_of_cgroups_is_ordered_and_believed(version: int) -> None:
    """Whatever this machine's engine uses: a real cgroup of each version that can be made here."""
    trees = (freezer.CGROUPS, freezer.CGROUPS / "unified", freezer.CGROUPS / "freezer")
    known = [tree for tree in trees if (tree / "cgroup.procs").exists()]
    parent = next((tree for tree in known if (tree / "cgroup.controllers").exists() == (version == 2)), None)
    if parent is None or not os.access(parent, os.W_OK):
        pytest.skip(f"no cgroup of version {version} can be made here")
    folder = parent / f"thawlab-test-{os.getpid()}"
    folder.mkdir()
    process = await asyncio.create_subprocess_exec("sleep", "600")
    try:
        (folder / "cgroup.procs").write_text(str(process.pid))
        cgroup = Cgroup(folder, version)
        assert cgroup.may_write
        for frozen in (True, False):
            cgroup.order(frozen)
            async with asyncio.timeout(COMMAND_PATIENCE):
                while cgroup.is_frozen() != frozen:
                    await asyncio.sleep(LOOK)
    finally:
        process.kill()
        await process.wait()
        folder.rmdir()


async def test_switches_move_only_when_it_ran(room: Room, way: str) -> None:
    async with room.stand("switches", freezes=False) as stand:
        await stand.invoke()
        await settled(stand)
        freezer = of(stand)
        for _ in range(20):
            await freezer.set(True)
            frozen = await freezer.switches()
            assert frozen
            await asyncio.sleep(LOOK)
            assert await freezer.switches() == frozen
            await freezer.set(False)  # behind the lab's back, as it were
            await freezer.set(True)
            assert await freezer.switches() != frozen
            await freezer.set(False)


async def test_where_processes_are_out_of_sight_their_processor_time_tells(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for a lab in a container."""
    monkeypatch.setattr(Cgroup, "pids", property(lambda _: []))
    async with room.stand("out-of-sight", freezes=False) as stand:
        await stand.invoke()
        await settled(stand)
        freezer = of(stand)
        assert freezer.main_pid() is None
        for _ in range(20):
            await freezer.set(True)
            frozen = await freezer.switches()
            assert frozen
            await asyncio.sleep(LOOK)
            assert await freezer.switches() == frozen
            await freezer.set(False)
            await stand.invoke()
            await settled(stand)
            assert await freezer.switches() != frozen


async def test_the_functions_process_is_found_among_the_machines(room: Room) -> None:
    async with room.stand("found", freezes=False) as stand:
        await stand.invoke()
        await settled(stand)
        about = await asyncio.to_thread(stand.client.api.inspect_container, stand.container.id)
        assert of(stand).main_pid() == about["State"]["Pid"]
