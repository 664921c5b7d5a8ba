"""A connection's greatest age, however busy it is; and a gateway that keepalive probes refresh."""

import asyncio
import socket

import pytest

from tests.upstream_server.support import IDLE, Bench, PlainClient, needs_repair, needs_tap, request_bytes
from upstream_server.behaviour import Behaviour
from upstream_server.events import now

AGE = 0.3
"""Real seconds: long enough for some requests on a busy machine."""
BETWEEN = 0.02
"""Real seconds between two requests of a busy connection."""
MODES = [
    pytest.param("fin", {}),
    pytest.param("rst", {}),
    pytest.param("vanish", {"vanish": "deferred"}),
    pytest.param("vanish", {"vanish": "repair"}, marks=[needs_repair, needs_tap]),
]
GATEWAY = 1.6
"""Real seconds: kernels send probes in whole seconds, so this is refreshed in time by one each second."""

TOLD_LATE = 0.05
"""Real seconds by which a busy machine may report a connection later than its age began."""


def age(bench: Bench) -> float:
    """How old the first connection was when it was given up."""
    (opened,), (gave_up,) = bench.events("connection-opened", connection=1), bench.events("gave-up", connection=1)
    return float(gave_up["t"] - opened["t"])


@pytest.mark.parametrize(("close", "options"), MODES)
async def test_a_busy_connection_ends_at_its_age_unannounced(bench: Bench, close: str, options: dict[str, str]) -> None:
    listener = await bench.listener(idle_timeout=30.0, max_age=AGE, close=close, **options)
    client = await bench.client(listener)
    headers = []
    while not bench.events("gave-up"):
        headers.append((await client.request()).headers)
        await asyncio.sleep(BETWEEN)
    (gave_up,) = bench.events("gave-up")
    assert (gave_up["why"], gave_up["mode"]) == ("max age", close)
    assert age(bench) >= AGE - TOLD_LATE
    assert len(headers) > 1
    assert not any("connection" in each for each in headers)
    assert len(bench.events("response")) == len(headers)
    assert client.state == {"fin": "CLOSE-WAIT", "rst": None, "vanish": "ESTABLISHED"}[close]


async def test_an_idle_connection_ends_when_it_reaches_its_age(bench: Bench) -> None:
    client = await bench.given_up(await bench.listener(max_age=AGE))
    assert bench.events("gave-up", why="max age")
    assert age(bench) == pytest.approx(AGE, abs=AGE)
    assert await client.recv() == b""


async def test_a_request_that_runs_past_the_age_is_answered_first(bench: Bench) -> None:
    client = await bench.client(await bench.listener(max_age=IDLE, close="rst"))
    whole = request_bytes(body=b"0123456789")
    await client.send(whole[:-1])
    await asyncio.sleep(2 * IDLE)
    assert not bench.events("gave-up")
    await client.send(whole[-1:])
    assert (await client.response()).status == 201
    await bench.event("gave-up", why="max age")


async def test_requests_that_wait_are_answered_first(bench: Bench) -> None:
    client = await bench.client(await bench.listener(max_age=IDLE, close="rst"))
    whole = b"".join(request_bytes() for _ in range(5))
    await client.send(whole[:-1])
    await asyncio.sleep(2 * IDLE)
    await client.send(whole[-1:])
    await bench.event("gave-up", why="max age")
    assert len(bench.events("response")) == 5


@pytest.mark.parametrize(("close", "options"), MODES)
async def test_the_answer_of_an_old_connection_is_not_cut(bench: Bench, close: str, options: dict[str, str]) -> None:
    size = 8_000_000  # more than the kernel holds
    client = await bench.client(await bench.listener(max_age=IDLE, close=close, **options))
    await client.send(request_bytes(path=f"/orders?response_bytes={size}"))
    await bench.event("executed")
    await asyncio.sleep(2 * IDLE)
    assert not bench.events("gave-up")
    assert len((await client.response()).body) == size
    await bench.event("gave-up", why="max age")


async def test_the_idle_timeout_comes_first_where_it_is_shorter(bench: Bench) -> None:
    await bench.given_up(await bench.listener(idle_timeout=IDLE, max_age=30.0))
    assert bench.events("gave-up", why="idle timeout")


async def test_the_age_can_be_changed(bench: Bench) -> None:
    listener = await bench.listener()
    client = await bench.client(listener)
    await client.request()
    listener.change(Behaviour(max_age=0.001))
    await client.request()
    await bench.event("gave-up", why="max age")
    assert bench.events("behaviour-changed")[0]["max_age"] == 0.001


def probe_each_second(client: PlainClient) -> None:
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)


async def probed(bench: Bench, refresh: str) -> PlainClient:
    """A connection that was used once, behind a gateway, and sends probes from then on."""
    listener = await bench.listener(gateway_timeout=GATEWAY, gateway_refresh=refresh)
    client = await bench.client(listener)
    probe_each_second(client)
    await client.request()
    return client


async def test_probes_keep_a_gateway_awake_that_counts_them(bench: Bench) -> None:
    client = await probed(bench, "probes")
    await asyncio.sleep(2 * GATEWAY)
    assert not bench.events("gave-up")
    assert len(bench.events("gateway-refreshed")) == 1
    assert (await client.request()).status == 201
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)
    await bench.event("gave-up", why="gateway")


async def test_probes_are_nothing_to_a_gateway_that_counts_requests(bench: Bench) -> None:
    began = now()
    await probed(bench, "requests")
    gave_up = await bench.event("gave-up", why="gateway")
    assert GATEWAY <= gave_up["t"] - began < 2 * GATEWAY
    assert not bench.events("gateway-refreshed")


async def test_a_late_acknowledgement_of_an_answer_is_not_a_probe(bench: Bench) -> None:
    listener = await bench.listener(gateway_timeout=IDLE, gateway_refresh="probes")
    client = await bench.client(listener)
    for _ in range(2):
        await client.request()
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
    await client.request()
    await bench.event("gave-up", why="gateway")
    assert not bench.events("gateway-refreshed")


async def test_probes_do_not_refresh_the_upstreams_own_timeout(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=1.5 * GATEWAY, gateway_timeout=GATEWAY, gateway_refresh="probes")
    client = await bench.client(listener)
    probe_each_second(client)
    await client.request()
    await bench.event("gave-up", why="idle timeout")
    assert bench.events("gateway-refreshed")
