"""What the kernel says of containers: their connections, what they wait for, what is left; and no balancer stays."""

from pathlib import Path
from typing import cast

import pytest

from lab.backends.base import OpenBackend
from lab.backends.docker.backend import DockerBackend
from lab.backends.docker.engine import connect
from lab.journal import Event
from tests.run.support import journal_of, last_attempt, run, write

pytestmark = pytest.mark.docker

STORY = """\
title: A test
question: Does it?
story: s
look_at: l
upstream: {idle_timeout: 300s, close: fin}
speed: 50
timeline: [invoke, freeze: 60s, invoke]
arms:
  - {name: sync, role: control, title: No loop, expect: {outcome: ok}}
  - {name: loop, role: control, title: A loop, change: {function: {shape: loop}}, expect: {outcome: ok}}
  - {name: uninterrupted, role: control, title: A wake that no wait is told of, expect: {outcome: ok},
     change: {wake: uninterrupted, clock: stalls}}
  - {name: nginx, role: control, title: Behind a balancer, expect: {outcome: ok},
     change: {balancer: {server: nginx, idle_timeout: 600s}}}
  - {name: again, role: control, title: Behind another one, expect: {outcome: ok},
     change: {balancer: {server: nginx, idle_timeout: 600s}}}
"""


async def test_of_containers_the_kernel_says_the_same(tmp_path: Path) -> None:
    networks: list[str] = []

    def note(backend: OpenBackend) -> OpenBackend:
        networks.append(cast(DockerBackend, backend).network)
        return backend

    named = write(tmp_path, STORY)
    events = last_attempt(journal_of(await run(named, tmp_path, wrap=note, sandbox="docker")))

    def one(arm: str, kind: str) -> Event:
        (event,) = [event for event in events if (event.scope.arm, event.kind) == (arm, kind)]
        return event

    for arm in ("sync", "loop", "uninterrupted", "nginx", "again"):
        assert one(arm, "frozen")["switches"] == one(arm, "thawed")["switches"] > 0
        state = one(arm, "tcp-state")
        assert (state["client"], state["upstream"]) == ("ESTABLISHED", "ESTABLISHED")
        assert state["info"]["upstream"]["last_data_received_ms"] >= 1000, "the gap, in real time"
        assert state["info"]["client"]["unacked_bytes"] == 0
        assert one(arm, "connections-left")["open"] == [{"connection": 1, "client": "ESTABLISHED"}]
    assert one("sync", "tcp-state")["info"]["client"]["last_data_sent_ms"] >= 1000
    seen = {arm: one(arm, "witnessed") for arm in ("sync", "loop", "uninterrupted", "nginx")}
    assert {arm: event["loop"] for arm, event in seen.items()} == {
        "sync": False,
        "loop": True,
        "uninterrupted": False,
        "nginx": False,
    }
    assert {arm: event["preloaded"] for arm, event in seen.items()} == {arm: ["time"] for arm in seen}
    assert {arm: event["wake"] for arm, event in seen.items()} == {
        "sync": "interrupted",
        "loop": "interrupted",
        "uninterrupted": "uninterrupted",
        "nginx": "interrupted",
    }
    (network,) = networks
    left = connect().containers.list(all=True, filters={"name": f"{network}-"}, ignore_removed=True)
    assert not left
