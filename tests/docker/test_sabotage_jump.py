"""Jumps in containers, sabotaged on the way from the lab to the function: no verdict may be `pass`.

The truth is one lab, all lies another: each lie is done to the sandboxes of the arms that bear its name.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from lab.backends.base import Site
from lab.backends.docker.agent import PAGE
from lab.backends.docker.engine import connect
from lab.backends.docker.sandbox import DockerSandbox
from lab.journal import Recorder
from lab.lambda_service.sandbox import SandboxFactory
from lab.lambda_service.service import FunctionSpec
from lab.plan.experiment import Experiment
from lab.scenario.words import Wake
from lab.verdict.results import ArmResult
from tests.backends.delegating import DelegatingSite, Wrap, with_sites
from tests.run.support import honest, results_of, run, write

pytestmark = pytest.mark.docker

HEAD = """\
title: A jump
question: Does it arrive?
story: s
look_at: l
upstream: {}
timeline: [invoke, invoke]
arms:
"""
STORIES = {
    "frozen": (
        "upstream: {idle_timeout: 300s, close: rst}, link: lost, timeline: [invoke, freeze: 6m, invoke]",
        "outcome: reset, executions: [1, 0], connections: 1",
    ),
    "awake": (
        "upstream: {idle_timeout: 300s, close: rst}, timeline: [invoke, wait: 6m, invoke]",
        "outcome: reset, executions: [1, 0], connections: 1",
    ),
    "hangs": (
        "upstream: {faults: [{at: executed, do: stall, requests: [2]}]}, function: {preset: sane}",
        "outcome: timeout, executions: [1, 1], connections: 1",
    ),
}


def nothing_is_moved(sandbox: DockerSandbox) -> None:
    """The lab's clock jumps, and the page does not hear of it."""

    async def move(mono: float, wall: float) -> None:
        return None

    setattr(sandbox.link, "move_clock", move)  # noqa: B010


def the_agent_only_says_so(sandbox: DockerSandbox) -> None:
    """It answers, and every wait looks at the page; the clocks stay where they are."""
    real = sandbox.link.move_clock

    async def move(mono: float, wall: float) -> None:
        await real(0.0, 0.0)

    setattr(sandbox.link, "move_clock", move)  # noqa: B010


def half_of_it(sandbox: DockerSandbox) -> None:
    """The clocks jump, but not as far as is stated."""
    real = sandbox.link.move_clock

    async def move(mono: float, wall: float) -> None:
        await real(mono / 2, wall / 2)

    setattr(sandbox.link, "move_clock", move)  # noqa: B010


def another_page(sandbox: DockerSandbox) -> None:
    """The agent moves the clocks of a page that the function does not have: a copy has taken its place."""
    real = sandbox.link.make_clock

    async def make(wake: Wake, kernel_speed: float) -> None:
        await real(wake, kernel_speed)
        side = connect().containers.get(sandbox.link.container_id)
        status, said = side.exec_run(["sh", "-c", f"cp -p {PAGE} {PAGE}.new && mv {PAGE}.new {PAGE}"])
        assert status == 0, said

    setattr(sandbox.link, "make_clock", make)  # noqa: B010


def without_the_time_object(sandbox: DockerSandbox) -> None:
    """The function asks the machine's clocks."""
    kept = {name: value for name, value in sandbox._spec.environment.items() if name != "LD_PRELOAD"}
    assert kept != sandbox._spec.environment
    sandbox._spec = replace(sandbox._spec, environment=kept)


LIES: Mapping[str, Callable[[DockerSandbox], None]] = {
    "nothing": nothing_is_moved,
    "says-so": the_agent_only_says_so,
    "half": half_of_it,
    "another": another_page,
    "without": without_the_time_object,
}
LYING = [f"frozen-{lie}" for lie in LIES] + ["awake-nothing", "awake-another"]
LYING += [f"hangs-{lie}" for lie in LIES]


class Lying(DelegatingSite):
    """Its sandboxes are lied about in the way that the arm's name says."""

    def __init__(self, site: Site, arm: str) -> None:
        super().__init__(site)
        _, _, lie = arm.partition("-")
        self._lie = LIES[lie]

    def sandboxes(self, spec: FunctionSpec) -> SandboxFactory:
        make = super().sandboxes(spec)

        def made(name: str) -> DockerSandbox:
            sandbox = cast(DockerSandbox, make(name))
            self._lie(sandbox)
            return sandbox

        return made


def lying(site: Site, experiment: Experiment, recorder: Recorder) -> Site:
    return Lying(site, experiment.scope.arm)


def judged(folder: Path, names: list[str], wrap: Wrap = honest) -> dict[str, ArmResult]:
    """Arms of these names; the first word of each is its story."""
    text = HEAD
    for name in names:
        change, expect = STORIES[name.partition("-")[0]]
        text += f"  - {{name: {name}, role: bug, title: t, change: {{{change}}}, expect: {{{expect}}}}}\n"
    named = write(folder, text)
    done = asyncio.run(run(named, folder, sandbox="docker", wrap=wrap, once=wrap is not honest))
    (scenario,) = results_of(named, done).scenarios
    return {arm.name: arm for arm in scenario.arms}


@pytest.fixture(scope="module")
def lies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ArmResult]:
    return judged(tmp_path_factory.mktemp("lies"), LYING, with_sites(lying))


def test_without_sabotage_they_pass(tmp_path: Path) -> None:
    arms = judged(tmp_path, list(STORIES))
    assert {name: arm.verdict for name, arm in arms.items()} == dict.fromkeys(STORIES, "pass"), arms


@pytest.mark.parametrize("lie", LYING)
def test_a_jump_that_does_not_arrive_never_passes(lies: dict[str, ArmResult], lie: str) -> None:
    arm = lies[lie]
    if lie.startswith("hangs"):  # the platform ends the invocation, since the client never does
        assert arm.verdict in ("inconclusive", "fail"), arm.why
    else:
        assert arm.verdict == "inconclusive", arm.why


@pytest.mark.parametrize("lie", [lie for lie in LYING if lie.startswith("frozen")])
def test_the_functions_own_clocks_give_it_away(lies: dict[str, ArmResult], lie: str) -> None:
    arm = lies[lie]
    assert "clocks_jumped" in arm.guard.missing
    why = (
        "no clock page" if lie == "frozen-without" else "clock had jumped" if lie == "frozen-half" else "had not jumped"
    )
    assert why in arm.why
