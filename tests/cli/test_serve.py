"""`thawlab serve`, driven as its users drive it: by boto3 and by the AWS command line."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cli.serve import KEPT_EVENTS, KEPT_LOGS, ToldJournal
from lab.journal import Recorder, Scope
from lab.journal.events import SandboxCrashed, SandboxStopped
from tests.cli.serving import Invoke, Served, invoking, serving
from tests.patience import COMMAND_PATIENCE
from tests.run.command import GONE_BOUND, all_gone, left_of, refused, thawlab

VANISHES_SOON = ("--port", "0", "--idle-timeout", "700ms", "--close", "vanish")
"""Long enough for two invocations one after the other, on a machine that is busy."""


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(*VANISHES_SOON) as made:
        yield made


@pytest.fixture(scope="module")
def invoke(served: Served) -> Iterator[Invoke]:
    with invoking(served.url) as made:
        yield made


def test_it_says_where_everything_is(served: Served) -> None:
    greeting = "\n".join(served.said)
    port = int(served.url.rpartition(":")[2])
    assert port > 0
    assert f"--endpoint-url {served.url}" in greeting
    assert "preset seed" in greeting
    assert re.search(r"^upstream +http://127\.0\.0\.1:\d+, closes after 700ms idle \(vanish: ", greeting, re.MULTILINE)


def test_cold_warm_and_stale(served: Served, invoke: Invoke) -> None:
    """The whole story in three invocations: a sandbox is made, it is kept, its connection goes stale."""
    _, cold = invoke("cold")
    assert (cold["cold"], cold["invocation"]) == (True, 1)
    assert [request["outcome"] for request in cold["requests"]] == ["ok"]
    _, warm = invoke("warm")
    assert (warm["cold"], warm["invocation"]) == (False, 2)
    assert warm["sandbox"] == cold["sandbox"]
    served.goes_stale("warm")
    answer, stale = invoke("stale")
    assert answer["StatusCode"] == 200
    assert "FunctionError" not in answer  # this function reports its requests, it does not fail with them
    assert stale["sandbox"] == cold["sandbox"]
    assert [(request["id"], request["outcome"]) for request in stale["requests"]] == [("stale", "reset")]
    served.wait_for("upstream", "late-data", "connection=1 ")


def test_a_function_error_is_told_as_aws_tells_it(served: Served, invoke: Invoke) -> None:
    invoke("before")
    served.goes_stale("before")
    answer, error = invoke("fails", on_error="raise")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert error["errorType"] == "ClientOSError"
    assert error["errorMessage"] == "[Errno 104] Connection reset by peer"
    assert error["requestId"] == answer["ResponseMetadata"]["RequestId"]
    assert any("handler.py" in line for line in error["stackTrace"])


def test_the_aws_command_line(served: Served, invoke: Invoke, tmp_path: Path) -> None:
    invoke("by-boto3")
    served.goes_stale("by-boto3")
    out = tmp_path / "out.json"
    done = subprocess.run(
        (
            *(sys.executable, "-m", "awscli"),  # its own script cannot start from a path with a blank
            *("lambda", "invoke", "--function-name", "thawlab", "--endpoint-url", served.url),
            *("--region", "us-east-1", "--no-sign-request", "--payload", '{"on_error": "raise"}', out),
        ),
        env=os.environ | {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_PAGER": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"StatusCode": 200, "FunctionError": "Unhandled", "ExecutedVersion": "$LATEST"}
    assert json.loads(out.read_text())["errorType"] == "ClientOSError"


def test_a_port_that_is_taken(served: Served) -> None:
    port = served.url.rpartition(":")[2]
    said = refused(thawlab("serve", "--port", port), 3, f"127.0.0.1:{port}", "another port")
    assert said.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_end(number: signal.Signals, tmp_path: Path) -> None:
    with serving("--port", "0", "--preset", "no_keepalive") as served:
        with invoking(served.url) as invoke:
            _, told = invoke("only")
        assert told["requests"][0]["outcome"] == "ok"
        served.wait_for("sandbox", "frozen")
        mark = served.mark
        assert "T" in left_of(mark).values()
        os.killpg(served.process.pid, number)
        assert served.process.wait(GONE_BOUND) == 0
        assert served.process.stderr is not None
        assert served.process.stderr.read() == "ended; nothing was left running\n"
        all_gone(mark)


def test_a_function_that_crashes_each_time_leaves_bounded_traces(tmp_path: Path) -> None:
    """Its logs and its events are dropped when they are old; the last ones can be looked at."""
    said: list[str] = []
    recorder = Recorder(ToldJournal(said.append, tmp_path), Scope("serve", "aiohttp", 1))
    for number in range(200):
        (tmp_path / f"serve-aiohttp-1-sb-{number:06x}.log").touch()
        recorder.record(SandboxCrashed(sandbox=f"sb-{number:06x}", exit=1, during="idle", detail=None))
        recorder.record(SandboxStopped(sandbox=f"sb-{number:06x}", exit=1))
    left = sorted(file.stem[-6:] for file in tmp_path.iterdir())
    assert left == [f"{number:06x}" for number in range(200 - KEPT_LOGS, 200)]
    assert len(recorder.events) == KEPT_EVENTS
    assert len(said) == 400
