"""Without a JDK and Maven these tests are skipped. Where they are, the function is built once for all of them."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from lab.backends.process.upstream import upstream_process
from lab.cleanup.procfs import lab_mark
from lab.functions import java
from lab.functions.program import Built
from lab.lambda_service.service import LambdaService
from tests.functions.support import Hall, lacks


@pytest.fixture(scope="session")
def program() -> Built:
    if why := lacks(java.DEFINITIONS[0]):
        pytest.skip(why)
    return java.Java().here()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def hall(program: Built, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    async with upstream_process(lab_mark(os.getpid())) as upstream, LambdaService() as service:
        made = Hall(upstream, service, Path(tmp_path_factory.mktemp("java")))
        async with made.door(tls="close-notify") as door:
            made.ca_pem = door.listener.ca_pem or ""
        yield made
