"""`thawlab serve` lets time pass between two invocations: by a signal, and by a call."""

import json
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.serving import Invoke, Served, invoking, serving
from tests.patience import COMMAND_PATIENCE
from tests.run.command import refused, thawlab_here
from tests.run.sabotage import needs_compiler

LIMIT = 300.0
"""Lab seconds after which the upstream gives up a connection."""
NOISE = 100.0
"""Lab seconds that may pass by themselves between two jumps: real ones, on a machine that is busy."""


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving("--port", "0", "--idle-timeout", "5m", "--close", "vanish") as made:
        yield made


@pytest.fixture(scope="module")
def invoke(served: Served) -> Iterator[Invoke]:
    with invoking(served.url) as made:
        yield made


def jump(served: Served, query: str) -> tuple[int, Any]:
    """Ask for a jump by a call; the status of the answer and what it says."""
    asked = urllib.request.Request(f"{served.url}/thawlab/jump{query}", method="POST")
    try:
        with urllib.request.urlopen(asked, timeout=COMMAND_PATIENCE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def open_a_connection(invoke: Invoke, request: str) -> Any:
    """Invoke twice: the first invocation may find a connection that an earlier test left stale."""
    invoke("earlier")
    _, told = invoke(request)
    assert outcomes(told) == ["ok"]
    return told


def outcomes(told: Any) -> list[str]:
    return [request["outcome"] for request in told["requests"]]


def lab_seconds(line: str) -> float:
    return float(line.split()[0])


@needs_compiler
def test_six_minutes_by_a_signal(served: Served, invoke: Invoke) -> None:
    assert f"  kill -USR1 {served.process.pid}" in served.said
    before = open_a_connection(invoke, "before-signal")
    served.wait_for("upstream", "executed", "request=before-signal")
    frozen = served.wait_for("sandbox", "frozen")
    served.process.send_signal(signal.SIGUSR1)
    gave_up = served.wait_for("upstream", "gave-up", "mode=vanish", "why=idle timeout")
    jumped = served.wait_for("lab", "time jumped by 6m")
    assert LIMIT - NOISE < lab_seconds(gave_up) - lab_seconds(frozen) < LIMIT + NOISE
    assert 0 < lab_seconds(jumped) - lab_seconds(gave_up) < 60 + NOISE
    _, after = invoke("after-signal")
    assert outcomes(after) == ["reset"]
    passed = [after["clock"][clock] - before["clock"][clock] for clock in ("monotonic", "wall")]
    assert all(360 <= seconds < 360 + NOISE for seconds in passed), passed


@needs_compiler
def test_a_jump_below_the_limit_ends_nothing(served: Served, invoke: Invoke) -> None:
    open_a_connection(invoke, "before")
    assert jump(served, "?by=2m") == (200, {"by": 120.0})
    _, after = invoke("after")
    assert outcomes(after) == ["ok"]
    assert after["requests"][0]["attempts"][-1]["reused"]


@needs_compiler
def test_the_call_of_the_greeting(served: Served, invoke: Invoke) -> None:
    (line,) = (line for line in served.said if "curl" in line)
    query = line.strip().rstrip("'").removeprefix(f"curl -X POST '{served.url}/thawlab/jump")
    open_a_connection(invoke, "before-call")
    assert jump(served, query) == (200, {"by": 360.0})
    _, after = invoke("after-call")
    assert outcomes(after) == ["reset"]


@needs_compiler
def test_a_cold_start_after_a_jump_begins_at_its_time(served: Served, invoke: Invoke) -> None:
    """Two at once, so that one of them needs a sandbox that no jump has reached yet."""
    told: list[Any] = []

    def together(request: str) -> None:
        with invoking(served.url) as invoke_too:
            told.append(invoke_too(request, path="/orders?together=2")[1])

    jump(served, "?by=6m")
    threads = [threading.Thread(target=together, args=(name,)) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(COMMAND_PATIENCE)
    ahead = [each["clock"]["monotonic"] for each in told]
    assert {each["cold"] for each in told} == {True, False}
    assert abs(ahead[0] - ahead[1]) < NOISE


@needs_compiler
def test_an_invocation_that_runs_comes_first() -> None:
    told: list[Any] = []
    answers: list[Any] = []

    def waits(url: str, request: str) -> None:
        with invoking(url) as invoke:
            told.append(invoke(request, path="/orders?together=2")[1])

    with serving("--port", "0", "--preset", "no_keepalive") as served:
        slow = threading.Thread(target=waits, args=(served.url, "slow"))
        slow.start()
        served.wait_for("upstream", "connection-opened")  # no answer before another such request has come
        asked = threading.Thread(target=lambda: answers.append(jump(served, "?by=7m")))
        asked.start()
        served.wait_for("lab", "an invocation runs: time jumps by 7m when it has ended")
        assert not answers
        waits(served.url, "other")
        slow.join(COMMAND_PATIENCE)
        asked.join(COMMAND_PATIENCE)
        assert [outcomes(each) for each in told] == [["ok"], ["ok"]]
        assert answers == [(200, {"by": 420.0})]
        served.wait_for("lab", "time jumped by 7m")


@needs_compiler
def test_an_event_is_tried_again_on_the_way(served: Served, invoke: Invoke) -> None:
    """Its first try fails, and the next is due a minute later: a jump of six does not go over it."""
    open_a_connection(invoke, "before-event")
    jump(served, "?by=6m")
    with invoking(served.url, InvocationType="Event") as send:
        send("event", on_error="raise")
    failed = served.wait_for("invocation", "failed")
    served.wait_for("sandbox", "frozen")
    jump(served, "?by=6m")
    tried = served.wait_for("upstream", "executed", "request=event")
    jumped = served.wait_for("lab", "time jumped by 6m")
    assert 60 <= lab_seconds(tried) - lab_seconds(failed) < 60 + NOISE
    assert lab_seconds(jumped) - lab_seconds(tried) > 200


NONSENSE = [(by, "is not a duration") for by in ("soon", "6", "-6m", "")]
NONSENSE += [(by, "is out of range") for by in ("0s", "9999h")]


@pytest.mark.parametrize(("by", "why"), NONSENSE)
def test_what_is_not_a_duration(served: Served, by: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    status, error = jump(served, f"?by={by}")
    assert status == 400
    assert error["message"].startswith(f"by: '{by}' {why}")
    refused(thawlab_here(monkeypatch, "serve", f"--jump={by}"), 2, "--jump", f"'{by}' {why}")


def test_a_jump_of_unknown_length(served: Served) -> None:
    assert jump(served, "") == (400, {"Type": "User", "message": "by how much? Ask for POST /thawlab/jump?by=6m"})


def test_without_a_compiler_it_says_that_no_clock_can_jump(tmp_path: Any) -> None:
    with serving("--port", "0", "--preset", "no_keepalive", PATH=str(tmp_path)) as served:
        status, error = jump(served, "?by=6m")
        assert status == 500
        assert "no C compiler (cc)" in error["Message"]
        served.process.send_signal(signal.SIGUSR1)
        served.wait_for("lab", "time did not jump: no C compiler (cc)", "--sandbox docker")
