"""docs/upstream.md: the upstream is started as the page says, and everything on the page is done to it."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.conftest import Shell
from tests.docs.pages import ROOT, fences, outputs, shows
from tests.patience import COMMAND_PATIENCE, PATIENCE

PAGE = ROOT / "docs" / "upstream.md"
PORTS = ("8000", "8001")
"""Those on the page; the test takes ports of its own."""


@pytest.fixture
def ports() -> dict[str, str]:
    with socket.socket() as one, socket.socket() as other:
        for sock in (one, other):
            sock.bind(("127.0.0.1", 0))
        return dict(zip(PORTS, (str(sock.getsockname()[1]) for sock in (one, other)), strict=True))


@pytest.fixture
def served(clone: Path, environment: dict[str, str], ports: dict[str, str]) -> Iterator[Path]:
    """The first command of the page, running; gives the file of its output."""
    (command,) = next(fence for fence in fences(PAGE) if fence.language == "console").commands
    log = clone / "events.jsonl"
    with (
        log.open("w") as output,
        subprocess.Popen(
            ["bash", "-c", with_ports(command.replace("python -m", "exec python -m"), ports)],
            cwd=clone,
            env=environment,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
        ) as server,
    ):
        try:
            assert server.stderr is not None
            assert any("token" in line for line in server.stderr)  # its last line when it is ready
            yield log
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(PATIENCE) == 0


def with_ports(text: str, ports: dict[str, str]) -> str:
    for written, taken in ports.items():
        text = text.replace(written, taken)
    return text


@pytest.mark.timeout(COMMAND_PATIENCE)
def test_everything_on_the_page_works(served: Path, shell: Shell, ports: dict[str, str]) -> None:
    shown = outputs(PAGE)
    for fence in fences(PAGE):
        if fence.language == "sh":
            done = shell(with_ports(fence.text, ports))
            assert done.returncode == 0, f"{fence}: {done.stdout}"
            assert not shows(done.stdout, shown[fence].text), f"{shown[fence]}: {done.stdout}"
    told = next(fence for fence in fences(PAGE) if fence.language == "text" and "gave-up" in fence.text)
    assert not shows(served.read_text(), told.text), served.read_text()
