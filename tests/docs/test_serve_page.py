"""docs/serve.md: the server is started as the page says, and everything on the page is done to it."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.conftest import Shell
from tests.docs.pages import ROOT, Fence, fences, outputs, shows

PAGE = ROOT / "docs" / "serve.md"
ADDRESS = "127.0.0.1:9001"
"""Where the page has the Invoke API; the test takes a port of its own."""
START_BOUND = 60.0


@pytest.fixture
def port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture
def served(clone: Path, environment: dict[str, str], port: int) -> Iterator[Path]:
    """The first command of the page, running; gives the file of its output."""
    (command,) = next(fence for fence in fences(PAGE) if fence.language == "console").commands
    log = clone / "serve.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [*command.split(), "--port", str(port)],
            cwd=clone,
            env=environment | {"PYTHONUNBUFFERED": "1"},
            stdout=output,
        )
        try:
            _until_it_says("Ctrl-C ends it", log, server)
            yield log
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(START_BOUND) == 0


def _until_it_says(text: str, log: Path, server: subprocess.Popen[bytes]) -> None:
    with subprocess.Popen(["tail", "-f", "-n", "+1", str(log)], stdout=subprocess.PIPE, text=True) as tail:
        assert tail.stdout is not None
        try:
            assert server.poll() is None
            assert any(text in line for line in tail.stdout)
        finally:
            tail.kill()


def _script(fence: Fence) -> str:
    return fence.text if fence.language == "sh" else f"python3 - <<'END'\n{fence.text}\nEND\n"


@pytest.mark.skipif(" " in sys.prefix, reason="the AWS CLI's own script cannot start from a path with a blank")
def test_everything_on_the_page_works(served: Path, shell: Shell, port: int) -> None:
    shown = outputs(PAGE)
    for fence in fences(PAGE):
        if fence.language in ("sh", "python"):
            done = shell(_script(fence).replace(ADDRESS, f"127.0.0.1:{port}"))
            assert done.returncode == 0, f"{fence}: {done.stdout}"
            assert not shows(done.stdout, shown[fence].text), f"{shown[fence]}: {done.stdout}"
    told = next(fence for fence in fences(PAGE) if fence.language == "text" and "late-data" in fence.text)
    assert not shows(served.read_text(), told.text), served.read_text()
