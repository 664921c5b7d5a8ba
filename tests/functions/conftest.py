"""One upstream process and one Lambda service for all tests of functions; one client's tests after the other."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from lab.backends.process.upstream import upstream_process
from lab.functions import DEFINITIONS
from lab.functions.program import BUILD_BOUND
from lab.lambda_service.service import LambdaService
from tests.functions.support import MARK, Hall, Warm, lacks


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    async with upstream_process(MARK) as upstream, LambdaService() as service:
        made = Hall(upstream, service, tmp_path_factory.mktemp("functions"))
        async with made.door(tls="close-notify") as door:
            made.ca_pem = door.listener.ca_pem or ""
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def warm(hall: Hall, client: str) -> Warm:
    """The client's function, initialised."""
    return await hall.warm(client)


@pytest.fixture(autouse=True)
def toolchain(request: pytest.FixtureRequest) -> None:
    """A client whose language is not installed here is skipped, with the lab's reason."""
    client = _parameters(request.node).get("client")
    if client and "hall" in request.fixturenames and (why := lacks(DEFINITIONS[client])):
        pytest.skip(why)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`client` is each client; with `preset` or `shape`, each of its presets, or of its further shapes."""
    names = metafunc.fixturenames
    clients = DEFINITIONS.items()
    if "preset" in names:
        pairs = [(client, preset) for client, defined in clients for preset in defined.names]
        metafunc.parametrize(("client", "preset"), pairs, ids=["-".join(pair) for pair in pairs])
    elif "shape" in names:
        further = [(client, shape) for client, defined in clients for shape in list(defined.shapes)[1:]]
        metafunc.parametrize(("client", "shape"), further, ids=["-".join(pair) for pair in further])
    elif "client" in names:
        metafunc.parametrize("client", list(DEFINITIONS))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A client's tests in a row, whichever module they are in: they share its process."""
    order = {client: place for place, client in enumerate(DEFINITIONS)}
    ours = [(place, item) for place, item in enumerate(items) if "client" in _parameters(item)]
    sorted_items = sorted((item for _, item in ours), key=lambda item: order[_parameters(item)["client"]])
    for (place, _), item in zip(ours, sorted_items, strict=True):
        items[place] = item
        item.add_marker(pytest.mark.timeout(BUILD_BOUND))  # the first of a program may have to build it


def _parameters(item: pytest.Item) -> dict[str, str]:
    callspec = getattr(item, "callspec", None)
    return callspec.params if callspec and item.path.parent == Path(__file__).parent else {}
