"""The classifier against exceptions that real sockets and the real client make."""

import asyncio
import errno
import http.client
import socket

import aiohttp
import pytest
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_writer import StreamWriter

from lambda_app.python.clients.aiohttp.adapter import Aiohttp
from lambda_app.python.outcome import chain_of, describe, headline
from lambda_app.python.outcome import classify as classify_by
from tests.lambda_app.talks import (
    ANSWER,
    CUT,
    CUT_CHUNKS,
    Talk,
    closes,
    never_answers,
    port_of,
    resets,
    resets_in_the_answer,
    says,
    serving,
    wait_for_end,
)
from tests.patience import PATIENCE


def classify(error: BaseException) -> str:
    return classify_by(error, Aiohttp.kinds)


async def failure(url: str, *, data: bytes | None = None, timeout: float = PATIENCE) -> BaseException:
    """What a POST raises."""
    bound = aiohttp.ClientTimeout(total=timeout)
    with pytest.raises((aiohttp.ClientError, OSError)) as caught:
        async with (
            aiohttp.ClientSession(raise_for_status=True, timeout=bound) as session,
            session.post(url, data=data) as response,
        ):
            await response.read()
    return caught.value


@pytest.mark.parametrize(
    ("talk", "outcome"),
    [
        (resets, "reset"),
        (closes, "eof"),
        (says(CUT), "truncated"),
        (says(CUT_CHUNKS), "truncated"),
        (says(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), "http-error"),
        (says(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"), "http-error"),
    ],
)
async def test_what_a_server_does(talk: Talk, outcome: str) -> None:
    with serving(talk) as (url, _):
        error = await failure(url)
    assert classify(error) == outcome, describe(error)


async def test_a_reset_in_the_answer_is_told_as_a_cut() -> None:
    """aiohttp drops the errno there, so a cut is all that the client knows."""
    with serving(resets_in_the_answer) as (url, _):
        error = await failure(url)
    assert {link["errno"] for link in describe(error)} == {None}
    assert classify(error) == "truncated"


async def test_no_answer_in_time() -> None:
    with serving(never_answers) as (url, _):
        assert classify(await failure(url, timeout=0.1)) == "timeout"


async def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    error = await failure(f"http://127.0.0.1:{port}/")
    assert classify(error) == "refused"
    assert headline(error).startswith("ClientConnectorError: ")


async def test_a_transport_that_aiohttp_closed_itself() -> None:
    """By its class the error is a ConnectionResetError, and nothing was reset, nothing was sent."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        transport, protocol = await loop.create_connection(lambda: ResponseHandler(loop), *listening.getsockname())
        transport.close()
        with pytest.raises(ConnectionResetError) as caught:
            await StreamWriter(protocol, loop).write(b"x")
    assert caught.value.errno is None
    assert classify(caught.value) == "closed-locally"
    assert classify(raised(aiohttp.ClientOSError(None, "Can not write request body"), caught.value)) == "closed-locally"


@pytest.mark.parametrize(("data", "outcomes"), [(b"x" * 1000, {"closed-locally", "eof"}), (None, {"eof"})])
async def test_a_stale_connection_whose_close_has_arrived(data: bytes | None, outcomes: set[str]) -> None:
    """Never a reset. With a body aiohttp meets the end of file while it sends, mostly before its answer is due.

    The event loop does not run between the two requests, as in the `sync` shape: this thread blocks until the
    kernel has the close.
    """
    with serving(says(ANSWER)) as (url, server):
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(keepalive_timeout=None)) as session:
            async with session.post(url) as response:
                await response.read()
            server.join(PATIENCE)
            wait_for_end(port_of(url))
            with pytest.raises((aiohttp.ClientError, OSError)) as caught:
                await session.post(url, data=data)
    assert {link["errno"] for link in describe(caught.value)} == {None}
    assert classify(caught.value) in outcomes, describe(caught.value)


def broken_pipe() -> OSError:
    """The real one: a write after this side has said that it writes no more."""
    one, other = socket.socketpair()
    with one, other:
        one.shutdown(socket.SHUT_WR)
        with pytest.raises(BrokenPipeError) as caught:
            one.send(b"x")
    return caught.value


def raised(error: Exception, cause: Exception) -> Exception:
    try:
        raise error from cause
    except Exception as caught:
        return caught


def test_a_broken_pipe_wrapped_as_aiohttp_does() -> None:
    pipe = broken_pipe()
    assert classify(pipe) == "epipe"
    assert classify(raised(aiohttp.ClientOSError(pipe.errno, "Can not write request body"), pipe)) == "epipe"
    assert classify(raised(RuntimeError("mine"), pipe)) == "epipe"


def test_what_the_kernel_gives_up() -> None:
    """ETIMEDOUT is a TimeoutError with an errno; the kernel takes minutes to say it, so it is made here."""
    assert classify(raised(aiohttp.ClientError(), OSError(errno.ETIMEDOUT, "timed out"))) == "timeout"


def test_the_standard_librarys_eof() -> None:
    """http.client's RemoteDisconnected is a ConnectionResetError without an errno, too."""
    with serving(closes) as (url, _):
        connection = http.client.HTTPConnection(url.removeprefix("http://").rstrip("/"), timeout=PATIENCE)
        connection.request("POST", "/")
        with pytest.raises(ConnectionResetError) as caught:
            connection.getresponse()
        connection.close()
    assert classify(caught.value) == "eof"


async def test_a_retry_is_judged_by_its_last_try() -> None:
    """The first try's reset is the second one's context, and not its cause."""

    async def tries_twice(url: str) -> None:
        async with aiohttp.ClientSession() as session:
            try:
                await session.post(url)
            except aiohttp.ClientOSError:
                await session.post(url)

    with serving(resets, closes) as (url, _), pytest.raises(aiohttp.ServerDisconnectedError) as caught:
        await tries_twice(url)
    assert classify(caught.value) == "eof"
    assert [link["errno"] for link in describe(caught.value)][:2] == [None, errno.ECONNRESET]


async def test_a_wrapper_that_names_no_cause() -> None:
    """Where the exception itself says nothing, what it was raised in the handling of decides."""

    async def places_an_order(url: str) -> None:
        async with aiohttp.ClientSession() as session:
            try:
                await session.post(url)
            except aiohttp.ClientOSError:
                raise RuntimeError("the order was not placed")  # noqa: B904  as functions do

    with serving(resets) as (url, _), pytest.raises(RuntimeError) as caught:
        await places_an_order(url)
    assert classify(caught.value) == "reset"


def test_groups() -> None:
    pipe = broken_pipe()
    group = ExceptionGroup("several", [ValueError("no"), ExceptionGroup("deeper", [raised(RuntimeError(), pipe)])])
    assert classify(group) == "epipe"
    assert [type(link).__name__ for link in chain_of(group)] == [
        "ExceptionGroup",
        "ValueError",
        "ExceptionGroup",
        "RuntimeError",
        "BrokenPipeError",
    ]


def test_causes_in_a_circle() -> None:
    one, other = ValueError("one"), KeyError("other")
    one.__cause__, other.__cause__ = other, one
    assert list(chain_of(one)) == [one, other]
    assert classify(one) == "other"


def test_a_member_that_is_raised_again_from_its_group() -> None:
    """Its context is the group that it is a member of."""

    def raises_it_again() -> None:
        try:
            raise ExceptionGroup("outer", [ValueError("inside"), broken_pipe()])
        except ExceptionGroup as group:
            raise group.exceptions[0]  # noqa: B904

    with pytest.raises(ValueError, match="inside") as caught:
        raises_it_again()
    assert len(list(chain_of(caught.value))) == 3
    assert classify(caught.value) == "epipe"


def test_what_is_none_of_these() -> None:
    for error in (ValueError("no"), aiohttp.InvalidURL("x"), OSError(errno.ENETUNREACH, "no route")):
        assert classify(error) == "other"


def test_description() -> None:
    pipe = broken_pipe()
    wrapped = raised(aiohttp.ClientOSError(pipe.errno, "broken"), pipe)
    assert [link["errno"] for link in describe(wrapped)] == [errno.EPIPE, errno.EPIPE]
    assert describe(wrapped)[1]["type"] == "builtins.BrokenPipeError"
    assert headline(wrapped) == "ClientOSError: [Errno 32] broken"
    assert headline(TimeoutError()) == "TimeoutError"
