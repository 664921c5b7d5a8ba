"""Journals of real runs: each event is one that the vocabulary knows, whole, and valid by the published schema."""

import json
from pathlib import Path

import jsonschema
import pytest

from lab.journal import History, read_journal
from lab.journal.schema import every_kind, schema_text
from lab.journal.vocabulary import VERSION, read
from lab.scenario.words import SandboxKind
from tests.run.support import run, write

EVERY_VERB = """\
title: A test
question: Does it?
story: s
look_at: l
upstream: {idle_timeout: 300s, close: rst}
function: {preset: seed, shape: sync}
timeline: [invoke, freeze: 6m, invoke]
arms:
  - {name: bug, role: bug, title: b, expect: {outcome: [reset, eof]}}
  - name: verbs
    role: contrast
    title: v
    change:
      timeline: [burst: 2, freeze: 2m, restart, invoke, recycle, invoke, wait: 1m, drain, invoke, wait: 1m, event]
    expect: {}
"""
NOT_ALWAYS_MET = {
    # What only a matrix has.
    "matrix-started", "matrix-paused", "build-failed",
    # What only goes wrong, or only some scenarios have.
    "trouble-met", "crashed", "failed", "event-unsent", "unreported", "retry-planned", "fault-struck", "replayed",
    "late-data-received", "late-close-received", "balancer-started", "balancer-gave-up", "gateway-refreshed",
    "cut", "restored", "name-moved",
    # What the upstream can be asked for, and no scenario asks.
    "behaviour-changed", "listener-refused", "clock-moved",
}  # fmt: skip
"""Kinds that a run of every verb, in processes and without a fault, need not have."""


def check(path: Path) -> set[str]:
    """Every line of a journal is valid, and what it is read as; the lawful names of its kinds."""
    published = jsonschema.Draft202012Validator(json.loads(schema_text()))
    events = read_journal(path)
    assert not History(events).problems
    assert {event.version for event in events} == {VERSION}
    for line in path.read_text().splitlines():
        published.validate(json.loads(line))
    kinds = [read(event) for event in events]
    assert None not in kinds, [event for event in events if read(event) is None]
    return {kind.spellings[0] for kind in kinds if kind is not None}


async def test_a_run_of_every_verb_writes_the_whole_vocabulary(tmp_path: Path) -> None:
    seen = check((await run(write(tmp_path, EVERY_VERB), tmp_path)).journal)
    assert seen >= {kind.spellings[0] for kind in every_kind()} - NOT_ALWAYS_MET


@pytest.mark.docker
async def test_a_run_in_containers(tmp_path: Path) -> None:
    docker: SandboxKind = "docker"
    story = EVERY_VERB.replace("function:", "link: lost\nfunction:", 1)
    seen = check((await run(write(tmp_path, story), tmp_path, arms=("bug",), sandbox=docker)).journal)
    assert seen >= {"cut", "restored", "socket-examined"}
