"""A service for each test, closed after it, with a look at what it left."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab.lambda_service.service import LambdaService
from tests.lambda_service.support import Lab, alive


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """Without the Invoke API, as scenario runs have it."""
    async with LambdaService() as service:
        made = Lab(service, tmp_path)
        yield made
        await made.end()
    for sandbox in made.sandboxes.values():
        process = getattr(sandbox, "_process", None)
        assert process is None or not alive(process.pid), f"{sandbox} was left behind"
