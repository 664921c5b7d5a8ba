"""An upstream in a container of the lab's network."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lab.backends.docker.engine import Engine, read_frame
from lab.errors import EnvironmentLacks
from lab.upstream.client import START_BOUND, UpstreamClient

CONTROL_PORT = 8001


@asynccontextmanager
async def upstream_container(
    engine: Engine, image: str, network: str, suffix: str, first_connection: int = 1
) -> AsyncIterator[UpstreamClient]:
    """Start one, called `<network>-<suffix>`, whose connections are numbered from `first_connection`.

    Only the conversation ends with the context: the container is removed with all others of the lab. Raises
    EnvironmentLacks if it does not start.
    """
    token = secrets.token_urlsafe(24)
    container = await engine.create(
        image,
        f"{network}-{suffix}",
        command=["--no-listener", "--announce", "--control-host", "0.0.0.0", "--control-port", str(CONTROL_PORT)],
        environment={"THAWLAB_TOKEN": token},
        network=network,
        cap_drop=["ALL"],
        cap_add=["NET_ADMIN", "NET_RAW"],
        security_opt=["no-new-privileges"],
        read_only=True,
        sysctls={"net.ipv4.tcp_orphan_retries": "1"},
        mem_limit="512m",
        pids_limit=64,
    )
    reader, writer = await engine.attach(container)
    try:
        await engine.call(container.start)
        address = await engine.address(container, network)
        await _announced(reader)
        client = UpstreamClient(f"http://{address}:{CONTROL_PORT}", token, address, first_connection)
        try:
            await client.follow_events()
            yield client
        finally:
            await client.close()
    finally:
        writer.close()


async def _announced(reader: asyncio.StreamReader) -> None:
    """Wait for the one line that the upstream prints when it is ready."""
    said = ""
    try:
        async with asyncio.timeout(START_BOUND):
            while "\n" not in said:
                said += await read_frame(reader)
        json.loads(said)
    except (TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
        last = (said.splitlines() or ["it printed nothing"])[-1]
        raise EnvironmentLacks(f"the upstream's container did not start: {last}") from error
