"""One function of each program, in a container: it answers, makes a fresh client, and reports a reset."""

from collections.abc import AsyncIterator
from dataclasses import replace
from errno import ECONNRESET

import pytest
import pytest_asyncio

from lab.backends.base import OpenBackend
from lab.backends.opening import open_backend
from lab.cli.serve import ServeOptions
from lab.functions import DEFINITIONS, definition
from lab.functions.program import BUILD_BOUND
from lab.journal import Journal, Recorder, Scope
from lab.lambda_service.service import FunctionSpec, LambdaService
from lab.plan.experiment import Experiment
from lab.scenario.parts import Upstream
from tests.functions.nature import WITHOUT_ERRNO
from tests.functions.support import invoke, sha256_of
from tests.patience import COMMAND_PATIENCE

pytestmark = [
    pytest.mark.docker,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(BUILD_BOUND),  # the first of an image has to build it
]


FIRST_OF_PROGRAM = {
    (defined.program.image, defined.program.in_image.command[0]): name
    for name, defined in reversed(DEFINITIONS.items())
}
"""A client of each image, and of each interpreter in it."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def backend(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OpenBackend]:
    async with open_backend("docker", tmp_path_factory.mktemp("logs")) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(backend: OpenBackend) -> AsyncIterator[LambdaService]:
    async with LambdaService(host=backend.runtime_host) as started:
        yield started


@pytest.mark.parametrize("client_in_it", FIRST_OF_PROGRAM.values())
async def test_it_answers_starts_afresh_and_tells_of_a_reset(
    client_in_it: str, backend: OpenBackend, service: LambdaService
) -> None:
    """The sandbox may reach one address only, so the third connection is the one that is reset."""
    experiment = experiment_of(client_in_it)
    recorder = Recorder(Journal(), experiment.scope)
    await backend.prepare(experiment.setting.function)
    async with backend.place(experiment, recorder) as site:
        spec = FunctionSpec(f"function-{client_in_it}", timeout=COMMAND_PATIENCE, freeze_when_idle=False)
        function = service.add(spec, site.sandboxes(spec), recorder.record)
        fresh = {"upstream_url": site.listener.url, "preset": "seed"}
        try:
            first = await invoke(function, {})
            again = await invoke(function, {"requests": [{"id": "b"}], "fresh": fresh})
            reset = await invoke(function, {"requests": [{"id": "c"}], "fresh": fresh})
        finally:
            await service.remove(function)
    sent_again = definition(client_in_it).contract.get("sends", {}).get("reset", 1) > 1
    outcomes = (first.only.outcome, again.only.outcome, reset.only.outcome)
    assert outcomes == ("ok", "ok", "ok" if sent_again else "reset"), reset
    assert (again.invocation, reset.invocation) == (1, 1)
    assert first.versions == again.versions
    assert {answer.preset.sha256 for answer in (first, again, reset)} == {sha256_of(client_in_it, "seed")}
    requests = [(event["connection"], event["number"]) for event in recorder.events if event.kind == "request"]
    assert requests == [(1, 1), (2, 1), (3, 1), *([(4, 1)] if sent_again else [])]
    closed = [(event["connection"], event["by"]) for event in recorder.events if event.kind == "connection-closed"]
    assert closed[:2] == [(1, "client"), (2, "client")]
    errnos = set() if sent_again or definition(client_in_it).language in WITHOUT_ERRNO else {ECONNRESET}
    assert reset.only.errnos == errnos


def experiment_of(client: str) -> Experiment:
    """What `thawlab serve` serves, with an upstream that resets its third connection."""
    served = ServeOptions(
        client=client,
        preset="seed",
        shape=next(iter(definition(client).shapes)),
        sandbox="docker",
        close="fin",
        idle_timeout=1.0,
        host="",
        port=0,
        timeout=COMMAND_PATIENCE,
        max_sandboxes=1,
        jump=360.0,
    ).experiment
    upstream = Upstream.model_validate({"faults": [{"at": "executed", "do": "rst", "connections": [3]}]})
    setting = served.setting.model_copy(update={"upstream": upstream})
    return replace(served, scope=Scope("tests", client, 1), setting=setting)
