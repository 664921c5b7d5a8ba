"""Sabotage of blue-green: a name that was not moved proves nothing, and a client that leaves is not a bug."""

from pathlib import Path

import pytest

from tests.backends.delegating import DelegatingUpstream, with_upstream_handle
from tests.run.support import only_arm, results_of, run, write

pytestmark = pytest.mark.docker

STORY = """\
title: A test
question: Does it?
story: s
look_at: l
upstream: {}
function: {preset: seed}
timeline: [invoke, freeze: 20s, move, freeze: 20s, invoke]
arms:
  - {name: bug, role: bug, title: The bug, expect: {outcome: ok, connections: 1, served_by: old}}
"""
LEAVES = """\
  - {name: leaves, role: bug, title: A client that leaves, change: {function: {preset: no_keepalive}},
     expect: {outcome: ok, connections: 1, served_by: old}}
"""


class NeverMoves(DelegatingUpstream):
    """A name that stays where it is."""

    async def move_name(self) -> None:
        return None


async def test_a_name_that_was_not_moved(tmp_path: Path) -> None:
    named = write(tmp_path, STORY)
    folder = await run(named, tmp_path, sandbox="docker", wrap=with_upstream_handle(NeverMoves), once=True)
    arm = only_arm(results_of(named, folder))
    assert arm.verdict == "inconclusive"
    assert "fault_delivered" in arm.guard.missing


async def test_without_sabotage_it_passes_and_a_client_that_leaves_proves_nothing(tmp_path: Path) -> None:
    named = write(tmp_path, STORY + LEAVES)
    bug, leaves = results_of(named, await run(named, tmp_path, sandbox="docker")).scenarios[0].arms
    assert bug.verdict == "pass", bug.why
    assert leaves.verdict == "inconclusive"
    assert "reused_connection" in leaves.guard.missing
