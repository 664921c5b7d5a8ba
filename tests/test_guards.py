"""The guards of `conftest.py` and `needs.py` over every test: what they forbid fails the test that does it."""

import pytest

from lab.checkout import ROOT

pytest_plugins = ["pytester"]

GUARDS = "from tests.conftest import pytest_runtest_protocol, signals_are_as_before\n"
MARKERS = "[pytest]\nmarkers =\n    pure: x\n    process: x\n"

STARTS = "import subprocess, sys\n    subprocess.run([sys.executable, '-c', ''], check=True)"
CONNECTS = """import socket
    server = socket.create_server(('127.0.0.1', 0))
    socket.create_connection(server.getsockname())"""
FORKS = "import os\n    child = os.fork()\n    if not child: os._exit(0)\n    os.waitpid(child, 0)"
CHANGES = "import signal\n    signal.signal(signal.SIGPIPE, signal.SIG_DFL)"


@pytest.fixture
def guarded(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder whose tests have the guards, and nothing else of this one."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeconftest(GUARDS)
    pytester.makeini(MARKERS)
    return pytester


def run(guarded: pytest.Pytester, mark: str, *bodies: str) -> pytest.RunResult:
    tests = [f"@pytest.mark.{mark}\ndef test_{number}():\n    {body}\n" for number, body in enumerate(bodies)]
    guarded.makepyfile("\n".join(["import pytest", *tests]))
    return guarded.runpytest_subprocess("-p", "no:cacheprovider")


@pytest.mark.parametrize(
    ("body", "what"), [(STARTS, "subprocess.Popen"), (FORKS, "os.fork"), (CONNECTS, "socket.connect")]
)
def test_a_pure_test_that_reaches_out_fails_and_the_next_one_does_not(
    guarded: pytest.Pytester, body: str, what: str
) -> None:
    result = run(guarded, "pure", body, "pass")
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines([f"*is marked `pure`, but it does {what}*"])


def test_another_test_may(guarded: pytest.Pytester) -> None:
    run(guarded, "process", STARTS, FORKS).assert_outcomes(passed=2)


def test_a_test_that_leaves_a_signals_handler_changed_fails_and_the_next_one_has_it_as_before(
    guarded: pytest.Pytester,
) -> None:
    as_before = "import signal\n    assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN"
    result = run(guarded, "pure", CHANGES, as_before)
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*the test left signal handlers changed: *SIGPIPE*"])
