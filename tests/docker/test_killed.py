"""However a lab ends, nothing of it stays: no container, no network, nothing paused."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
import requests
from docker.errors import APIError
from docker.models.networks import Network

from lab.backends.docker import engine as engine_module
from lab.backends.docker import leftovers
from lab.backends.docker.engine import LABEL
from lab.backends.docker.freezer import find_cgroup
from tests.docker.support import (
    REAPED_WITHIN,
    LabProcess,
    await_end_of,
    await_true,
    lab_process,
    left_of,
    thawlab,
    without_traceback,
)
from tests.patience import COMMAND_PATIENCE

pytestmark = pytest.mark.docker

LONG_FREEZE = """\
title: A long freeze
question: Does anything stay?
story: s
look_at: l
upstream: {idle_timeout: 300s, close: rst}
link: lost
speed: 200
timeline: [invoke, freeze: 6h, invoke]
arms:
  - {name: one, role: bug, title: t, expect: {outcome: reset}}
  - {name: two, role: bug, title: t, expect: {outcome: reset}}
"""
ARMS = 2
"""Each has a sandbox of two containers; the upstream's makes one more."""


@pytest.fixture
def frozen_lab(tmp_path: Path, engine: docker.DockerClient) -> Iterator[LabProcess]:
    """A lab whose sandboxes are frozen, for long."""
    story = tmp_path / "story.yaml"
    story.write_text(LONG_FREEZE)
    with lab_process(str(story), out=tmp_path / "runs") as lab:
        lab.await_seen("sandbox", "frozen", ARMS)
        before = left_of(lab.mark, engine)
        assert (len(before.containers), len(before.networks)) == (2 * ARMS + 1, 1)
        assert sum(is_frozen(container) for container in before.containers) == ARMS
        yield lab
    assert not left_of(lab.mark, engine)


def is_frozen(container: str) -> bool:
    cgroup = find_cgroup(container)
    try:
        return cgroup is not None and cgroup.is_frozen()
    except OSError:
        return False  # it has just gone


def test_a_killed_lab_is_cleaned_up_by_its_reaper(frozen_lab: LabProcess, engine: docker.DockerClient) -> None:
    containers = left_of(frozen_lab.mark, engine).containers
    reaper = frozen_lab.reaper
    frozen_lab.signal(signal.SIGKILL)
    await_true(lambda: not left_of(frozen_lab.mark, engine), "the reaper", REAPED_WITHIN)
    assert not any(find_cgroup(container) for container in containers), "a process of the lab is still there"
    await_end_of(reaper, REAPED_WITHIN)
    status, _, err = frozen_lab.wait()
    assert status == -signal.SIGKILL
    assert without_traceback(err), err


@pytest.mark.usefixtures("no_other_clean")
def test_without_its_reaper_clean_removes_everything(frozen_lab: LabProcess, engine: docker.DockerClient) -> None:
    containers = left_of(frozen_lab.mark, engine).containers
    sides = engine.containers.list(filters={"label": f"{LABEL}={frozen_lab.mark}", "name": "-link"})
    assert len(sides) == ARMS
    os.kill(frozen_lab.reaper, signal.SIGKILL)
    frozen_lab.signal(signal.SIGKILL)
    frozen_lab.wait()
    for side in sides:  # its agent ends with its standard input, whatever cleans up
        assert side.wait(timeout=COMMAND_PATIENCE)["StatusCode"] == 0
    assert sum(map(is_frozen, containers)) == ARMS, "nobody was there to thaw them"
    status, out, err = thawlab("clean")
    assert (status, err) == (0, "")
    assert re.search(r"^containers: \d+ removed\nnetworks: \d+ removed", out, re.MULTILINE)
    assert not left_of(frozen_lab.mark, engine)
    assert not any(find_cgroup(container) for container in containers)


@pytest.mark.usefixtures("no_other_clean")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_lab_cleans_up_itself(
    frozen_lab: LabProcess, engine: docker.DockerClient, number: signal.Signals
) -> None:
    before = left_of(frozen_lab.mark, engine)
    assert thawlab("clean")[0] == 0
    assert left_of(frozen_lab.mark, engine) == before, "clean took something of a lab that lives"
    frozen_lab.signal(number)
    status, _, err = frozen_lab.wait(REAPED_WITHIN + COMMAND_PATIENCE)
    assert status == 128 + number
    assert err.strip().splitlines()[-1] == f"thawlab: ended by {number.name}; nothing was left running"
    assert without_traceback(err), err
    assert not left_of(frozen_lab.mark, engine)


@pytest.mark.parametrize("containers", [1, ARMS + 1], ids=["upstream", "sandboxes"])
def test_a_lab_that_is_killed_while_it_starts_leaves_nothing(
    tmp_path: Path, engine: docker.DockerClient, containers: int
) -> None:
    """The engine may still be making what the lab ordered last."""
    story = tmp_path / "story.yaml"
    story.write_text(LONG_FREEZE)
    with lab_process(str(story), out=tmp_path / "runs") as lab:
        await_true(lambda: len(left_of(lab.mark, engine).containers) >= containers, "containers to be made")
        reaper = lab.reaper
        lab.signal(signal.SIGKILL)
        await_end_of(reaper)
    assert not left_of(lab.mark, engine)


def test_a_side_container_that_is_killed(tmp_path: Path, engine: docker.DockerClient) -> None:
    story = tmp_path / "story.yaml"
    story.write_text(LONG_FREEZE.replace("6h", "8m"))
    with lab_process(str(story), "--arm", "one", out=tmp_path / "runs") as lab:
        lab.await_seen("link", "cut")
        (side,) = engine.containers.list(filters={"label": f"{LABEL}={lab.mark}", "name": "-link"})
        side.kill()
        status, out, err = lab.wait()
        assert status == 0, out + err  # what proved nothing is run again
        assert "side container" in (tmp_path / "runs" / "latest" / "journal.jsonl").read_text()
        assert without_traceback(out + err), err
        assert not left_of(lab.mark, engine)


def test_a_network_that_the_engine_miscounts_is_named_and_does_not_stop_clean(
    engine: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine may count an endpoint that is gone, until it is restarted; here it only says so."""
    mark = f"tests-miscounted.{os.getpid()}.1"
    network = engine.networks.create(f"thawlab-{mark}", internal=True, labels={LABEL: mark})
    refused = requests.Response()
    refused.status_code = 403

    def refuse(self: Network) -> None:
        raise APIError("has active endpoints", refused)

    monkeypatch.setattr(leftovers, "marks_in_engine", lambda client: {mark})
    monkeypatch.setattr(engine_module, "MISCOUNTED_AFTER", 0.0)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(Network, "remove", refuse)
            *_, told = leftovers.remove_leftovers()
        assert told == (
            f"networks: the Docker Engine does not remove {network.name}, "
            "for it counts an endpoint that does not exist: restart the engine, then: thawlab clean"
        )
        assert list(leftovers.remove_leftovers()) == ["containers: nothing was left", "networks: 1 removed"]
    finally:
        if engine.networks.list(names=[str(network.name)]):
            network.remove()
