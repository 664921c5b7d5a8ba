"""When a connection is idle, and what ends it in an ordinary way."""

import asyncio

import pytest

from tests.upstream_server.support import IDLE, SILENCE, Bench, request_bytes
from upstream_server.behaviour import Advertise, Behaviour


async def test_idle_closing_takes_fractions_of_a_second(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=0.05)
    client = await bench.client(listener)
    await client.request()
    gave_up = await bench.event("gave-up")
    assert 0.05 <= gave_up["idle_s"] < 1
    assert gave_up["t"] - bench.events("idle")[0]["t"] == pytest.approx(gave_up["idle_s"], abs=1e-5)
    assert await client.recv() == b""


async def test_a_connection_without_a_request_is_given_up_too(bench: Bench) -> None:
    client = await bench.client(await bench.listener(idle_timeout=IDLE))
    await bench.event("gave-up")
    assert not bench.events("idle")
    assert await client.recv() == b""


async def test_each_request_begins_the_time_anew(bench: Bench) -> None:
    client = await bench.client(await bench.listener(idle_timeout=2 * SILENCE))
    for _ in range(3):  # longer than the timeout in all
        await client.request()
        await asyncio.sleep(SILENCE)
    assert not bench.events("gave-up")
    assert (await bench.event("gave-up"))["idle_s"] >= 2 * SILENCE
    assert len(bench.events("idle")) == 3


async def test_a_slow_request_is_not_idle(bench: Bench) -> None:
    client = await bench.client(await bench.listener(idle_timeout=IDLE))
    whole = request_bytes(body=b"0123456789")
    await client.send(whole[:-5])
    await asyncio.sleep(SILENCE)
    await client.send(whole[-5:])
    assert (await client.response()).status == 201
    assert bench.events("gave-up") == []


async def test_a_request_that_is_already_there_wins_over_the_timer(bench: Bench) -> None:
    listener = await bench.listener()
    client = await bench.client(listener)
    await client.request()
    await bench.event("idle")
    client.sock.send(request_bytes())  # in the kernel; the loop has not looked yet
    assert listener.give_up_idle() == []
    assert (await client.response()).status == 201
    assert not bench.events("late-data")


async def test_an_upstream_told_never_to_close_does_not(bench: Bench) -> None:
    client = await bench.client(await bench.listener(idle_timeout=None, close="rst"))
    await client.request()
    await asyncio.sleep(SILENCE)
    assert (await client.request()).status == 201
    assert not bench.events("gave-up")


async def test_the_client_may_ask_for_the_close(bench: Bench) -> None:
    client = await bench.client(await bench.listener(idle_timeout=IDLE))
    answer = await client.request(headers={"Connection": "close"})
    assert (answer.status, answer.headers["connection"]) == (201, "close")
    assert await client.recv() == b""
    assert (await bench.event("connection-closed"))["by"] == "upstream"
    assert not bench.events("idle")


async def test_the_client_may_close(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=IDLE)
    first, second = await bench.client(listener), await bench.client(listener)
    await first.request()
    await second.request()
    first.close()
    second.reset()
    for number in (1, 2):
        assert (await bench.event("connection-closed", connection=number))["by"] == "client"
    await asyncio.sleep(SILENCE)
    assert not bench.events("gave-up")


async def test_hints_are_advertised(bench: Bench) -> None:
    listener = await bench.listener(advertise={"timeout": 5, "max": 100})
    client = await bench.client(listener)
    assert (await client.request()).headers["keep-alive"] == "timeout=5, max=100"
    listener.change(Behaviour(advertise=Advertise(timeout=0.25)))
    assert (await client.request()).headers["keep-alive"] == "timeout=0.25"
    listener.change(Behaviour())
    assert "keep-alive" not in (await client.request()).headers


async def test_a_change_is_for_those_who_become_idle_after_it(bench: Bench) -> None:
    listener = await bench.listener()
    old, new = await bench.client(listener), await bench.client(listener)
    await old.request()
    await new.request()
    assert listener.change(Behaviour(idle_timeout=IDLE, close="rst")) == [1, 2]
    await new.request()
    assert (await bench.event("gave-up"))["connection"] == 2
    changed = bench.events("behaviour-changed")[0]
    assert (changed["idle_timeout"], changed["close"], changed["how"]) == (IDLE, "rst", "linger-reset")
    assert changed["idle_unchanged"] == [1, 2]
    await asyncio.sleep(SILENCE)
    assert listener.connections[1].state == "idle"


async def test_idle_connections_are_given_up_when_asked(bench: Bench) -> None:
    listener = await bench.listener(close="rst")
    idle, busy = await bench.client(listener), await bench.client(listener)
    await idle.request()
    await busy.send(request_bytes(body=b"0123456789")[:-1])
    await bench.event("request", connection=2)
    assert listener.give_up_idle() == [1]
    assert listener.give_up_idle() == []
    (event,) = bench.events("gave-up")
    assert (event["connection"], event["why"]) == (1, "asked")
    await busy.send(b"9")
    assert (await busy.response()).status == 201


async def test_a_listener_that_closes_ends_its_connections(bench: Bench) -> None:
    listener = await bench.listener()
    idle, busy = await bench.client(listener), await bench.client(listener)
    await idle.request()
    await busy.send(request_bytes(body=b"0123456789")[:-1])
    await bench.event("request", connection=2)
    await bench.upstream.close_listener("one")
    assert await idle.recv() == b""
    with pytest.raises(ConnectionRefusedError):
        await bench.client(listener)
    assert [(event["connection"], event["by"]) for event in bench.events("connection-closed")] in (
        [(1, "upstream"), (2, "upstream")],
        [(2, "upstream"), (1, "upstream")],
    )
    await asyncio.sleep(SILENCE)
    assert bench.events()[-1]["kind"] == "listener-closed"
    assert not bench.events("executed", connection=2)


async def test_a_bad_request_is_400(bench: Bench) -> None:
    client = await bench.client(await bench.listener(idle_timeout=IDLE))
    await client.send(b"nonsense\r\n\r\n")
    assert (await client.recv()).startswith(b"HTTP/1.1 400 ")
    assert (await bench.event("connection-closed"))["by"] == "upstream"
