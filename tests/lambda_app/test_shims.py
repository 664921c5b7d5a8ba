"""What a program sees with the shims preloaded: its clock after a freeze, and what it sees first at the wake."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.backends.shims import compiled, preload
from tests.patience import LOOK

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler (cc)")

ROOT = Path(__file__).resolve().parents[2]
FREEZE = 0.5
"""Real seconds frozen: well above the 150 ms that the clock shim takes for a freeze at the least."""
RUNS = 0.01
"""Real seconds that a program runs between two freezes, while it looks at the clock all the time."""
DUE = 0.2
"""Real seconds after which a program's timer is due: while it is frozen."""
LITTLE = 0.35
"""Real seconds that a program may have run for, by its own clock, when it was frozen for `FREEZE`: on a busy machine
it gets no processor for a while."""


class Program:
    """A Python program that prints a line, waits for one, and prints what it found."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def say(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        """Returns when the kernel says that it is stopped."""
        self._process.send_signal(signal.SIGSTOP)
        _, status = os.waitpid(self._process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), status

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def until_it_waits(self) -> None:
        """Returns when it sleeps in the kernel."""
        while Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
            time.sleep(LOOK)


@contextmanager
def program(source: str, shims: list[Path]) -> Iterator[Program]:
    process = subprocess.Popen(
        [sys.executable, "-c", source],
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), **preload(shims)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Program(process)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def shim_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shims")


CLOCKS = """
import json, sys, time
from lambda_app.python.journal_clock import now
def look(): return {"monotonic": time.monotonic(), "boot": time.clock_gettime(time.CLOCK_BOOTTIME),
                    "wall": time.time(), "journal": now()}
before = look()
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps({name: value - before[name] for name, value in look().items()}), flush=True)
"""


def clocks_over_a_freeze(source: str, shims: list[Path]) -> dict[str, float]:
    with program(source, shims) as child:
        assert child.line() == "ready"
        child.stop()
        time.sleep(FREEZE)
        child.say("")
        child.go_on()
        passed: dict[str, float] = json.loads(child.line())
        return passed


def test_the_clock_stands_still_while_frozen_and_the_wall_clock_goes_on(shim_folder: Path) -> None:
    passed = clocks_over_a_freeze(CLOCKS, [compiled("clock", shim_folder)])
    assert 0 <= passed["monotonic"] < LITTLE
    assert 0 <= passed["boot"] < LITTLE
    assert passed["wall"] >= FREEZE
    assert passed["journal"] >= FREEZE, "the function tells its times by the clock of the journal"


def test_without_the_shim_all_clocks_go_on() -> None:
    assert all(passed >= FREEZE for passed in clocks_over_a_freeze(CLOCKS, []).values())


def test_the_clock_stands_still_in_a_forked_process_too(shim_folder: Path) -> None:
    """The parent waits for the child, which is frozen with it."""
    forked = "import os, signal\nif os.fork():\n    os.wait()\n    os._exit(0)\n" + CLOCKS
    shims = [compiled("clock", shim_folder)]
    with program("import os\nos.setpgrp()\n" + forked.replace('print("ready"', "print(os.getpid()"), shims) as child:
        pid = int(child.line())
        os.kill(pid, signal.SIGSTOP)
        time.sleep(FREEZE)
        child.say("")
        os.kill(pid, signal.SIGCONT)
        passed = json.loads(child.line())
    assert 0 <= passed["monotonic"] < LITTLE
    assert passed["journal"] >= FREEZE


HAMMER = """
import sys, threading, time
def hammer():
    last = time.monotonic()
    while True:
        now = time.monotonic()
        if now < last:
            print("back", last - now, flush=True)
        last = now
for _ in range(3):
    threading.Thread(target=hammer, daemon=True).start()
began = time.monotonic()
print("ready", flush=True)
sys.stdin.readline()
print(f"on {time.monotonic() - began}", flush=True)
"""


def test_the_clock_never_goes_back_and_loses_every_freeze(shim_folder: Path) -> None:
    """Also for a thread that was frozen between reading the clock and hearing of the freeze."""
    times = 4
    with program(HAMMER, [compiled("clock", shim_folder)]) as child:
        assert child.line() == "ready"
        began = time.monotonic()
        for _ in range(times):
            child.stop()
            time.sleep(FREEZE)
            child.go_on()
            time.sleep(RUNS)
        ran = time.monotonic() - began - times * FREEZE
        child.say("")
        word, passed = child.line().split()
    assert word == "on"
    assert float(passed) <= ran + LITTLE


ORDER = f"""
import asyncio, sys
async def main():
    loop, seen, both = asyncio.get_running_loop(), [], asyncio.Event()
    def see(what):
        seen.append(what)
        if len(seen) == 2:
            both.set()
    loop.add_reader(sys.stdin.fileno(), lambda: (loop.remove_reader(sys.stdin.fileno()), see("event")))
    loop.call_later({DUE}, see, "timer")
    print("ready", flush=True)
    await both.wait()
    print(" ".join(seen), flush=True)
asyncio.run(main())
"""


def seen_at_the_wake(shims: list[Path]) -> str:
    """What an event loop sees in turn, when it wakes with a timer due and an event waiting."""
    with program(ORDER, shims) as child:
        assert child.line() == "ready"
        child.until_it_waits()
        child.stop()
        child.say("an event")
        time.sleep(FREEZE)
        child.go_on()
        return child.line()


def test_interrupted_a_loop_runs_its_timer_first() -> None:
    assert seen_at_the_wake([]) == "timer event"


def test_uninterrupted_a_loop_sees_the_waiting_event_first(shim_folder: Path) -> None:
    assert seen_at_the_wake([compiled("wake", shim_folder)]) == "event timer"


WAITS = f"""
import select, sys, time
waiting = {{}}
print("ready", flush=True)
began = time.monotonic()
found = waiting_for({DUE})
print(len(found), time.monotonic() - began, flush=True)
"""

EPOLL = "def waiting_for(s): return select.epoll().poll(s)"
POLL = "def waiting_for(s): return select.poll().poll(s * 1000)"


@pytest.mark.parametrize("call", [EPOLL, POLL])
def test_a_wait_whose_time_is_over_ends_at_the_thaw(shim_folder: Path, call: str) -> None:
    source = WAITS.replace("waiting = {}", call)
    with program(source, [compiled("wake", shim_folder)]) as child:
        assert child.line() == "ready"
        child.until_it_waits()
        child.stop()
        time.sleep(FREEZE)
        child.go_on()
        count, took = child.line().split()
    assert int(count) == 0
    assert FREEZE <= float(took) < FREEZE + DUE + LITTLE


ENDLESS = """
import select, sys
epoll = select.epoll()
epoll.register(sys.stdin.fileno(), select.EPOLLIN)
print("ready", flush=True)
print(len(epoll.poll()), flush=True)
"""


def test_a_wait_without_a_limit_goes_on_over_freezes(shim_folder: Path) -> None:
    with program(ENDLESS, [compiled("wake", shim_folder)]) as child:
        assert child.line() == "ready"
        for _ in range(3):
            child.until_it_waits()
            child.stop()
            child.go_on()
        child.until_it_waits()
        child.say("an event")
        assert child.line() == "1"
