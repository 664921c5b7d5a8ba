"""Two labs on one engine at once: each has its own network, upstream and sandboxes, and removes only those."""

import signal
from pathlib import Path

import docker
import pytest

from lab.backends.docker.engine import LABEL
from tests.docker.support import lab_process, left_of

pytestmark = pytest.mark.docker

STORY = """\
title: One of two
question: Does it?
story: s
look_at: l
upstream: {{idle_timeout: 300s, close: rst}}
link: lost
speed: 100
timeline: [invoke, freeze: {frozen}, invoke]
arms:
  - {{name: bug, role: bug, title: t, expect: {{outcome: reset, executions: [1, 0]}}}}
  - {{name: again, role: bug, title: t, expect: {{outcome: reset, executions: [1, 0]}}}}
"""


def test_two_labs_do_not_touch_each_other(tmp_path: Path, engine: docker.DockerClient) -> None:
    short, long = tmp_path / "short.yaml", tmp_path / "long.yaml"
    short.write_text(STORY.format(frozen="6m"))
    long.write_text(STORY.format(frozen="6h"))
    with lab_process(str(long), out=tmp_path / "b") as b, lab_process(str(short), out=tmp_path / "a") as a:
        for lab in (a, b):
            lab.await_seen("sandbox", "frozen", 2)
        of_a, of_b = left_of(a.mark, engine), left_of(b.mark, engine)
        assert not set(of_a.containers) & set(of_b.containers)
        assert of_a.networks != of_b.networks
        assert addresses(engine, a.mark).isdisjoint(addresses(engine, b.mark))

        status, _, err = a.wait()
        assert status == 0, err
        assert not left_of(a.mark, engine)
        assert left_of(b.mark, engine) == of_b, "the first lab's end took something of the second's"
        assert not b.seen("lab", "trouble")
        b.signal(signal.SIGINT)  # its gap would last for minutes
        status, _, err = b.wait()
        assert status == 128 + signal.SIGINT, err
        assert not left_of(b.mark, engine)


def addresses(engine: docker.DockerClient, mark: str) -> set[str]:
    """Of a lab's containers, as far as they have one of their own."""
    containers = engine.containers.list(filters={"label": f"{LABEL}={mark}"})
    networks = [network for c in containers for network in c.attrs["NetworkSettings"]["Networks"].values()]
    return {network["IPAddress"] for network in networks if network["IPAddress"]}
