"""The command line as users run it: a process of its own, nothing patched."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from lab.cleanup.procfs import lab_mark, marked, stat
from lab.cli.main import main
from lab.journal import Event, read_journal
from tests.patience import COMMAND_PATIENCE

COMMAND = (sys.executable, "-m", "lab")
GONE_BOUND = 5.0
"""Real seconds in which everything that an ended lab has left must be gone."""
LOOK = 0.01
"""Real seconds between two looks at what announces nothing: a file that grows, the kernel's list of processes."""
NO_ENGINE = "unix:///nonexistent.sock"
"""A `DOCKER_HOST` for commands that would look into the engine, where other labs may be."""

ANSI = re.compile(r"\x1b")

Finished = subprocess.CompletedProcess[str]


def environment(**more: str) -> dict[str, str]:
    """That of a shell in a pipe, 80 columns wide."""
    hidden = ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "THAWLAB_SANDBOX")
    return {name: value for name, value in os.environ.items() if name not in hidden} | {"COLUMNS": "80"} | more


def thawlab(*arguments: str | Path, stdin: str | None = None, cwd: Path | None = None, **more: str) -> Finished:
    """Run `thawlab` to its end; without `stdin` there is nothing to read."""
    return subprocess.run(
        (*COMMAND, *map(str, arguments)),
        input=stdin or "",
        capture_output=True,
        text=True,
        timeout=COMMAND_PATIENCE,
        check=False,
        cwd=cwd,
        env=environment(**more),
    )


@contextmanager
def running(*arguments: str | Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    """`thawlab` while it runs, in a session of its own as a terminal gives it; whatever it left is killed after it."""
    process = subprocess.Popen(
        (*COMMAND, *map(str, arguments)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment(**more),
    )
    mark = lab_mark(process.pid)
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            for pid in marked(mark):
                os.kill(pid, signal.SIGKILL)


def refused(done: Finished, status: int, *words: str) -> str:
    """What a refused command says: one or two lines that hold the words, nothing on standard output."""
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("thawlab: ")
    assert 1 <= done.stderr.count("\n") <= 2, done.stderr
    assert not ANSI.search(done.stderr)
    for word in words:
        assert word in done.stderr
    return done.stderr


@contextmanager
def in_this_process(
    monkeypatch: pytest.MonkeyPatch, *arguments: str | Path
) -> Iterator[tuple[io.StringIO, io.StringIO]]:
    """`main` may be called with these arguments; gives what it writes to standard output and to standard error.

    The command may decide that SIGPIPE ends it. That must not outlast the call: the next test that writes into a
    closed connection would end the whole process of the tests, without a word.
    """
    monkeypatch.setattr(sys, "argv", ["thawlab", *map(str, arguments)])
    out, err, at_pipe = io.StringIO(), io.StringIO(), signal.getsignal(signal.SIGPIPE)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            yield out, err
    finally:
        signal.signal(signal.SIGPIPE, at_pipe)


def thawlab_here(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> Finished:
    """Run it in this process: if only what it says matters, this takes a hundredth of the time."""
    with in_this_process(monkeypatch, *arguments) as (out, err), pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return Finished(arguments, ended.value.code, out.getvalue(), err.getvalue())


def until(holds: Callable[[], Any], what: str, bound: float = COMMAND_PATIENCE) -> Any:
    """What `holds` returns as soon as it is true."""
    ends = time.monotonic() + bound
    while not (found := holds()):
        assert time.monotonic() < ends, f"waited {bound:g}s for {what}"
        time.sleep(LOOK)
    return found


def frozen(out: Path) -> tuple[Event, ...]:
    """The journal of the latest run in `out`, as soon as a sandbox is frozen in it."""

    def look() -> tuple[Event, ...]:
        journal = out / "latest" / "journal.jsonl"
        events = read_journal(journal) if journal.is_file() else ()
        return events if any(event.kind == "frozen" for event in events) else ()

    found: tuple[Event, ...] = until(look, "a frozen sandbox")
    return found


def left_of(mark: str) -> dict[int, str]:
    """Living processes of a lab with the kernel's word for their state."""
    return {pid: seen.state for pid in marked(mark) if (seen := stat(pid))}


def all_gone(mark: str) -> None:
    until(lambda: not marked(mark), f"the processes of lab {mark} to be gone", GONE_BOUND)


def reaper_of(mark: str) -> int:
    """The pid of a lab's reaper."""

    def look() -> list[int]:
        found = []
        for folder in Path("/proc").iterdir():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0") if folder.name.isdigit() else []
            except OSError:
                continue  # gone meanwhile
            if b"lab.cleanup.reaper" in words and mark.encode() in words:
                found.append(int(folder.name))
        return found

    (pid,) = until(look, "the reaper")
    return int(pid)
