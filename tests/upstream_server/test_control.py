"""The control API, over HTTP."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.patience import PATIENCE
from tests.upstream_server.support import IDLE, Bench
from upstream_server.control import Control

TOKEN = "a token that nobody guesses"


DEEDS = [("POST", f"/{deed}") for deed in ("give-up", "advance", "restart", "drain", "refuse", "listen")]


class Api:
    """A client of the control API."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session

    async def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with self.session.request(method, path, json=body) as response:
            return response.status, await response.json()

    async def refused(self, method: str, path: str, body: Any, status: int) -> str:
        """The message of an error that must come with this status."""
        got, answer = await self(method, path, body)
        assert got == status, answer
        message: str = answer["error"]
        assert "\n" not in message
        return message

    @asynccontextmanager
    async def events(self, since: int = 0) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        async with self.session.get("/events", params={"since": since}) as response:
            assert response.status == 200
            assert response.content_type == "application/x-ndjson"
            yield (json.loads(line) async for line in response.content)


@pytest.fixture
async def control(bench: Bench) -> AsyncIterator[Control]:
    control = await Control(bench.upstream, TOKEN).start()
    yield control
    await bench.close()
    await control.close()


@pytest.fixture
async def api(control: Control) -> AsyncIterator[Api]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(control.url, headers=headers, timeout=timeout) as session:
        yield Api(session)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer no"}, {"Authorization": TOKEN}])
@pytest.mark.parametrize("path", ["/listeners", "/events", "/tcp", "/nowhere"])
async def test_nobody_gets_in_without_the_token(control: Control, headers: dict[str, str], path: str) -> None:
    async with aiohttp.ClientSession(control.url, headers=headers) as session:
        async with session.get(path) as response:
            assert response.status == 401
            assert "Bearer" in (await response.json())["error"]
        async with session.get("/health") as response:
            assert response.status == 200
            assert (await response.json())["status"] == "ok"


async def test_a_listener_is_made_shown_and_deleted(api: Api, bench: Bench) -> None:
    spec = {"name": "run.1", "idle_timeout": 0.5, "close": "rst", "advertise": {"timeout": 5, "max": 10}}
    status, made = await api("POST", "/listeners", spec)
    assert status == 201
    assert made | spec == made
    assert (made["host"], made["how"], type(made["tap"])) == ("127.0.0.1", "linger-reset", bool)
    assert await api("GET", "/listeners") == (200, [made])
    assert await api("GET", "/listeners/run.1") == (200, made)
    assert (await (await bench.client(bench.upstream.listener("run.1"))).request()).status == 201
    assert (await api("DELETE", "/listeners/run.1"))[0] == 200
    assert await api("GET", "/listeners") == (200, [])
    for method, path in (("GET", ""), ("DELETE", ""), ("PATCH", ""), ("GET", "/ledger"), *DEEDS):
        assert "run.1" in await api.refused(method, f"/listeners/run.1{path}", {}, 404)


async def test_connections_and_ledger(api: Api, bench: Bench) -> None:
    listener = await bench.listener(close="rst")
    first, second = await bench.client(listener), await bench.client(listener)
    await first.request(headers={"X-Request-Id": "r"})
    await second.request(headers={"X-Request-Id": "r"})
    second.close()
    await bench.event("connection-closed")
    _, (one, two) = await api("GET", "/listeners/one/connections")
    assert (one["id"], one["peer"], one["state"], one["requests"]) == (1, f"127.0.0.1:{first.port}", "idle", 1)
    assert one["idle_s"] >= 0
    assert (two["id"], two["state"], two["idle_s"]) == (2, "closed", None)
    assert (await api("GET", "/listeners/one/ledger"))[1]["requests"] == {"r": 2}
    assert await api("POST", "/listeners/one/give-up") == (200, {"given_up": [1]})
    _, (one, _) = await api("GET", "/listeners/one/connections")
    assert one["state"] == "given-up"


async def test_patch_changes_what_is_written(api: Api, bench: Bench) -> None:
    listener = await bench.listener(advertise={"timeout": 5})
    client = await bench.client(listener)
    await client.request()
    status, answer = await api("PATCH", "/listeners/one", {"idle_timeout": IDLE, "close": "rst"})
    assert status == 200
    assert (answer["idle_timeout"], answer["close"], answer["how"]) == (IDLE, "rst", "linger-reset")
    assert answer["advertise"] == {"timeout": 5, "max": None}
    assert answer["idle_unchanged"] == [1]
    await client.request()
    assert (await bench.event("gave-up"))["mode"] == "rst"


BAD_SPECS: list[tuple[dict[str, Any], str]] = [
    ({"name": "x", "idle": 5}, "idle: no such key"),
    ({"name": "x", "idle_timeout": 0}, "idle_timeout"),
    ({"name": "x", "idle_timeout": "5s"}, "idle_timeout"),
    ({"name": "x", "close": "slam"}, "fin, rst, vanish, blackhole"),
    ({"name": "x", "port": 65536}, "port"),
    ({"name": "x", "advertise": {"timeout": 5, "maximum": 1}}, "advertise.maximum: no such key"),
    ({"name": "x", "advertise": {"max": 0}}, "advertise.max"),
    ({"name": "x/y"}, "name"),
    ({}, "name"),
    ({"name": "x", "vanish": "maybe"}, "vanish"),
    ({"name": "x", "gateway_timeout": 0}, "gateway_timeout"),
    ({"name": "x", "tls": "yes"}, "tls"),
    ({"name": "x", "faults": [{"at": "lunch", "do": "rst"}]}, "faults.0.at: no moment is called 'lunch'"),
    ({"name": "x", "faults": [{"at": "executed", "do": "slam"}]}, "no close mode is called 'slam'"),
    ({"name": "x", "faults": [{"at": "executed"}]}, "faults.0.do"),
    ({"name": "x", "faults": [{"at": "executed", "do": "rst", "paths": []}]}, "faults.0.paths: no such key"),
    ({"name": "x", "faults": [{"at": "executed", "do": "rst", "after_bytes": 1}]}, "executed counts no bytes"),
    ({"name": "x", "faults": [{"at": "accept", "do": "rst", "requests": [1]}]}, "no request yet"),
    ({"name": "x", "faults": [{"at": "accept", "do": "rst", "min_request": 2}]}, "no request yet"),
    ({"name": "x", "faults": [{"at": "executed", "do": "rst", "requests": [0]}]}, "faults.0.requests.0"),
    ({"name": "x", "faults": [{"at": "executed", "do": "rst", "connections": []}]}, "faults.0.connections"),
    ({"name": "x", "faults": [{"at": "executed", "do": "rst", "first": 0}]}, "faults.0.first"),
    ({"name": "x", "host": "no.such.host.invalid"}, "no.such.host.invalid"),
    ({"name": "x", "host": "192.0.2.1"}, "192.0.2.1"),
]


@pytest.mark.parametrize(("spec", "message"), BAD_SPECS)
async def test_bad_listeners_are_refused(api: Api, spec: dict[str, Any], message: str) -> None:
    assert message in await api.refused("POST", "/listeners", spec, 422)
    assert await api("GET", "/listeners") == (200, [])


@pytest.mark.parametrize("changes", [{"idle": 1}, {"idle_timeout": -1}, {"close": "slam"}, {"port": 1}, [], "x"])
async def test_bad_changes_change_nothing(api: Api, bench: Bench, changes: object) -> None:
    listener = await bench.listener(idle_timeout=5.0)
    before = listener.describe()
    await api.refused("PATCH", "/listeners/one", changes, 422)
    assert listener.describe() == before
    assert not bench.events("behaviour-changed")


RULE = {"at": "request-head", "do": "rst", "first": 1}


async def test_rules_are_made_changed_and_lifted(api: Api, bench: Bench) -> None:
    status, made = await api("POST", "/listeners", {"name": "one", "faults": [RULE]})
    assert status == 201
    (shown,) = made["faults"]
    assert shown | RULE == shown
    assert bench.events("listener-opened")[0]["faults"] == made["faults"]

    async def answered() -> bool:
        client = await bench.client(bench.upstream.listener("one"))
        try:
            return (await client.request()).status == 201
        except ConnectionResetError:
            return False

    assert not await answered()
    assert await answered()
    # The same rules go on counting; new ones start again.
    await api("PATCH", "/listeners/one", {"idle_timeout": 5, "announce_close": True})
    assert await answered()
    _, changed = await api("PATCH", "/listeners/one", {"faults": [RULE | {"first": 2}]})
    assert changed["announce_close"] is True
    assert [await answered() for _ in range(3)] == [False, False, True]
    _, changed = await api("PATCH", "/listeners/one", {"faults": []})
    assert changed["faults"] == []
    assert bench.events("behaviour-changed")[-1]["faults"] == []
    assert [event["delivered"] for event in bench.events("fault")] == [1, 1, 2]


async def test_the_whole_server_goes_down_and_up(api: Api, bench: Bench) -> None:
    listener = await bench.listener()
    client = await bench.client(listener)
    await client.request()
    status, answer = await api("POST", "/listeners/one/restart", {"down": 0.01, "how": "rst"})
    assert (status, answer["given_up"], answer["state"]) == (200, [1], "listening")
    assert (await api("POST", "/listeners/one/restart"))[1]["given_up"] == []
    for call, state in (("refuse", "refusing"), ("drain", "draining"), ("listen", "listening")):
        status, answer = await api("POST", f"/listeners/one/{call}", {})
        assert (status, answer["state"]) == (200, state)
    assert (await (await bench.client(listener)).request()).status == 201


@pytest.mark.parametrize("body", [{"down": -1}, {"down": "1s"}, {"how": "vanish"}, {"until": 1}, []])
async def test_a_bad_restart_restarts_nothing(api: Api, bench: Bench, body: object) -> None:
    await bench.listener()
    await api.refused("POST", "/listeners/one/restart", body, 422)
    assert not bench.events("listener-down")


async def test_the_clock_of_a_listener_is_moved(api: Api, bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=300.0)
    await (await bench.client(listener)).request()
    shown = (await api("GET", "/listeners/one"))[1]
    assert shown["moved"] == 0
    assert 200 < shown["next"] <= 300
    answers = await asyncio.gather(*(api("POST", "/listeners/one/advance", {"by": by}) for by in (100, 260.5)))
    assert sorted(answer["total"] for _, answer in answers)[1] == 360.5
    assert (await api("POST", "/listeners/one/advance", {"by": 0}))[1] == {"total": 360.5, "next": None, "fired": 0}
    assert sum(answer["fired"] for _, answer in answers) == 1
    assert bench.events("gave-up")
    shown = (await api("GET", "/listeners/one"))[1]
    assert (shown["moved"], shown["next"]) == (360.5, None)


@pytest.mark.parametrize(
    "body",
    [
        '{"by": -1}',
        '{"by": NaN}',
        '{"by": Infinity}',
        '{"by": 1e9}',
        '{"by": "1s"}',
        '{"by": 1, "to": 2}',
        "{}",
        "",
        "{",
    ],
)
async def test_a_bad_move_moves_nothing(api: Api, bench: Bench, body: str) -> None:
    listener = await bench.listener()
    async with api.session.post("/listeners/one/advance", data=body) as response:
        assert response.status == 422
        assert "\n" not in (await response.json())["error"]
    assert listener.clock.moved == 0
    assert not bench.events("clock-moved")


async def test_the_authority_is_the_one_of_the_listeners(api: Api, bench: Bench, control: Control) -> None:
    _, answer = await api("GET", "/tls")
    listener = await bench.listener(tls="close-notify")
    trusting = ssl.create_default_context(cadata=answer["ca_pem"])
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting)) as session,
        session.post(f"https://localhost:{listener.port}/orders") as response,
    ):
        assert response.status == 201
    assert (await api("GET", "/tls"))[1] == answer


async def test_a_body_that_is_no_json_is_refused(api: Api, bench: Bench) -> None:
    await bench.listener()
    for method, path in (("POST", "/listeners"), ("PATCH", "/listeners/one")):
        async with api.session.request(method, path, data=b"{") as response:
            assert response.status == 422
            assert "JSON" in (await response.json())["error"]


async def test_names_and_ports_conflict(api: Api, bench: Bench) -> None:
    listener = await bench.listener()
    assert "'one'" in await api.refused("POST", "/listeners", {"name": "one"}, 409)
    assert str(listener.port) in await api.refused("POST", "/listeners", {"name": "two", "port": listener.port}, 409)
    await bench.upstream.close_listener("one")
    again = {"name": "one", "port": listener.port}
    assert (await api("POST", "/listeners", again))[0] == 201


async def test_names_conflict_also_between_two_at_once(api: Api) -> None:
    answers = await asyncio.gather(*(api("POST", "/listeners", {"name": "x"}) for _ in range(4)))
    assert sorted(status for status, _ in answers) == [201, 409, 409, 409]


async def test_the_event_stream_gives_what_was_and_what_comes(api: Api, bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=IDLE, close="rst")
    client = await bench.client(listener)
    await client.request()
    async with api.events() as events:
        seen = [await anext(events) for _ in range(7)]
        assert [event["seq"] for event in seen] == [1, 2, 3, 4, 5, 6, 7]
        assert seen[-1]["kind"] == "gave-up"
        assert all(event["listener"] == "one" for event in seen)
        await bench.listener("two")
        assert (await anext(events))["listener"] == "two"
    async with api.events(since=6) as events:
        assert (await anext(events))["kind"] == "gave-up"
    assert "since" in await api.refused("GET", "/events?since=x", None, 422)


async def test_the_last_event_of_a_listener_is_its_end(api: Api, bench: Bench) -> None:
    listener = await bench.listener(close="fin")
    client = await bench.client(listener)
    await client.request()
    listener.give_up_idle()
    client.sock.send(b"late")
    async with api.events() as events:
        await api("DELETE", "/listeners/one")
        kinds = []
        async for event in events:
            kinds.append(event["kind"])
            if event["kind"] == "listener-closed":
                break
    assert kinds[-3:] == ["gave-up", "late-data", "listener-closed"]


async def test_the_event_stream_ends_with_the_upstream(api: Api, bench: Bench, control: Control) -> None:
    await bench.listener()
    async with api.events() as events:
        assert (await anext(events))["kind"] == "listener-opened"
        await bench.upstream.close()
        await control.close()
        assert [event["kind"] async for event in events] == ["listener-closed"]


async def test_the_kernels_table_is_shown(api: Api, bench: Bench) -> None:
    listener = await bench.listener()
    _, answer = await api("GET", "/tcp")
    assert f":{listener.port:04X} " in answer["table"]
