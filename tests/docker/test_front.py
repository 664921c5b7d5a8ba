"""A balancer that loses patience with its client: what its arms must prove, and what they are worth without it."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from lab.backends.base import BalancerHandle
from lab.journal import Event
from lab.runs.folder import RunFolder
from lab.scenario.load import find
from lab.verdict.judge import judge
from tests.backends.delegating import DelegatingSite, with_sites
from tests.run.support import journal_of, results_of, run

pytestmark = pytest.mark.docker

STORY = "balancer-patience"
ARMS = ("bug", "idle-timeout")
Damage = Callable[[Event], Event | None]


class Patient(DelegatingSite):
    """Its kernel says for ever that the balancer keeps the function's connection."""

    @property
    def balancer(self) -> BalancerHandle:
        return self

    async def client_states(self, ports: Sequence[int]) -> list[str]:
        return ["ESTABLISHED" for _ in ports]


def changed(**data: object) -> Damage:
    def damage(event: Event) -> Event:
        told = event.kind == "balancer-gave-up"
        return replace(event, data={**event.data, **data}) if told else event

    return damage


def opened_before_the_freeze(event: Event) -> Event:
    return replace(event, data={**event.data, "open_at": 0.0}) if event.kind == "balancer-gave-up" else event


def unseen(event: Event) -> Event | None:
    return None if event.kind == "balancer-gave-up" else event


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """One run, of both balancers."""
    arms = (*ARMS, "haproxy")
    return asyncio.run(run(find(STORY), tmp_path_factory.mktemp("front"), arms=arms, sandbox="docker"))


def verdicts_of(events: Sequence[Event]) -> dict[str, str]:
    arms = judge([find(STORY)], events).scenarios[0].arms
    return {arm.name: arm.verdict for arm in arms if arm.name in ARMS}


def test_the_close_of_a_balancer_is_proved_by_the_functions_kernel(done: RunFolder) -> None:
    journal = journal_of(done)
    assert verdicts_of(journal) == dict.fromkeys(ARMS, "pass")
    damages: list[Damage] = [
        unseen,
        opened_before_the_freeze,
        changed(mode="rst"),
        changed(state="CLOSE"),
        changed(local_port=1),
    ]
    for damage in damages:
        damaged = [kept for event in journal if (kept := damage(event)) is not None]
        assert verdicts_of(damaged) == dict.fromkeys(ARMS, "inconclusive"), damage


async def test_a_balancer_that_keeps_the_connection_proves_nothing(tmp_path: Path) -> None:
    named = find(STORY)
    patient = with_sites(lambda site, experiment, recorder: Patient(site))
    done = await run(named, tmp_path, arms=("bug",), sandbox="docker", wrap=patient, once=True)
    (bug,) = results_of(named, done).scenarios[0].arms
    assert bug.verdict == "inconclusive"
    assert "for the balancer to give up the function's connection" in bug.why


@pytest.mark.parametrize(("server", "arm"), [("nginx", "bug"), ("haproxy", "haproxy")])
def test_the_journal_names_the_balancers_version(done: RunFolder, server: str, arm: str) -> None:
    started = [event for event in journal_of(done) if event.kind == "balancer-started" and event.scope.arm == arm]
    (told,) = {f"{event['server']} {event['version']}" for event in started}
    assert re.match(rf"{server} \d+\.\d+\.\d+", told)
    results = results_of(find(STORY), done)
    (found,) = [found for found in results.scenarios[0].arms if found.name == arm]
    assert found.versions["balancer"] == told
    assert results.environment.versions["thawlab"] == version("thawlab")
