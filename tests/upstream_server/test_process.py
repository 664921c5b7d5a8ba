"""`python -m upstream_server` as users and the laboratory run it."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.patience import PATIENCE

AT_ONCE = 2.0
"""Real seconds in which a process that is told to end must be gone, on a busy machine too."""

COMMAND = (sys.executable, "-m", "upstream_server")
TOKEN = "secret"


@contextmanager
def running(*options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        (*COMMAND, *options),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"THAWLAB_TOKEN": TOKEN},
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip()


def ended(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str, str]:
    """Exit status and the rest of both outputs, after a signal that must end it at once."""
    begun = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert time.monotonic() - begun < AT_ONCE
    return process.returncode, out, err


def call(method: str, url: str, body: object = None) -> Any:
    request = urllib.request.Request(
        url,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:
        return json.load(response)


def fails(*options: str) -> tuple[int, str]:
    done = subprocess.run(
        (*COMMAND, *options), capture_output=True, text=True, timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL
    )
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_laboratorys_way(number: signal.Signals) -> None:
    with running("--no-listener", "--announce") as process:
        announced = json.loads(line_of(process))
        assert announced.keys() == {"control", "pid"}
        assert announced["pid"] == process.pid
        url = announced["control"]
        made = call("POST", f"{url}/listeners", {"name": "a", "idle_timeout": 0.1, "close": "vanish"})
        with socket.create_connection((made["host"], made["port"]), timeout=PATIENCE) as client:
            client.sendall(b"GET /orders/any HTTP/1.1\r\nHost: upstream\r\n\r\n")
            answer = b""
            while not answer.endswith(b"}"):
                answer += client.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 ")
            with urllib.request.urlopen(
                urllib.request.Request(f"{url}/events", headers={"Authorization": f"Bearer {TOKEN}"}), timeout=PATIENCE
            ) as stream:
                kinds = []
                for line in stream:
                    kinds.append(json.loads(line)["kind"])
                    if kinds[-1] == "gave-up":
                        client.sendall(b"late")
                    if kinds[-1] == "late-data":
                        break
                assert kinds[-2:] == ["gave-up", "late-data"]
                with pytest.raises(ConnectionResetError):
                    client.recv(1)
                # With a reader of the event stream and a connection of a client still there.
                with socket.create_connection((made["host"], made["port"]), timeout=PATIENCE) as second:
                    assert ended(process, number) == (0, "", "")
                    assert [json.loads(line)["kind"] for line in stream][-1] == "listener-closed"
                    assert second.recv(1) == b""


def test_a_users_way() -> None:
    with running("--idle-timeout", "100ms", "--close", "rst", "--port", "0") as process:
        lines = dict(line_of(process).split(maxsplit=1) for _ in range(3))
        assert lines["token"] == TOKEN
        orders = lines["orders"].split()[0]
        assert "closes after 0.1s idle, by rst" in lines["orders"]
        assert call("POST", orders, {"any": "thing"})["executions"] == 1
        (listener,) = call("GET", f"{lines['control']}/listeners")
        assert (listener["idle_timeout"], listener["close"]) == (0.1, "rst")
        assert ended(process, signal.SIGTERM) == (0, "", "")


def test_https_for_a_name_of_the_users() -> None:
    with running("--port", "0", "--tls", "close-notify", "--tls-name", "upstream.test") as process:
        lines = dict(line_of(process).split(maxsplit=1) for _ in range(3))
        orders = urllib.parse.urlsplit(lines["orders"].split()[0])
        assert orders.scheme == "https"
        assert orders.port is not None
        trusting = ssl.create_default_context(cadata=call("GET", f"{lines['control']}/tls")["ca_pem"])
        with (
            socket.create_connection((orders.hostname, orders.port), timeout=PATIENCE) as wire,
            trusting.wrap_socket(wire, server_hostname="upstream.test") as client,
        ):
            client.sendall(b"GET /orders/any HTTP/1.1\r\nHost: upstream.test\r\n\r\n")
            assert client.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_without_the_variable_the_token_is_made() -> None:
    with running("--port", "0", "--idle-timeout", "never") as process:
        lines = dict(line_of(process).split(maxsplit=1) for _ in range(3))
        assert "never closes" in lines["orders"]
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{lines['control']}/listeners", timeout=PATIENCE)


def test_events_are_printed_alone() -> None:
    with running("--port", "0", "--events", "--idle-timeout", "100ms") as process:
        opened = json.loads(line_of(process))
        assert opened["kind"] == "listener-opened"
        with socket.create_connection((opened["host"], opened["port"]), timeout=PATIENCE) as client:
            assert client.recv(1) == b""
        status, out, err = ended(process, signal.SIGTERM)
        kinds = [json.loads(line)["kind"] for line in out.splitlines()]
        assert status == 0
        assert kinds[:2] == ["connection-opened", "gave-up"]
        assert kinds[-1] == "listener-closed"
        assert err.startswith("orders ")


def test_a_reader_of_events_may_go_away() -> None:
    with running("--port", "0", "--events") as process:
        opened = json.loads(line_of(process))
        assert process.stdout is not None
        process.stdout.close()
        for _ in range(2):
            assert call("GET", f"http://127.0.0.1:{opened['port']}/orders/any")["executions"] == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


@pytest.mark.parametrize("option", ["--port", "--control-port"])
def test_a_port_in_use_is_one_line(option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, message = fails("--port", "0", option, str(port))
    assert status == 3
    assert message == f"upstream: 127.0.0.1:{port} is in use: choose another port, or 0 for any free one\n"


@pytest.mark.parametrize(
    "options",
    [
        ("--close", "slam"),
        ("--idle-timeout", "5"),
        ("--idle-timeout", "0s"),
        ("--port", "70000"),
        ("--host", ""),
        ("--tls", "maybe"),
        ("--nonsense",),
    ],
)
def test_bad_options_exit_2(options: tuple[str, ...]) -> None:
    status, message = fails(*options)
    assert status == 2
    assert "Error: " in message


def test_it_needs_nothing_of_the_laboratory() -> None:
    done = subprocess.run(
        (
            sys.executable,
            "-c",
            "import upstream_server.cli, sys; print([m for m in sys.modules if m.startswith('lab')])",
        ),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout.strip() == "[]"
