"""Each moment at which a fault strikes: what a plain socket meets, what was executed, and what is told."""

import asyncio
import socket
from typing import Any

import pytest

from tests.upstream_server.support import (
    IDLE,
    SILENCE,
    Bench,
    PlainClient,
    needs_filter,
    needs_repair,
    needs_tap,
    request_bytes,
)
from upstream_server import faults, moments
from upstream_server.listener import Listener
from upstream_server.moments import STALL

BODY = b"0123456789"

PROMPT = 0.003
"""Real seconds from an answer to the fault behind it: 0.1 ms measured, 7 to 14 ms if acknowledgements are delayed."""

BEFORE_THE_ANSWER = ["request-head", "request-body", "executed"]
"""Moments at which a POST with a body was sent and nothing comes back."""


async def struck(
    bench: Bench, *, path: str = "/orders", listener: dict[str, Any] | None = None, **rule: Any
) -> PlainClient:
    """A client that has sent one request to a listener with this rule, and the fault has struck."""
    client = await bench.client(await bench.listener(faults=(rule,), **(listener or {})))
    await client.send(request_bytes(path=path, body=BODY, headers={"X-Request-Id": "r1"}))
    await bench.event("fault")
    return client


def executed(bench: Bench) -> int:
    return len(bench.events("executed"))


async def everything(client: PlainClient) -> bytes:
    """What comes until the end of file."""
    data = b""
    while more := await client.recv():
        data += more
    return data


async def until_reset(client: PlainClient) -> bytes:
    """What comes until the reset."""
    data = b""
    try:
        while more := await client.recv():
            data += more
    except ConnectionResetError:
        return data
    raise AssertionError("end of file, and no reset")


async def silent(client: PlainClient) -> bool:
    try:
        async with asyncio.timeout(SILENCE):
            await client.recv()
    except TimeoutError:
        return True
    return False


def test_every_moment_says_what_it_is() -> None:
    assert moments.moments() == ("accept", *BEFORE_THE_ANSWER, "response-body", "response-done")
    for name in moments.moments():
        for part in ("On the wire:", "The client sees:", "Faithful to:"):
            assert part in moments.moment(name).about, f"{name} does not say {part}"


# Before anything is answered


@pytest.mark.parametrize("at", BEFORE_THE_ANSWER)
async def test_a_fin_instead_of_an_answer(bench: Bench, at: str) -> None:
    client = await struck(bench, at=at, do="fin")
    assert await client.recv() == b""
    assert client.state == "CLOSE-WAIT"
    assert executed(bench) == (at == "executed")


@pytest.mark.parametrize("at", BEFORE_THE_ANSWER)
async def test_a_reset_instead_of_an_answer(bench: Bench, at: str) -> None:
    client = await struck(bench, at=at, do="rst")
    with pytest.raises(ConnectionResetError):
        await client.recv()
    assert client.state is None
    assert executed(bench) == (at == "executed")
    assert not bench.events("response")
    assert not bench.events("late-data")


@pytest.mark.parametrize("at", BEFORE_THE_ANSWER)
@pytest.mark.parametrize("do", ["vanish", STALL, pytest.param("blackhole", marks=needs_filter)])
async def test_silence_instead_of_an_answer(bench: Bench, at: str, do: str) -> None:
    client = await struck(bench, at=at, do=do)
    assert await silent(client)
    end = client.kernel()
    assert end is not None
    assert (end.state, end.unacked_bytes) == ("ESTABLISHED", 0)
    assert executed(bench) == (at == "executed")
    assert not bench.events("late-data")


async def test_the_app_is_asked_before_the_fault_is_told(bench: Bench) -> None:
    client = await struck(bench, at="executed", do="rst", listener={"idle_timeout": IDLE})
    events = bench.events(connection=1)
    assert [event["kind"] for event in events] == ["connection-opened", "request", "executed", "fault"]
    fault = events[-1]
    expected = {"at": "executed", "do": "rst", "how": "linger-reset", "request": "r1", "number": 1}
    assert fault | expected | {"delivered": 1, "rule": 0} == fault
    assert events[-2]["t"] <= fault["t"]
    listener = bench.upstream.listener("one")
    assert listener.connections[1].state == "given-up"
    assert listener.ledger.executions == {"r1": 1}
    client.close()
    await bench.upstream.close_listener("one")
    assert not bench.events("connection-closed")
    assert not bench.events("gave-up")


async def test_a_fault_before_the_app_leaves_the_ledger_empty(bench: Bench) -> None:
    await struck(bench, at="request-head", do="rst")
    assert bench.upstream.listener("one").ledger.executions == {}
    assert bench.events("fault", request="r1", number=1)


async def test_a_replayed_answer_can_be_lost_too(bench: Bench) -> None:
    listener = await bench.listener(faults=({"at": "executed", "do": "rst", "first": 2},))
    key = {"X-Request-Id": "r1", "Idempotency-Key": "k"}
    for _ in range(2):
        client = await bench.client(listener)
        with pytest.raises(ConnectionResetError):
            await client.request(headers=key)
    answer = await (await bench.client(listener)).request(headers=key)
    assert (answer.status, answer.json["executions"]) == (200, 1)
    assert [event["kind"] for event in bench.events() if event["kind"] in ("executed", "replayed", "fault")] == [
        "executed",
        "fault",
        "replayed",
        "fault",
        "replayed",
    ]


async def test_uvicorns_own_answer_is_no_execution(bench: Bench) -> None:
    client = await bench.client(await bench.listener(faults=({"at": "executed", "do": "rst"},)))
    await client.send(b"nonsense\r\n\r\n")
    assert (await everything(client)).startswith(b"HTTP/1.1 400 ")
    assert not bench.events("fault")


# While the request is sent


async def test_a_request_is_cut_in_its_body(bench: Bench) -> None:
    listener = await bench.listener(faults=({"at": "request-body", "do": "rst", "after_bytes": 5},))
    client = await bench.client(listener)
    whole = request_bytes(body=BODY)
    await client.send(whole[:-6])  # four bytes of the body
    await bench.event("request")
    await asyncio.sleep(IDLE)
    assert not bench.events("fault")
    await client.send(whole[-6:-5])
    await bench.event("fault")
    with pytest.raises(ConnectionResetError):
        await client.send(whole[-5:])
    assert executed(bench) == 0


async def test_a_shorter_body_is_served(bench: Bench) -> None:
    listener = await bench.listener(faults=({"at": "request-body", "do": "rst", "after_bytes": len(BODY) + 1},))
    client = await bench.client(listener)
    assert (await client.request(body=BODY)).status == 201
    assert (await client.request("GET", "/orders/any")).status == 200
    assert not bench.events("fault")


@needs_tap
async def test_what_comes_after_a_fin_in_the_body_is_late(bench: Bench) -> None:
    listener = await bench.listener(faults=({"at": "request-body", "do": "fin", "after_bytes": 1},))
    client = await bench.client(listener)
    whole = request_bytes(body=BODY)
    await client.send(whole[:-5])
    await bench.event("fault")
    assert not bench.events("late-data")
    await client.send(whole[-5:])
    late = await bench.event("late-data")
    assert (late["bytes"], late["seen_by"]) == (5, "tap")
    assert client.state is None  # it drew a RST


@pytest.mark.parametrize("size", [0, 5, 300_000])
async def test_a_fin_is_a_fin_whatever_lies_unread(bench: Bench, size: int) -> None:
    listener = await bench.listener(faults=({"at": "request-head", "do": "fin"},))
    client = await bench.client(listener)
    client.sock.setblocking(True)
    client.sock.send(request_bytes(body=b"x" * size))  # in the kernel before the loop looks
    client.sock.setblocking(False)
    assert await client.recv() == b""


# In the answer

HEAD_END = b"\r\n\r\n"
FRAMINGS = [pytest.param("", id="length"), pytest.param("&chunked=1", id="chunked")]


@pytest.mark.parametrize("framing", FRAMINGS)
async def test_answers_have_the_size_and_framing_that_was_asked_for(bench: Bench, framing: str) -> None:
    client = await bench.client(await bench.listener())
    await client.send(request_bytes(path=f"/orders?response_bytes=4000{framing}", headers={"Connection": "close"}))
    head, _, body = (await everything(client)).partition(HEAD_END)
    if framing:
        assert b"transfer-encoding: chunked" in head.lower()
        assert b"content-length" not in head.lower()
        assert body.count(b"3e8\r\n") == 4
        assert body.endswith(b"\r\n0\r\n\r\n")
    else:
        assert b"content-length: 4000" in head.lower()
        assert len(body) == 4000


@pytest.mark.parametrize("query", ["response_bytes=x", "response_bytes=-1", "response_bytes=9999999999", "chunked=yes"])
async def test_an_answer_that_cannot_be_made_is_not_executed(bench: Bench, query: str) -> None:
    client = await bench.client(await bench.listener())
    assert (await client.request(path=f"/orders?{query}")).status == 400
    assert executed(bench) == 0


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("count", [0, 1, 1000, 1500, 4000])
@pytest.mark.parametrize("do", ["fin", "rst"])
async def test_an_answer_is_cut_after_so_many_bytes(bench: Bench, framing: str, count: int, do: str) -> None:
    client = await struck(
        bench, path=f"/orders?response_bytes=4000{framing}", at="response-body", do=do, after_bytes=count
    )
    # Nobody read before the fault: with a RST too, Linux still hands out what came before it.
    data = await (everything(client) if do == "fin" else until_reset(client))
    head, _, body = data.partition(HEAD_END)
    assert head.startswith(b"HTTP/1.1 201 ")
    if framing:
        assert b"\r\n0\r\n" not in body  # the last chunk is missing
        body = body.replace(b"3e8\r\n", b"").replace(b"\r\n", b"")
    assert len(body) == count
    assert executed(bench) == 1
    assert not bench.events("response")


@pytest.mark.parametrize("framing", FRAMINGS)
async def test_a_stalled_answer(bench: Bench, framing: str) -> None:
    client = await struck(
        bench, path=f"/orders?response_bytes=100{framing}", at="response-body", do=STALL, after_bytes=10
    )
    data = await client.recv()
    assert b"HTTP/1.1 201" in data
    assert await silent(client)
    assert client.state == "ESTABLISHED"
    (fault,) = bench.events("fault")
    assert fault["how"] == "silence"


@pytest.mark.parametrize("do", ["fin", "rst", pytest.param("vanish", marks=needs_repair), STALL])
async def test_all_of_the_bytes_leave_before_the_fault(bench: Bench, do: str) -> None:
    count = 8_000_000  # more than the kernel holds, so that the client's reading lets them out
    path = f"/orders?response_bytes={count + 5}"
    client = await bench.client(await bench.listener(faults=({"at": "response-body", "do": do, "after_bytes": count},)))
    await client.send(request_bytes(path=path))
    await bench.event("executed")
    assert not bench.events("fault")
    body = 0
    while body < count:
        data = await client.recv()
        body += len(data.partition(HEAD_END)[2] if HEAD_END in data else data)
    assert body == count
    await bench.event("fault")


async def test_a_client_that_leaves_before_the_fault_is_told_as_gone(bench: Bench) -> None:
    rule = {"at": "response-body", "do": "rst", "after_bytes": 8_000_000}
    client = await bench.client(await bench.listener(faults=(rule,)))
    await client.send(request_bytes(path="/orders?response_bytes=8000001"))
    await bench.event("executed")
    client.reset()
    assert (await bench.event("connection-closed"))["by"] == "client"
    await asyncio.sleep(IDLE)
    assert not bench.events("fault")


async def test_a_shorter_answer_is_sent_whole(bench: Bench) -> None:
    rule = {"at": "response-body", "do": "rst", "after_bytes": 201}
    client = await bench.client(await bench.listener(faults=(rule,)))
    for _ in range(2):
        assert len((await client.request(path="/orders?response_bytes=200")).body) == 200
    assert not bench.events("fault")


@pytest.mark.parametrize(("do", "state"), [("fin", "CLOSE-WAIT"), ("rst", None), ("vanish", "ESTABLISHED")])
async def test_the_connection_ends_right_after_an_answer(bench: Bench, do: str, state: str | None) -> None:
    listener = await bench.listener(faults=({"at": "response-done", "do": do, "requests": (2,)},))
    client = await bench.client(listener)
    assert (await client.request()).status == 201
    assert not bench.events("fault")
    answer = await client.request(headers={"X-Request-Id": "second"})
    assert "connection" not in answer.headers
    fault = await bench.event("fault")
    assert (fault["request"], fault["number"]) == ("second", 2)
    assert client.state == state
    assert [event["kind"] for event in bench.events(connection=1)][-3:] == ["executed", "response", "fault"]


@needs_repair
@needs_tap
async def test_vanish_does_not_wait_for_a_delayed_acknowledgement(bench: Bench) -> None:
    listener = await bench.listener(faults=({"at": "response-done", "do": "vanish", "requests": (2,)},))
    waits = []
    for number in range(1, 6):
        client = await bench.client(listener)
        await client.request()
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
        await client.send(request_bytes())
        fault = await bench.event("fault", connection=number)  # and nobody reads, which would acknowledge
        waits.append(fault["t"] - bench.events("response", connection=number)[-1]["t"])
        assert client.state == "ESTABLISHED"
    assert min(waits) < PROMPT


@needs_tap
@pytest.mark.parametrize("do", ["fin", pytest.param("vanish", marks=needs_repair)])
async def test_a_use_after_a_fault_is_late_data(bench: Bench, do: str) -> None:
    listener = await bench.listener(faults=({"at": "response-done", "do": do},))
    client = await bench.client(listener)
    await client.request()
    await bench.event("fault")
    await client.send(request_bytes())
    late = await bench.event("late-data")
    assert (late["connection"], late["bytes"]) == (1, len(request_bytes()))
    assert executed(bench) == 1


@pytest.mark.parametrize("do", ["fin", "vanish"])
async def test_a_close_after_a_fault_is_a_late_close(bench: Bench, do: str) -> None:
    listener = await bench.listener(tap="off", faults=({"at": "response-done", "do": do},))
    client = await bench.client(listener)
    await client.request()
    await bench.event("fault")
    client.close()
    assert (await bench.event("late-close"))["seen_by"] == "socket"
    assert not bench.events("late-data")


# A connection that is stalled


@pytest.mark.parametrize("end", ["fin", "rst"])
async def test_a_stalled_connection_hears_and_says_nothing(bench: Bench, end: str) -> None:
    client = await struck(bench, at="request-head", do=STALL, listener={"idle_timeout": IDLE, "close": "rst"})
    await client.send(request_bytes())
    late = await bench.event("late-data")
    assert (late["bytes"], late["seen_by"]) == (len(request_bytes()), "socket")
    assert await silent(client)  # beyond the idle timeout too
    assert len(bench.events("request")) == 1
    client.close() if end == "fin" else client.reset()
    assert (await bench.event("late-close"))["how"] == end
    assert not bench.events("gave-up")
    assert not bench.events("connection-closed")


async def test_a_stalled_answer_is_not_ended_by_the_clients_wish_to_close(bench: Bench) -> None:
    client = await bench.client(await bench.listener(faults=({"at": "response-body", "do": STALL},)))
    await client.send(request_bytes(headers={"Connection": "close"}))
    assert (await client.recv()).startswith(b"HTTP/1.1 201 ")
    assert await silent(client)


# At the door


@pytest.mark.parametrize("do", ["fin", "rst", STALL])
async def test_an_accepted_connection_is_not_served(bench: Bench, do: str) -> None:
    client = await bench.client(await bench.listener(faults=({"at": "accept", "do": do},)))
    fault = await bench.event("fault")
    assert (fault["connection"], fault["request"], fault["number"]) == (1, None, 0)
    if do == "fin":
        assert await client.recv() == b""
    elif do == "rst":
        with pytest.raises(ConnectionResetError):
            await client.recv()
    else:
        await client.send(request_bytes())
        assert await silent(client)
        assert bench.events("late-data")
    assert not bench.events("request")


async def test_a_fin_at_the_door_is_a_fin_for_a_client_that_spoke_first(bench: Bench) -> None:
    client = await bench.client(await bench.listener(faults=({"at": "accept", "do": "fin"},)))
    client.sock.send(request_bytes())
    assert await client.recv() == b""


# Which connection and request


async def answers(listener: Listener, bench: Bench, count: int) -> list[bool]:
    """Whether each of so many requests on a new connection is answered."""
    client = await bench.client(listener)
    seen = []
    for _ in range(count):
        try:
            seen.append((await client.request()).status == 201)
        except ConnectionError:
            seen.append(False)
            break
    return seen


RULES: list[tuple[dict[str, Any], list[list[bool]]]] = [
    ({}, [[False]] * 3),
    ({"requests": (2,)}, [[True, False]] * 3),
    ({"requests": (2, 3)}, [[True, False]] * 3),
    ({"min_request": 3}, [[True, True, False]] * 3),
    ({"connections": (2,)}, [[True] * 4, [False], [True] * 4]),
    ({"connections": (1, 3), "requests": (2,)}, [[True, False], [True] * 4, [True, False]]),
    ({"first": 2}, [[False], [False], [True] * 4]),
    ({"first": 1, "requests": (2,)}, [[True, False], [True] * 4, [True] * 4]),
    ({"first": 1, "connections": (2, 3)}, [[True] * 4, [False], [True] * 4]),
    ({"requests": (5,)}, [[True] * 4] * 3),
    ({"connections": (9,)}, [[True] * 4] * 3),
]


@pytest.mark.parametrize(("which", "expected"), RULES)
async def test_a_rule_strikes_whom_it_names(bench: Bench, which: dict[str, Any], expected: list[list[bool]]) -> None:
    listener = await bench.listener(faults=({"at": "request-head", "do": "rst"} | which,))
    assert [await answers(listener, bench, 4) for _ in range(3)] == expected
    lost = sum(not all(seen) for seen in expected)
    assert [event["delivered"] for event in bench.events("fault")] == list(range(1, lost + 1))
    assert executed(bench) == sum(map(sum, expected))


@pytest.mark.parametrize("at", moments.moments())
async def test_a_rule_for_others_changes_nothing(bench: Bench, at: str) -> None:
    listener = await bench.listener(faults=({"at": at, "do": "rst", "connections": (2,)},))
    assert await answers(listener, bench, 2) == [True, True]
    assert not bench.events("fault")
    # Right after an answer the fault is met by the next request.
    assert await answers(listener, bench, 2) == ([True, False] if at == "response-done" else [False])
    assert [event["connection"] for event in bench.events("fault")] == [2]
    assert await answers(listener, bench, 2) == [True, True]


async def test_of_several_rules_each_has_its_own_books(bench: Bench) -> None:
    listener = await bench.listener(
        faults=(
            {"at": "request-head", "do": "rst", "connections": (1,)},
            {"at": "executed", "do": "rst", "first": 2},
        )
    )
    assert [await answers(listener, bench, 1) for _ in range(4)] == [[False], [False], [False], [True]]
    told = [(event["rule"], event["delivered"]) for event in bench.events("fault")]
    assert told == [(0, 1), (1, 1), (1, 2)]


async def test_the_rule_with_fewer_bytes_comes_first(bench: Bench) -> None:
    rules = tuple({"at": "response-body", "do": "fin", "after_bytes": count} for count in (60, 20))
    client = await bench.client(await bench.listener(faults=rules))
    await client.send(request_bytes(path="/orders?response_bytes=100"))
    assert len((await everything(client)).partition(HEAD_END)[2]) == 20
    assert bench.events("fault")[0]["rule"] == 1


@pytest.mark.parametrize("do", [*faults.modes(), STALL])
async def test_a_fault_leaves_other_connections_alone(bench: Bench, do: str) -> None:
    if do == "blackhole" and needs_filter.args[0]:
        pytest.skip(str(needs_filter.kwargs["reason"]))
    listener = await bench.listener(faults=({"at": "request-head", "do": do, "connections": (2,)},))
    one, two = await bench.client(listener), await bench.client(listener)
    await one.request()
    await two.send(request_bytes())
    await bench.event("fault")
    assert (await one.request()).status == 201
    assert (await (await bench.client(listener)).request()).status == 201
