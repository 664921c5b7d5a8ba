"""What each library makes of real failures, told in classes: plain, and over TLS where an end can look otherwise."""

import asyncio
import errno
import importlib.util
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import aiohttp
import pytest
import trustme

from lab.functions import DEFINITIONS
from lambda_app.python.client import Client
from lambda_app.python.outcome import classify, describe
from lambda_app.python.trust import VARIABLES
from tests.lambda_app.talks import (
    ANSWER,
    CUT,
    CUT_BETWEEN_CHUNKS,
    CUT_CHUNKS,
    Talk,
    answers_then,
    closes,
    closes_politely,
    leaves,
    never_answers,
    port_of,
    reset,
    resets,
    resets_in_the_answer,
    says,
    serving,
    wait_for_end,
)

LIBRARIES = [
    name
    for name, made in DEFINITIONS.items()
    if made.language == "python" and "@" not in name and not made.contract.get("own_sockets")
]
"""But for those whose sockets are not Python's: their errors have an errno through their adapter only, and the
contract's tests look at those."""
SOON = 0.1
"""Real seconds of a timeout that must run out."""

Send = Callable[..., int]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """The server's side."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def reset_over_tls(authority: trustme.CA, tls: ssl.SSLContext) -> str:
    """What this Python makes of it where a program blocks: from 3.10 to 3.12 an end of file (CPython #115627)."""
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with serving(resets, tls=tls) as (url, server):
        address = ("127.0.0.1", port_of(url))
        with (
            socket.create_connection(address) as plain,
            trusting.wrap_socket(plain, server_hostname=address[0]) as secure,
        ):
            secure.sendall(b"POST / HTTP/1.1\r\n\r\n")
            server.join()
            try:
                assert secure.recv(1) == b""
            except ConnectionResetError:
                return "reset"
    return "eof"


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def trusted(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(file)
    for variable in VARIABLES:
        monkeypatch.setenv(variable, str(file))


def site_packages(interpreter: str) -> list[str]:
    return [str(path) for path in Path(interpreter).parents[1].glob("lib/python3*/site-packages")]


@pytest.fixture
def preset(library: str, trusted: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The story's preset, imported again; an SDK's that tries once, so that a talk is had once."""
    defined = DEFINITIONS[library]
    # The library's own environment, after the lab's: nothing that is loaded already is loaded a second time.
    monkeypatch.setattr(sys, "path", [*sys.path, *site_packages(defined.program.here().command[0])])
    path = defined.preset_path("no_retry" if library == "botocore" else "seed")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for name in ("session", "client"):  # aiohttp's is closed in its event loop
        if library != "aiohttp" and getattr(module, name, None) is not None:
            getattr(module, name).close()
    if library == "urllib3":
        module.pool.clear()
    for connection in getattr(module, "idle", []):
        connection.close()


@pytest.fixture
def send(library: str, preset: ModuleType) -> Iterator[Send]:
    """`send(method, url, **options)` of the preset, also where that is asynchronous."""
    if library != "aiohttp":
        yield preset.send
        return
    with asyncio.Runner() as runner:

        def run(method: str, url: str, **options: Any) -> int:
            options.setdefault("ssl", ssl.create_default_context() if url.startswith("https") else True)
            status: int = runner.run(preset.send(method, url, **options))
            return status

        yield run
        if preset.session is not None:
            runner.run(preset.session.close())


def failure(library: str, send: Send, url: str, **options: Any) -> tuple[str, list[dict[str, Any]]]:
    """The class of what a POST raises, and its chain."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  each library has its own
        send("POST", url, **options)
    return classify(caught.value, kinds(library)), describe(caught.value)


def kinds(library: str) -> Any:
    folder = DEFINITIONS[library].presets.parent.name
    adapter: type[Client] = import_module(f"lambda_app.python.clients.{folder}.adapter").CLIENT
    return adapter.kinds


ENDS = [
    pytest.param(resets, "reset", id="reset"),
    pytest.param(closes, "eof", id="closed"),
    pytest.param(closes_politely, "eof", id="closed-politely"),
    pytest.param(says(CUT_CHUNKS), "truncated", id="cut-in-a-chunk"),
    pytest.param(says(CUT_BETWEEN_CHUNKS), "truncated", id="cut-between-chunks"),
]


SECURE = pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])


@SECURE
@pytest.mark.parametrize(("talk", "outcome"), ENDS)
def test_how_a_connection_ends(
    library: str, send: Send, tls: ssl.SSLContext, reset_over_tls: str, talk: Talk, outcome: str, secure: bool
) -> None:
    """aiohttp reads the socket itself and decrypts in memory, so that Python's mistake does not reach it."""
    if talk is resets and secure and library != "aiohttp":
        outcome = reset_over_tls
    with serving(talk, tls=tls if secure else None) as (url, _):
        found, chain = failure(library, send, url)
    assert found == outcome, chain
    assert (outcome == "reset") == any(link["errno"] == errno.ECONNRESET for link in chain)


@SECURE
def test_an_answer_that_is_cut(library: str, send: Send, tls: ssl.SSLContext, secure: bool) -> None:
    """An SDK looks at no lengths, and half a JSON document is an answer without anything in it."""
    with serving(says(CUT), tls=tls if secure else None) as (url, _):
        if library == "botocore":
            assert send("POST", url) == 201
            return
        found, chain = failure(library, send, url)
    assert found == "truncated", chain


def test_a_reset_in_the_answer(library: str, send: Send) -> None:
    """aiohttp drops the errno there, so that a cut is all that it knows."""
    with serving(resets_in_the_answer) as (url, _):
        found, chain = failure(library, send, url)
    assert found == ("truncated" if library == "aiohttp" else "reset"), chain


def test_no_answer_in_time(library: str, send: Send, preset: ModuleType) -> None:
    options: dict[str, Any] = {"timeout": SOON}
    if library == "aiohttp":
        options = {"timeout": aiohttp.ClientTimeout(total=SOON)}
    elif library == "http.client":  # a connection has it, not a request
        options, dial = {}, preset.dial

        def dial_in_time(url: str) -> Any:
            connection = dial(url)
            connection.timeout = SOON
            return connection

        preset.__dict__["dial"] = dial_in_time
    elif library == "botocore":  # a client has it
        options = {}
        preset.__dict__["config"] = preset.config.merge(type(preset.config)(read_timeout=SOON))
    with serving(never_answers) as (url, _):
        found, chain = failure(library, send, url, **options)
    assert found == "timeout", chain


def test_nobody_listens(library: str, send: Send) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    found, chain = failure(library, send, f"http://127.0.0.1:{port}/")
    assert found == "refused", chain


IDLE_ENDS = pytest.mark.parametrize("end", [leaves, reset], ids=["closed", "reset"])


@SECURE
@IDLE_ENDS
@pytest.mark.parametrize("library", ["http.client"], indirect=True)
def test_a_kept_connection_that_ended(
    library: str, send: Send, tls: ssl.SSLContext, reset_over_tls: str, end: Talk, secure: bool
) -> None:
    """Only here: the others look first, or (aiohttp) have a test of their own."""
    told = threading.Event()
    with serving(answers_then(end, told), tls=tls if secure else None) as (url, server):
        assert send("POST", url) == 201
        told.set()
        server.join()
        wait_for_end(port_of(url))
        found, chain = failure(library, send, url)
    outcome = "eof" if end is leaves else reset_over_tls if secure else "reset"
    assert found == outcome, chain


@IDLE_ENDS
@pytest.mark.parametrize("library", ["requests", "urllib3", "httpx2", "botocore"], indirect=True)
def test_whoever_looks_first_sees_an_end_that_has_arrived(send: Send, end: Talk) -> None:
    told = threading.Event()
    with serving(answers_then(end, told), says(ANSWER)) as (url, _):
        assert send("POST", url) == 201
        told.set()
        wait_for_end(port_of(url))
        assert send("POST", url) == 201
