"""Each outcome class, from a real fault at the upstream."""

import socket
from collections.abc import Iterator
from errno import ECONNREFUSED, ECONNRESET

import pytest

from tests.functions.contract import Answer
from tests.functions.nature import RAISES_FOR_A_STATUS, TAKES_A_PART_FOR_THE_WHOLE, WITHOUT_ERRNO, sends
from tests.functions.support import Hall, Json, Warm

pytestmark = pytest.mark.asyncio(loop_scope="session")


LIMIT = 30.0
"""Lab seconds that the presets called `sane` give a request at most."""
LENGTH, CHUNKED = "/orders?response_bytes=1000", "/orders?response_bytes=1000&chunked=1"


def until_it_gives_up(warm: Warm) -> Json:
    """A reset on each connection that a plain POST is sent on, and no other."""
    return {"at": "executed", "do": "rst", "connections": list(range(1, sends(warm, "reset") + 1))}


def assert_failed(answer: Answer, outcome: str, *, began: bool = False) -> None:
    """With an error; of an answer that began, the library may keep the status."""
    told = answer.only
    assert told.outcome == outcome, told
    assert told.error
    assert told.status is None or (began and told.status == 201)


def assert_errno(warm: Warm, answer: Answer, errno: int) -> None:
    assert answer.only.errnos == (set() if warm.defined.language in WITHOUT_ERRNO else {errno})


@pytest.fixture
def nobody() -> Iterator[str]:
    """A URL with a port that is taken and that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/orders?response_bytes=x", 400)])
async def test_http_error(warm: Warm, hall: Hall, path: str, status: int) -> None:
    async with hall.door() as door:
        answer = await warm.fresh(door, "seed", {"path": path})
    told = answer.only
    assert (told.outcome, told.status) == ("http-error", status)
    assert (told.error is None) == (warm.defined.client not in RAISES_FOR_A_STATUS)
    assert len(door.requests) == 1, "an answer is not asked for again"


async def test_refused(warm: Warm, nobody: str) -> None:
    answer = await warm.fresh(nobody, "seed", {})
    assert_failed(answer, "refused")
    assert_errno(warm, answer, ECONNREFUSED)


async def test_refused_after_a_connection_that_worked(warm: Warm, hall: Hall) -> None:
    """The connection closes by the answer's own word, and nobody listens any more."""
    async with hall.door(announce_close=True) as door:
        assert (await warm.fresh(door, "seed", {})).only.outcome == "ok"
    assert_failed(await warm.invoke(), "refused")


async def test_reset(warm: Warm, hall: Hall) -> None:
    async with hall.door(faults=[{"at": "executed", "do": "rst"}]) as door:
        answer = await warm.fresh(door, "seed", {"id": "a"})
    assert_failed(answer, "reset")
    assert_errno(warm, answer, ECONNRESET)
    assert door.executed == ["a"] * sends(warm, "reset")
    assert len(door.of("fault")) == len(door.executed)


async def test_end_of_file(warm: Warm, hall: Hall) -> None:
    async with hall.door(faults=[{"at": "executed", "do": "fin"}]) as door:
        answer = await warm.fresh(door, "seed", {"id": "a"})
    assert_failed(answer, "eof")
    assert ECONNRESET not in answer.only.errnos
    assert door.executed == ["a"] * sends(warm, "eof")
    assert len(door.of("fault")) == len(door.executed)


@pytest.mark.parametrize(("end", "outcome"), [("rst", "reset"), ("fin", "eof")])
async def test_on_a_reused_connection(warm: Warm, hall: Hall, end: str, outcome: str) -> None:
    """The first POST on it was answered. One that is sent again ends ok, with both of its executions counted."""
    async with hall.door(faults=[{"at": "executed", "do": end, "connections": [1], "min_request": 2}]) as door:
        await warm.fresh(door, "seed", {"id": "a"})
        answer = await warm.invoke({"id": "b"})
    again = sends(warm, "reused") > 1
    assert answer.only.outcome == ("ok" if again else outcome)
    assert door.requests == [(1, 1), (1, 2), *([(2, 1)] if again else [])]
    assert door.executed.count("b") == 1 + again
    for attempt in answer.only.attempts[:1]:
        assert (attempt.reused, attempt.local_port) == (True, door.port_of(1))


@pytest.mark.parametrize(("end", "path"), [("length", LENGTH), ("chunked", CHUNKED)], ids=["length", "chunked"])
async def test_truncated(warm: Warm, hall: Hall, end: str, path: str) -> None:
    async with hall.door(faults=[{"at": "response-body", "do": "fin", "after_bytes": 100}]) as door:
        answer = await warm.fresh(door, "seed", {"id": "a", "path": path})
    if end == "length" and warm.defined.client in TAKES_A_PART_FOR_THE_WHOLE:
        assert (answer.only.outcome, answer.only.status) == ("ok", 201)
    else:
        assert_failed(answer, "truncated", began=True)
    assert door.executed == ["a"] * sends(warm, end)
    assert door.of("fault")


async def test_reset_in_the_middle_of_an_answer(warm: Warm, hall: Hall) -> None:
    """By errno it is a reset; a library that says no more than that the body ended too early may say truncated."""
    async with hall.door(faults=[{"at": "response-body", "do": "rst", "after_bytes": 100}]) as door:
        answer = await warm.fresh(door, "seed", {"id": "a", "path": LENGTH})
    told = answer.only
    assert told.outcome == "reset" or (told.outcome == "truncated" and ECONNRESET not in told.errnos)
    assert door.executed == ["a"] * sends(warm, "reset in the body")


@pytest.mark.parametrize("at", ["executed", "response-body"])
async def test_timeout(client: str, hall: Hall, at: str) -> None:
    """Nothing comes, or no more of an answer: the limits of `sane` end the wait."""
    warm = await hall.warm(client, preset="sane")
    async with hall.door(faults=[{"at": at, "do": "stall"}]) as door:
        answer, took = await warm.hang(door, "sane", {"id": "a"})
    assert_failed(answer, "timeout", began=at == "response-body")
    assert 0.5 * LIMIT <= took <= 10 * LIMIT
    assert answer.only.ended - answer.only.started < LIMIT / 10, "nobody waited for it"
    assert door.executed == ["a"] * sends(warm, "timeout")


async def test_after_a_failure_the_function_goes_on(warm: Warm, hall: Hall) -> None:
    async with hall.door(faults=[until_it_gives_up(warm)]) as door:
        answer = await warm.fresh(door, "seed", {"id": "a"}, {"id": "b"})
        await warm.invoke({"id": "c"})
    assert answer.outcomes == ["reset", "ok"]
    tries = sends(warm, "reset")
    assert door.requests == [*((number, 1) for number in range(1, tries + 1)), (tries + 1, 1), (tries + 1, 2)]


# An error that the function does not catch.


async def test_raise_fails_the_invocation(warm: Warm, hall: Hall) -> None:
    async with hall.door(faults=[{"at": "executed", "do": "rst"}]) as door:
        document = await warm.fail(door, "raise", {"id": "a"})
        answer = await warm.invoke({"id": "b"}, on_error="record")
    assert isinstance(document["errorMessage"], str)
    assert document["errorType"]
    assert not document["errorMessage"].startswith("{")
    assert answer.only.outcome == "reset"
    assert answer.invocation == 2, "the sandbox lives on"


async def test_raise_record_fails_it_with_the_answer_as_the_message(warm: Warm, hall: Hall) -> None:
    async with hall.door(faults=[until_it_gives_up(warm)]) as door:
        document = await warm.fail(door, "raise-record", {"id": "a"}, {"id": "b"})
    answer = Answer.model_validate_json(document["errorMessage"])
    assert answer.outcomes == ["reset", "ok"]
    assert document["errorType"] == "RequestFailed", "by which the lab's verdicts know it"


@pytest.mark.parametrize("on_error", ["raise", "raise-record"])
async def test_what_does_not_fail_is_not_raised(warm: Warm, hall: Hall, on_error: str) -> None:
    async with hall.door() as door:
        answer = await warm.fresh(door, "seed", {}, on_error=on_error)
    assert answer.only.outcome == "ok"
