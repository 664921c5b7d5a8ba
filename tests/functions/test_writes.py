"""In how many writes each client hands a short request with a body to the kernel: that decides what races in the
matrix. Counted from outside, by strace."""

import asyncio
import re
import shutil
from pathlib import Path

import pytest

from tests.functions.support import Hall, Json, Warm
from tests.patience import PATIENCE

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(shutil.which("strace") is None, reason="no strace on this machine: writes are not counted"),
]

SIZE = 1000
"""As in the matrix."""
WRITES = "trace=write,writev,sendto,sendmsg"
PART = re.compile(r"POST /orders|\[?\\?\"?x{8}")
"""The head of a request, or the beginning of its body."""


class Traced:
    """A process whose writes are written down."""

    def __init__(self, pid: int, file: Path) -> None:
        self._pid = pid
        self._file = file

    async def __aenter__(self) -> "Traced":
        options = ("-f", "-e", WRITES, "-s", "40", "-o", str(self._file), "-p", str(self._pid))
        self._process = await asyncio.create_subprocess_exec("strace", *options, stderr=asyncio.subprocess.PIPE)
        assert self._process.stderr is not None
        said = (await asyncio.wait_for(self._process.stderr.readline(), PATIENCE)).decode()
        if "attached" not in said:
            await self._process.wait()
            pytest.skip(f"this machine lets nobody trace: {said.strip()}")
        return self

    async def __aexit__(self, *exception: object) -> None:
        """What was written until now is in the file."""
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.communicate()

    @property
    def writes(self) -> int:
        """Those that hold the head of a request or the beginning of a body."""
        return sum(PART.search(line) is not None for line in self._file.read_text().splitlines())


def owner_of(port: int) -> int:
    """The process whose connection has this local port."""
    tables = (Path(f"/proc/net/{name}").read_text().splitlines() for name in ("tcp", "tcp6"))
    for line in (line.split() for table in tables for line in table):
        if line[1].endswith(f":{port:04X}") and line[9] not in ("0", "inode"):
            return next(pid for pid in _processes() if f"socket:[{line[9]}]" in _open_files(pid))
    raise AssertionError(f"no connection has the port {port}")


def _processes() -> list[int]:
    return [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdecimal()]


def _open_files(pid: int) -> list[str]:
    try:
        return [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:  # it has ended, or is somebody else's
        return []


@pytest.mark.parametrize("kind", ["bytes", "json"])
async def test_head_and_body_are_writes_of_their_own_where_the_matrix_says_so(
    warm: Warm, hall: Hall, kind: str, tmp_path: Path
) -> None:
    body: Json = {"body_bytes": SIZE, "json": kind == "json"}
    async with hall.door() as door:
        await warm.fresh(door, "seed", {"id": "a"})
        async with Traced(owner_of(door.port_of(1)), tmp_path / "writes") as traced:
            answer = await warm.invoke({"id": "b"} | body)
    assert answer.outcomes == ["ok"]
    assert traced.writes == (2 if warm.defined.two_writes else 1)
