"""What an event says is done, as the upstream saw it, and told as it was."""

import json
import re
import time
from itertools import pairwise

import pytest

from tests.functions.nature import FREES_A_CONNECTION_LATER, KNOWS_ITS_OWN_METHODS, assert_told_as_seen
from tests.functions.support import Hall, Json, Warm
from tests.functions.versions import real_client_version
from tests.patience import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="session")

WALL_EXACT = 0.05
"""Seconds between the readings of two clocks, one of which may count in milliseconds."""
LONG = {"path": "/orders?response_bytes=1000000"}
"""An answer that takes many reads."""


def posts(*names: str) -> list[Json]:
    return [{"id": name, "method": "POST"} for name in names]


def together(*names: str) -> list[Json]:
    """None is answered before all of them came."""
    return [{"id": name, "path": f"/orders?together={len(names)}"} for name in names]


async def test_the_first_event_is_a_cold_start_and_an_empty_one_a_post(warm: Warm) -> None:
    first = warm.first
    assert (first.invocation, first.cold, first.ticks) == (1, True, (0, 0))
    assert (first.only.method, first.only.outcome, first.only.status) == ("POST", "ok", 201)
    assert 0 <= first.only.started - first.clock.monotonic < PATIENCE
    assert abs(first.clock.wall - (first.clock.monotonic + time.time() - time.monotonic())) < WALL_EXACT
    (request,) = warm.home.of("request")
    assert (request["method"], request["path"], request["request"]) == ("POST", "/orders", first.only.id)
    assert warm.home.executed == [first.only.id]
    assert_told_as_seen(warm, first, warm.home)


async def test_the_versions_have_names(warm: Warm) -> None:
    """Such as `Python 3.13.5`; a name may have blanks of its own."""
    for told in warm.first.versions.model_dump().values():
        assert re.fullmatch(r"[A-Za-z].* \D*\d[\w.+-]*", told)


async def test_the_client_is_the_version_that_is_installed(warm: Warm) -> None:
    told = warm.first.versions.client.rpartition(" ")[2]
    assert told == real_client_version(warm.defined)
    wanted = warm.defined.client.partition("@")[2]
    if wanted.startswith("node"):  # the same client in another Node
        told, wanted = warm.first.versions.language.rpartition(" ")[2], wanted.removeprefix("node")
    assert told.startswith(f"{wanted}." if wanted else "")


async def test_one_after_the_other_on_one_connection(warm: Warm, hall: Hall) -> None:
    async with hall.door() as door:
        answer = await warm.fresh(door, "seed", *posts("a", "b", "c"))
        await warm.fresh(door, "seed", *posts("d"))
    assert [(told.id, told.outcome) for told in answer.requests] == [("a", "ok"), ("b", "ok"), ("c", "ok")]
    assert all(before.ended <= after.started for before, after in pairwise(answer.requests))
    if warm.defined.client in FREES_A_CONNECTION_LATER:
        assert door.requests == [(1, 1), (2, 1), (1, 2), (3, 1)]
    else:
        assert door.requests == [(1, 1), (1, 2), (1, 3), (2, 1)]
    assert door.executed == ["a", "b", "c", "d"]
    assert_told_as_seen(warm, answer, door)


async def test_the_client_is_kept_while_the_sandbox_is_frozen(warm: Warm, hall: Hall) -> None:
    async with hall.door() as door:
        first = await warm.fresh(door, "seed", *posts("a"))
        await warm.settle_frozen()
        second = await warm.invoke(*posts("b"))
    assert door.requests == [(1, 1), (1, 2)]
    assert (second.invocation, second.cold) == (2, False)
    assert (first.sandbox, second.sandbox) == (warm.first.sandbox, warm.first.sandbox)
    assert second.only.outcome == "ok"
    assert_told_as_seen(warm, second, door)


async def test_at_once_is_a_connection_for_each(warm: Warm, hall: Hall) -> None:
    async with hall.door() as door:
        answer = await warm.fresh(door, "seed", *together("a", "b", "c"), at_once=True)
    assert [(told.id, told.outcome) for told in answer.requests] == [("a", "ok"), ("b", "ok"), ("c", "ok")]
    assert sorted(door.requests) == [(1, 1), (2, 1), (3, 1)]
    assert sorted(door.executed) == ["a", "b", "c"]
    assert max(told.started for told in answer.requests) < min(told.ended for told in answer.requests)
    assert_told_as_seen(warm, answer, door)


@pytest.mark.parametrize("size", [1, 100_000])
async def test_a_body_of_the_size_that_was_asked_for(warm: Warm, hall: Hall, size: int) -> None:
    """The upstream has a fault for those that reach a size: at one byte more it must not strike."""
    request = {"id": "a", "body_bytes": size}
    async with hall.door(faults=[{"at": "request-body", "do": "rst", "after_bytes": size + 1}]) as door:
        answer = await warm.fresh(door, "seed", request)
    assert (answer.only.outcome, door.executed) == ("ok", ["a"])
    async with hall.door(faults=[{"at": "request-body", "do": "rst", "after_bytes": size}]) as door:
        answer = await warm.fresh(door, "seed", request)
    assert door.of("fault")
    assert (answer.only.status, door.executed) == (None, [])


@pytest.mark.parametrize("size", [4, 1000, 100_000])
async def test_a_json_document_of_the_size_that_was_asked_for(warm: Warm, hall: Hall, size: int) -> None:
    """In the library's own way; where it has none, as bytes of that type."""
    async with hall.door() as door:
        answer = await warm.fresh(door, "seed", {"id": "a", "body_bytes": size, "json": True}, {"id": "b"})
    assert answer.outcomes == ["ok", "ok"]
    document, other = door.of("executed")
    assert document["content_type"].partition(";")[0] == "application/json"
    assert (document["body_bytes"], other["body_bytes"]) == (size, 0)


async def test_no_body_where_none_is_asked_for(warm: Warm, hall: Hall) -> None:
    async with hall.door(faults=[{"at": "request-body", "do": "rst", "after_bytes": 1}]) as door:
        answer = await warm.fresh(door, "seed", {"body_bytes": 0}, {})
    assert answer.outcomes == ["ok", "ok"]


async def test_an_idempotency_key_arrives_and_none_is_made_up(warm: Warm, hall: Hall) -> None:
    async with hall.door() as door:
        keyed = [{"id": name, "idempotency_key": "k"} for name in ("a", "b")]
        await warm.fresh(door, "seed", *keyed, *posts("c", "d"))
    assert door.executed == ["a", "c", "d"]
    assert [event["request"] for event in door.of("replayed")] == ["b"]


async def test_a_request_without_an_id_gets_one_that_arrives(warm: Warm, hall: Hall) -> None:
    async with hall.door() as door:
        answer = await warm.fresh(door, "seed", {}, {})
    names = [told.id for told in answer.requests]
    assert [event["request"] for event in door.of("request")] == names
    assert len({*names}) == 2


async def test_methods_and_paths(warm: Warm, hall: Hall) -> None:
    others = [] if warm.defined.client in KNOWS_ITS_OWN_METHODS else ["PUT", "DELETE"]
    paths = [("GET", "/orders/any?response_bytes=1000"), ("POST", "/orders?chunked=1")]
    asked = [{"method": method} for method in ("GET", *others)]
    asked += [{"method": method, "path": path} for method, path in paths]
    async with hall.door() as door:
        answer = await warm.fresh(door, "seed", *asked)
    seen = [(event["method"], event["path"]) for event in door.of("request")]
    assert seen == [*((method, "/orders/any") for method in ("GET", *others)), *paths]
    assert [told.method for told in answer.requests] == [method for method, _ in seen]
    assert [told.status for told in answer.requests] == [200, *(405 for _ in others), 200, 201]


@pytest.mark.parametrize(
    "before", [LONG, {"path": "/orders?response_bytes=1000000&chunked=1"}, {"path": "/nowhere"}], ids=str
)
async def test_an_answer_is_read_to_its_end(warm: Warm, hall: Hall, before: Json) -> None:
    """Also one that nobody wants: the connection goes back to the pool."""
    async with hall.door() as door:
        await warm.fresh(door, "seed", before)
        await warm.invoke(*posts("a"))
    assert door.requests == [(1, 1), (1, 2)]


async def test_fresh_closes_what_the_client_held(warm: Warm, hall: Hall) -> None:
    async with hall.door() as old, hall.door() as new:
        await warm.fresh(old, "seed", *together("a", "b", "c"), at_once=True)
        await warm.invoke(*posts("d"))
        answer = await warm.fresh(new, "seed", *posts("e"))
        for connection in (1, 2, 3):
            assert (await old.wait_for("connection-closed", connection=connection))["by"] == "client"
        again = await warm.invoke(*posts("f"))
    assert (answer.invocation, answer.cold, answer.sandbox) == (1, True, warm.first.sandbox)
    assert (again.invocation, again.cold) == (2, False)
    assert sorted(old.executed) == ["a", "b", "c", "d"]
    assert new.executed == ["e", "f"]
    assert new.requests == [(1, 1), (1, 2)]
    assert_told_as_seen(warm, answer, new)


async def test_fresh_for_the_same_upstream_is_a_cold_start_too(warm: Warm, hall: Hall) -> None:
    async with hall.door() as door:
        await warm.fresh(door, "seed", *posts("a"))
        answer = await warm.fresh(door, "seed", *posts("b"))
        await door.wait_for("connection-closed", connection=1, by="client")
    assert door.requests == [(1, 1), (2, 1)]
    assert_told_as_seen(warm, answer, door)


async def test_fresh_changes_the_preset(warm: Warm, hall: Hall) -> None:
    if warm.defined.one_preset:
        pytest.skip("its settings are the process's own")
    if "no_keepalive" not in warm.defined.names:
        pytest.skip("it has no no_keepalive")
    async with hall.door() as door:
        for preset in ("seed", "no_keepalive", "seed"):
            await warm.fresh(door, preset, {})
            answer = await warm.invoke()
    assert door.requests == [(1, 1), (1, 2), (2, 1), (3, 1), (4, 1), (4, 2)]
    assert_told_as_seen(warm, answer, door)


async def test_a_preset_that_cannot_be_had_is_an_error(warm: Warm, hall: Hall) -> None:
    """Never another preset in its place."""
    later = ["no_keepalive"] if warm.defined.one_preset else []
    async with hall.door() as door:
        for preset in ("nonesuch", *later):
            event = {"fresh": {"upstream_url": door.url, "preset": preset}}
            result = await warm.function.invoke(json.dumps(event).encode())
            assert result.function_error == "Unhandled"
            assert preset in result.payload.decode()
    assert door.connections == 0


async def test_over_tls_it_trusts_the_upstreams_authority(warm: Warm, hall: Hall) -> None:
    async with hall.door(tls="close-notify") as door:
        assert door.url.startswith("https://")
        first = await warm.fresh(door, "seed", *posts("a"))
        answer = await warm.invoke(*posts("b"))
    assert [*first.outcomes, *answer.outcomes] == ["ok", "ok"]
    assert door.requests == [(1, 1), (1, 2)]
    assert_told_as_seen(warm, answer, door)


async def test_over_tls_it_trusts_nobody_else(client: str, hall: Hall) -> None:
    warm = await hall.warm(client, trusts_nobody=True)
    async with hall.door(tls="close-notify") as door:
        answer = await warm.fresh(door, "seed", *posts("a"))
    assert (answer.only.outcome, answer.only.status) == ("other", None)
    assert door.of("request") == []


async def test_a_further_shape_is_the_same_function(client: str, shape: str, hall: Hall) -> None:
    warm = await hall.warm(client, shape)  # type: ignore[arg-type]
    assert warm.first.only.outcome == "ok"
    async with hall.door() as door:
        await warm.fresh(door, "seed", *posts("a"))
        await warm.settle_frozen()
        await warm.invoke(*posts("b"))
        answer = await warm.invoke(*together("c", "d", "e"), at_once=True)
    assert door.requests[:2] == [(1, 1), (1, 2)]
    assert sorted(door.requests[2:]) == [(1, 3), (2, 1), (3, 1)]
    assert sorted(door.executed) == ["a", "b", "c", "d", "e"]
    assert answer.invocation == 3
