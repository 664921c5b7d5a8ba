"""The orders API and the ledger: who executed what, how often."""

import asyncio

from tests.upstream_server.support import IDLE, Bench, request_bytes
from upstream_server.behaviour import Behaviour

TOLD = ("bytes", "chunked", "keep_alive", "announced_close")


async def test_an_order_is_made_and_found(bench: Bench) -> None:
    listener = await bench.listener()
    client = await bench.client(listener)
    made = await client.request(body=b"three apples", headers={"X-Request-Id": "r1"})
    assert made.status == 201
    assert made.json == {"order": "order-1", "request": "r1", "connection": 1, "executions": 1}
    found = await client.request("GET", "/orders/order-1")
    assert (found.status, found.json["made_by"]) == (200, "r1")


async def test_an_unknown_order_is_404_but_any_is_always_there(bench: Bench) -> None:
    client = await bench.client(await bench.listener())
    assert (await client.request("GET", "/orders/order-7")).status == 404
    assert (await client.request("GET", "/orders/any")).status == 200


async def test_the_ledger_counts_executions_per_logical_request(bench: Bench) -> None:
    listener = await bench.listener()
    first, second = await bench.client(listener), await bench.client(listener)
    for client, path, method in (
        (first, "/orders", "POST"),
        (second, "/orders", "POST"),
        (first, "/orders/any", "GET"),
    ):
        await client.request(method, path, headers={"X-Request-Id": "again"})
    await second.request(headers={"X-Request-Id": "once"})
    assert listener.ledger.executions == {"again": 3, "once": 1}
    assert [event["executions"] for event in bench.events("executed", request="again")] == [1, 2, 3]
    assert [event["connection"] for event in bench.events("executed")] == [1, 2, 1, 2]


async def test_answers_that_wait_for_company_wait_for_theirs_alone(bench: Bench) -> None:
    listener = await bench.listener()
    first, second = await bench.client(listener), await bench.client(listener)
    waiting = asyncio.create_task(first.request("POST", "/orders?together=2"))
    while not bench.events("executed"):
        await asyncio.sleep(0)
    assert (await second.request("POST", "/orders")).status == 201
    assert not waiting.done(), "a request that wants no company sets nobody free"
    assert (await second.request("POST", "/orders?together=2")).status == 201
    assert (await waiting).status == 201


async def test_company_must_be_a_number(bench: Bench) -> None:
    client = await bench.client(await bench.listener())
    for nonsense in ("0", "-1", "x", "1000"):
        assert (await client.request("POST", f"/orders?together={nonsense}")).status == 400
    assert not bench.events("executed")


async def test_requests_without_an_id_are_told_apart(bench: Bench) -> None:
    listener = await bench.listener()
    client = await bench.client(listener)
    names = {(await client.request()).json["request"] for _ in range(2)}
    assert names == set(listener.ledger.executions)
    assert len(names) == 2
    assert [event["request"] for event in bench.events("request")] == [None, None]


async def test_the_same_idempotency_key_does_not_execute_again(bench: Bench) -> None:
    listener = await bench.listener()
    client = await bench.client(listener)
    first = await client.request(headers={"X-Request-Id": "r1", "Idempotency-Key": "k"})
    second = await client.request(headers={"X-Request-Id": "r2", "Idempotency-Key": "k"})
    assert (first.status, second.status) == (201, 200)
    assert second.json == first.json
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert listener.ledger.executions == {"r1": 1}
    (replay,) = bench.events("replayed")
    assert (replay["connection"], replay["request"], replay["order"]) == (1, "r2", "order-1")


async def test_nothing_is_executed_before_the_body_is_there(bench: Bench) -> None:
    listener = await bench.listener()
    client = await bench.client(listener)
    whole = request_bytes(body=b"0123456789")
    await client.send(whole[:-5])
    await bench.event("request")
    assert not bench.events("executed")
    await client.send(whole[-5:])
    assert (await client.response()).status == 201
    assert len(bench.events("executed")) == 1


async def test_the_events_of_one_request_in_their_order(bench: Bench) -> None:
    client = await bench.client(await bench.listener(idle_timeout=IDLE))
    await client.request(headers={"X-Request-Id": "r1"})
    await bench.event("gave-up")
    events = bench.events()
    assert [event["kind"] for event in events] == [
        "listener-opened",
        "connection-opened",
        "request",
        "executed",
        "response",
        "idle",
        "gave-up",
    ]
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5, 6, 7]
    times = [event["t"] for event in events]
    assert times == sorted(times)
    opened, request, response = events[1], events[2], events[4]
    assert (opened["peer"], opened["peer_port"]) == (f"127.0.0.1:{client.port}", client.port)
    assert {key: request[key] for key in ("listener", "connection", "number", "request", "method", "path")} == {
        "listener": "one",
        "connection": 1,
        "number": 1,
        "request": "r1",
        "method": "POST",
        "path": "/orders",
    }
    assert (response["request"], response["status"]) == ("r1", 201)


async def test_a_request_event_tells_what_the_wire_said(bench: Bench) -> None:
    client = await bench.client(await bench.listener())
    await client.request(headers={"Idempotency-Key": "k 1", "Via": "1.1 nginx"})
    await client.request("GET", "/orders/any")
    told = [(event["key"], event["via"], event["tls"]) for event in bench.events("request")]
    assert told == [("k 1", "1.1 nginx", False), (None, None, False)]


async def test_an_execution_tells_the_body_that_the_app_received(bench: Bench) -> None:
    client = await bench.client(await bench.listener())
    await client.request(body=b"x" * 1234, headers={"Idempotency-Key": "k", "Content-Type": "application/json"})
    await client.request(body=b"x" * 99, headers={"Idempotency-Key": "k", "Content-Type": "text/plain"})
    await client.request("GET", "/orders/any")
    chunks = b"3\r\nabc\r\n0\r\n\r\n"
    await client.send(request_bytes(headers={"Transfer-Encoding": "chunked"}, body=chunks, length=False))
    await client.response()
    told = [(event["body_bytes"], event["content_type"]) for event in bench.events("executed")]
    assert told == [(1234, "application/json"), (0, None), (3, None)]
    assert [(event["body_bytes"], event["content_type"]) for event in bench.events("replayed")] == [(99, "text/plain")]


async def test_a_response_event_tells_what_went_over_the_wire(bench: Bench) -> None:
    listener = await bench.listener(advertise={"timeout": 5})
    client = await bench.client(listener)
    await client.request(path="/orders?response_bytes=4000")
    listener.change(Behaviour())
    await client.send(request_bytes(path="/orders?response_bytes=4000&chunked=1", headers={"Connection": "close"}))
    while await client.recv():
        pass
    await (await bench.client(listener)).send(request_bytes("HEAD", "/orders/any?response_bytes=500"))
    await bench.event("response", connection=2)
    told = [{key: event[key] for key in TOLD} for event in bench.events("response")]
    assert told == [
        {"bytes": 4000, "chunked": False, "keep_alive": "timeout=5", "announced_close": False},
        {"bytes": 4000, "chunked": True, "keep_alive": None, "announced_close": True},
        {"bytes": 0, "chunked": False, "keep_alive": None, "announced_close": False},
    ]


async def test_an_announced_close_is_told(bench: Bench) -> None:
    client = await bench.client(await bench.listener(announce_close=True))
    await client.request()
    assert (await bench.event("response"))["announced_close"]


async def test_pipelined_requests_are_served_in_turn(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=IDLE)
    client = await bench.client(listener)
    await client.send(b"".join(request_bytes(headers={"X-Request-Id": name}) for name in "abc"))
    await bench.event("response", request="c")
    await bench.event("gave-up")
    kinds = [event["kind"] for event in bench.events() if event["kind"] in ("request", "response", "idle")]
    assert kinds == ["request", "response"] * 3 + ["idle"]
    assert [event["number"] for event in bench.events("request")] == [1, 2, 3]


async def test_two_listeners_do_not_mix(bench: Bench) -> None:
    one = await bench.listener("one", idle_timeout=IDLE, close="rst")
    two = await bench.listener("two")
    clients = [await bench.client(listener) for listener in (one, two)]
    answers = await asyncio.gather(*(client.request(headers={"X-Request-Id": "r"}) for client in clients))
    assert [(answer.json["connection"], answer.json["executions"], answer.json["order"]) for answer in answers] == [
        (1, 1, "order-1"),
        (1, 1, "order-1"),
    ]
    await bench.event("gave-up")
    assert {event["listener"] for event in bench.events("gave-up")} == {"one"}
    assert (await clients[1].request()).status == 201
    assert sum(one.ledger.executions.values()) == 1
    assert sum(two.ledger.executions.values()) == 2
