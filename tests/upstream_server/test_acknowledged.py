"""A silent fault in the middle of a request: what came was acknowledged, so the client has nothing to find out."""

from typing import Any

import pytest

from tests.upstream_server.support import (
    SILENCE,
    Bench,
    PlainClient,
    needs_filter,
    needs_repair,
    needs_tap,
    request_bytes,
    unacknowledged,
)
from upstream_server.protocol import FaultProtocol

BODY = b"x" * 1000
MOMENTS: list[dict[str, Any]] = [
    {"at": "request-head"},
    {"at": "request-body", "after_bytes": 500},
    {"at": "executed"},
    {"at": "response-body", "after_bytes": 10},
    {"at": "response-done"},
]
REPAIR = pytest.param("vanish", {"vanish": "repair"}, id="repair", marks=[needs_repair, needs_tap])
SILENT_WAYS = [
    REPAIR,
    pytest.param("vanish", {"vanish": "repair", "tap": "off"}, id="repair-untapped", marks=needs_repair),
    pytest.param("vanish", {"vanish": "deferred"}, id="deferred"),
    pytest.param("vanish", {"vanish": "deferred", "tap": "off"}, id="deferred-untapped"),
    pytest.param("blackhole", {}, id="blackhole", marks=[needs_filter, needs_tap]),
    pytest.param("blackhole", {"tap": "off"}, id="blackhole-untapped", marks=needs_filter),
]


async def struck(bench: Bench, do: str, options: dict[str, str], moment: dict[str, Any]) -> PlainClient:
    """A client whose second request, in one write, met the fault. From the second one on kernels delay their ACK."""
    listener = await bench.listener(faults=({"do": do, "requests": (2,)} | moment,), **options)
    client = await bench.client(listener)
    await client.request(body=BODY)
    await client.send(request_bytes(body=BODY))
    await bench.event("fault")
    return client


async def until_silent(client: PlainClient) -> bytes:
    """What came until nothing did for longer than a kernel waits before it sends again (200 ms); raises a reset."""
    data = b""
    try:
        while True:
            data += await client.recv(SILENCE)
    except TimeoutError:
        return data


@pytest.mark.parametrize("moment", MOMENTS, ids=[moment["at"] for moment in MOMENTS])
@pytest.mark.parametrize(("do", "options"), SILENT_WAYS)
async def test_the_client_has_nothing_to_send_again(
    bench: Bench, do: str, options: dict[str, str], moment: dict[str, Any]
) -> None:
    client = await struck(bench, do, options, moment)
    assert unacknowledged(client.sock) == 0
    came = await until_silent(client)
    end = client.kernel()
    assert end is not None
    assert (end.state, end.unacked_bytes) == ("ESTABLISHED", 0)
    assert came.startswith(b"HTTP/1.1 201 ") == moment["at"].startswith("response-")
    assert not bench.events("late-data")
    assert not bench.events("late-close")


@pytest.mark.parametrize(("do", "options"), SILENT_WAYS)
async def test_what_comes_later_is_late_all_the_same(bench: Bench, do: str, options: dict[str, str]) -> None:
    client = await struck(bench, do, options, {"at": "executed"})
    await client.send(b"more")
    if do == "vanish":
        with pytest.raises(ConnectionResetError):
            await client.recv()
    else:
        assert await until_silent(client) == b""
        assert unacknowledged(client.sock) == len(b"more")
    if options != {"vanish": "repair", "tap": "off"}:  # a socket that is gone sees nothing
        assert (await bench.event("late-data"))["bytes"] == len(b"more")


@pytest.mark.parametrize(("do", "options"), [REPAIR])
async def test_without_the_acknowledgement_the_clients_kernel_draws_the_reset_by_itself(
    bench: Bench, do: str, options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FaultProtocol, "_settle", lambda *_: None)
    client = await struck(bench, do, options, {"at": "executed"})
    assert unacknowledged(client.sock) > 0
    with pytest.raises(ConnectionResetError):
        await client.recv()


@pytest.mark.parametrize(("do", "options"), SILENT_WAYS)
async def test_an_upload_that_is_still_coming_is_acknowledged_as_far_as_it_came(
    bench: Bench, do: str, options: dict[str, str]
) -> None:
    moment = {"at": "request-body", "do": do, "after_bytes": 1000}
    client = await bench.client(await bench.listener(faults=(moment,), **options))
    await client.send(request_bytes(body=b"x" * 5000)[:-3000])
    await bench.event("fault")
    assert unacknowledged(client.sock) == 0
    assert await until_silent(client) == b""
