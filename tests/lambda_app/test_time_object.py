"""What a program sees with the time object preloaded: clocks that jump, and waits that end by them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.backends.clock_page import VARIABLE
from lab.backends.shims import compiled, preload
from tests.lambda_app.timed import ROOT, Timed, needs_compiler, timed
from tests.patience import PATIENCE, PAUSE

pytestmark = needs_compiler

LIMIT = 60.0
"""Seconds that the programs wait for: many times `PATIENCE`, were they real."""
NOISE = 0.005
"""Seconds by which a program's own reckoning may differ from ours: what it does between two looks at a clock."""


@pytest.fixture(scope="module")
def shim() -> Path:
    return compiled()


CLOCKS = """
import ctypes, json, sys, time
from lambda_app.python.journal_clock import now
here = ctypes.CDLL(None)
here.time.restype = ctypes.c_long
class Timeval(ctypes.Structure):
    _fields_ = (("s", ctypes.c_long), ("us", ctypes.c_long))
def gettimeofday():
    value = Timeval()
    here.gettimeofday(ctypes.byref(value), None)
    return value.s + value.us / 1e6
clocks = {name: lambda name=name: time.clock_gettime(getattr(time, name)) for name in
          ("CLOCK_MONOTONIC", "CLOCK_MONOTONIC_RAW", "CLOCK_BOOTTIME", "CLOCK_REALTIME", "CLOCK_TAI")}
clocks |= {"CLOCK_MONOTONIC_COARSE": lambda: time.clock_gettime(6)}
clocks |= {"CLOCK_REALTIME_COARSE": lambda: time.clock_gettime(5)}
clocks |= {"time()": lambda: here.time(None), "gettimeofday": gettimeofday, "perf_counter": time.perf_counter}
clocks |= {"processor": time.process_time, "journal": now}
def look():
    # Each beside the journal's clock: what lies between the two readings of that is how exact it is.
    seen = {}
    for name, read in clocks.items():
        before = now(); value = read(); after = now()
        seen[name] = (value - after, value - before)
    return seen
for _ in sys.stdin:
    print(json.dumps(look()), flush=True)
"""
COARSE = {"CLOCK_MONOTONIC_COARSE": 0.02, "CLOCK_REALTIME_COARSE": 0.02, "time()": 1.02, "CLOCK_MONOTONIC_RAW": NOISE}
"""Seconds that a clock is exact to: a tick of the kernel, or what it is counted in. The raw one drifts."""
REAL = {"processor", "journal"}


def moved(child: Timed, mono: float, wall: float) -> dict[str, tuple[float, float]]:
    """Between what and what each clock moved against the journal's."""
    child.say()
    before = child.told()
    child.jump(mono, wall)
    child.say()
    after = child.told()
    return {
        name: (low - before[name][1] - COARSE.get(name, 1e-6), high - before[name][0] + COARSE.get(name, 1e-6))
        for name, (low, high) in after.items()
    }


def is_wall(clock: str) -> bool:
    return "REALTIME" in clock or clock in ("CLOCK_TAI", "time()", "gettimeofday")


@pytest.mark.parametrize(("mono", "wall"), [(360.5, 360.5), (0.0, 300.25), (1e6, 1e6)])
def test_every_clock_jumps_by_exactly_the_jump(mono: float, wall: float, shim: Path, tmp_path: Path) -> None:
    with timed(CLOCKS, shim, tmp_path) as child:
        found = moved(child, mono, wall)
    assert len(found) == 12
    del found["processor"]
    for name, (low, high) in found.items():
        expected = 0 if name in REAL else wall if is_wall(name) else mono
        assert low <= expected <= high, name


def test_half_a_jump_shows_in_the_report(shim: Path, tmp_path: Path) -> None:
    """A page on which only the wall clock was moved tells so itself: by what the function was answered."""
    with timed(CLOCKS, shim, tmp_path) as child:
        child.say()
        child.line()
        before = child.page.read()
        child.jump(0, LIMIT)
        child.say()
        child.line()
        after = child.page.read()
    assert after.readings > before.readings
    assert after.last_wall - before.last_wall >= LIMIT
    assert 0 < after.last_mono - before.last_mono < LIMIT


PREAMBLE = """
import asyncio, json, queue, select, signal, socket, subprocess, sys, threading, time
stay = threading.Event()
near, far = socket.socketpair()
"""
WAITS = {
    "sleep": "time.sleep(60)",
    "lock": "held = threading.Lock(); held.acquire(); assert not held.acquire(timeout=60)",
    "rlock": """
held = threading.RLock()
threading.Thread(target=lambda: held.acquire() and stay.wait(), daemon=True).start()
assert not held.acquire(timeout=60)
""",
    "condition": """
condition = threading.Condition()
with condition:
    assert not condition.wait(60)
""",
    "event": "assert not threading.Event().wait(60)",
    "queue": """
try:
    queue.Queue().get(timeout=60)
except queue.Empty:
    pass
else:
    raise AssertionError
""",
    "join": """
thread = threading.Thread(target=stay.wait, daemon=True)
thread.start()
thread.join(60)
assert thread.is_alive()
""",
    "select": "assert select.select([], [], [], 60) == ([], [], [])",
    "select-socket": "assert select.select([near], [], [], 60) == ([], [], [])",
    "poll": "assert select.poll().poll(60000) == []",
    "epoll": "assert select.epoll().poll(60) == []",
    "asyncio": "asyncio.run(asyncio.sleep(60))",
    "asyncio-timeout": """
async def wait():
    try:
        await asyncio.wait_for(asyncio.Event().wait(), 60)
    except asyncio.TimeoutError:
        return
    raise AssertionError
asyncio.run(wait())
""",
    "recv": """
near.settimeout(60)
try:
    near.recv(1)
except TimeoutError:
    pass
else:
    raise AssertionError
""",
    "subprocess": """
process = subprocess.Popen(["sleep", "1000"], env={})
try:
    process.wait(60)
except subprocess.TimeoutExpired:
    process.kill()
else:
    raise AssertionError
""",
}
"""Each waits for `LIMIT`, and fails if it ends by anything but that."""


def waiting(kind: str) -> str:
    """It tells how long it waited by its own clock, and by the machine's."""
    return f"""{PREAMBLE}
from lambda_app.python.journal_clock import now
print("ready", flush=True)
began, really = time.monotonic(), now()
{WAITS[kind]}
print(json.dumps([time.monotonic() - began, now() - really]), flush=True)
"""


@pytest.mark.parametrize("wake", ["interrupted", "uninterrupted"])
@pytest.mark.parametrize("kind", WAITS)
def test_a_wait_ends_when_the_jumps_have_reached_its_end(kind: str, wake: str, shim: Path, tmp_path: Path) -> None:
    """After the first jump it goes on for what is left. What is left then passes in the second."""
    with timed(waiting(kind), shim, tmp_path, uninterrupted=wake == "uninterrupted") as child:
        assert child.line() == "ready"
        child.until_it_waits()
        child.jump(LIMIT - 1)
        child.until(lambda: child.page.read().next_deadline is not None)
        assert child.page.read().elapsed == 0 or kind == "subprocess", "which sleeps for a little, again and again"
        child.jump(1)
        took, really = child.told()
    assert LIMIT <= took < LIMIT + PATIENCE
    assert really < PATIENCE


@pytest.mark.parametrize("wake", ["interrupted", "uninterrupted"])
@pytest.mark.parametrize("kind", WAITS)
def test_a_wait_ends_at_the_thaw_if_the_clocks_moved_while_it_was_frozen(
    kind: str, wake: str, shim: Path, tmp_path: Path
) -> None:
    with timed(waiting(kind), shim, tmp_path, uninterrupted=wake == "uninterrupted") as child:
        assert child.line() == "ready"
        child.until_it_waits()
        child.stop()
        child.page.move(LIMIT, LIMIT)
        child.go_on()
        took, really = child.told()
        assert child.page.read().elapsed >= 1 or kind == "subprocess", "it may have been between two of its sleeps"
    assert LIMIT <= took < LIMIT + PATIENCE
    assert really < PATIENCE


def test_a_wait_goes_on_if_nobody_says_that_the_clocks_moved(shim: Path, tmp_path: Path) -> None:
    """So it is the page's generation that ends waits, and the tests above can fail."""
    with timed(waiting("sleep"), shim, tmp_path) as child:
        assert child.line() == "ready"
        child.until_it_waits()
        child.page._page.mono_ns = int(LIMIT * 1e9)
        time.sleep(PAUSE)
        child.until_asleep()
        assert child.page.read().next_deadline is not None
        child.jump(0)
        assert child.told()[0] >= LIMIT


def test_the_page_says_when_the_next_wait_ends(shim: Path, tmp_path: Path) -> None:
    source = "import threading, time\nfor s in (90, 30, 60): threading.Timer(s, print, (s,), {'flush': True}).start()"
    with timed(source, shim, tmp_path) as child:
        child.until_it_waits(3)
        for expected in (30, 60, 90):
            deadline = child.page.read().next_deadline
            assert deadline is not None
            left = deadline - time.monotonic() - child.page.mono
            assert 30 - PATIENCE < left <= 30
            child.jump(left - 1)
            assert child.page.read().next_deadline == deadline, "it is not over yet"
            child.jump(1)
            assert child.line() == str(expected)


ORDER = """
import asyncio, sys
async def main():
    loop, seen, both = asyncio.get_running_loop(), [], asyncio.Event()
    def see(what):
        seen.append(what)
        if len(seen) == 2:
            both.set()
    loop.add_reader(sys.stdin.fileno(), lambda: (loop.remove_reader(sys.stdin.fileno()), see("event")))
    loop.call_later(60, see, "timer")
    print("ready", flush=True)
    await both.wait()
    print(" ".join(seen), flush=True)
asyncio.run(main())
"""


@pytest.mark.parametrize(("uninterrupted", "expected"), [(False, "timer event"), (True, "event timer")])
def test_what_an_event_loop_sees_first_at_the_wake(
    uninterrupted: bool, expected: str, shim: Path, tmp_path: Path
) -> None:
    with timed(ORDER, shim, tmp_path, uninterrupted=uninterrupted) as child:
        assert child.line() == "ready"
        child.until_it_waits()
        child.stop()
        child.say("an event")
        child.page.move(LIMIT, LIMIT)
        child.go_on()
        assert child.line() == expected


@pytest.mark.parametrize("uninterrupted", [False, True])
@pytest.mark.parametrize("source", ["select.epoll()", "select.poll()"])
def test_a_wait_without_a_limit_goes_on_over_freezes_and_jumps(
    source: str, uninterrupted: bool, shim: Path, tmp_path: Path
) -> None:
    endless = f"""
import select, sys
events = {source}
events.register(sys.stdin.fileno(), select.POLLIN)
print("ready", flush=True)
print(len(events.poll()), flush=True)
"""
    with timed(endless, shim, tmp_path, uninterrupted=uninterrupted) as child:
        assert child.line() == "ready"
        for _ in range(3):
            child.until_asleep()
            child.stop()
            child.page.move(LIMIT, LIMIT)
            child.go_on()
        child.until_asleep()
        child.say("an event")
        assert child.line() == "1"


FORKED = """
import ctypes, os, sys, threading, time
page = sys.stdin.readline().strip()
pid = os.fork()
if pid == 0:
    if page:
        assert ctypes.CDLL(None).thawlab_clock_attach(page.encode()) == 0
    print("ready", flush=True)
    began = time.monotonic()
    time.sleep(60)
    print(time.monotonic() - began, flush=True)
    os._exit(0)
os.waitpid(pid, 0)
"""


@pytest.mark.parametrize("attached", ["inherited", "by call", "by call, another before"])
def test_a_forked_process_has_a_page_and_a_watcher_of_its_own(attached: str, shim: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    environment: dict[str, str] | None = {} if attached == "by call" else None
    with timed(FORKED, shim, other, environment=environment) as parent, timed("input()", shim, tmp_path) as holder:
        page = parent.page if attached == "inherited" else holder.page
        parent.say("" if attached == "inherited" else str(page.path))
        assert parent.line() == "ready"
        child = Timed(parent.process, page)
        child.until_it_waits()
        if page is holder.page and attached != "by call":
            parent.jump(LIMIT)  # the page that it had before
            assert page.read().elapsed == 0
        child.jump(LIMIT)
        assert float(parent.line()) >= LIMIT
        assert page.read().attached == 2


def test_a_page_is_replaced_in_a_process_that_waits_on_another(shim: Path, tmp_path: Path) -> None:
    source = """
import ctypes, sys, threading, time
assert ctypes.CDLL(None).thawlab_clock_attach(input().encode()) == 0
print("ready", flush=True)
time.sleep(60)
print("over", flush=True)
"""
    other = tmp_path / "other"
    other.mkdir()
    with timed(source, shim, other) as parent, timed("input()", shim, tmp_path) as holder:
        parent.say(str(holder.page.path))
        assert parent.line() == "ready"
        child = Timed(parent.process, holder.page)
        child.until_it_waits()
        child.jump(LIMIT)
        assert child.line() == "over"


FAMILY = """
import os, signal, subprocess, sys, time
children = [subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) for _ in range(2)]
print("ready", flush=True)
input()
children[0].kill()
print(children[0].wait(), flush=True)
time.sleep(60)
print(children[1].wait(), flush=True)
"""


def test_the_processes_of_a_function_share_its_page(shim: Path, tmp_path: Path) -> None:
    """One jump ends the waits of all. A process that was killed in its wait leaves a slot that nobody waits for."""
    with timed(FAMILY, shim, tmp_path) as child:
        assert child.line() == "ready"
        child.until(lambda: child.waits() == 2)
        child.say()
        assert child.line() == str(-signal.SIGKILL)
        child.until(lambda: child.waits() == 3)
        child.jump(1)
        assert child.waits() == 2
        child.jump(LIMIT)
        assert child.line() == "0"
        assert child.page.read().attached == 3


def run(source: str, shim: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", source],
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), **preload(shim), **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def test_without_a_page_nothing_changes(shim: Path) -> None:
    source = """
import os, signal, time
from lambda_app.python.journal_clock import now
before = now(); seen = time.monotonic(); time.sleep(0.01); assert before <= seen <= now()
print(len(os.listdir("/proc/self/task")), signal.getsignal(63) == signal.SIG_DFL)
"""
    done = run(source, shim)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 True\n", "")


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "No such file or directory"), (b"THAWCLK1", "Invalid argument"), (bytes(4096), "does not begin with")],
)
def test_a_page_that_cannot_be_used_is_one_line_and_real_time(
    content: bytes | None, why: str, shim: Path, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "page").write_bytes(content)
    source = "import time\nfrom lambda_app.python.journal_clock import now\nprint(now() <= time.monotonic() <= now())"
    done = run(source, shim, **{VARIABLE: str(tmp_path / "page")})
    assert (done.returncode, done.stdout) == (0, "True\n")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"thawlab: the clock page {tmp_path}/page cannot be used (")
    assert why in line


SIGNALLED = """
import select, signal, time
class Heard(Exception): pass
def hear(number, frame): raise Heard
signal.signal(signal.SIGUSR1, hear)
assert signal.getsignal(signal.SIGUSR1) is hear
print("ready", flush=True)
while True:
    try:
        WAIT
        print("over", flush=True)
    except Heard:
        print("heard", flush=True)
"""
INTERRUPTIBLE = ["time.sleep(60)", "select.select([], [], [], 60)", "select.epoll().poll(60)"]


@pytest.mark.parametrize("uninterrupted", [False, True])
@pytest.mark.parametrize("wait", INTERRUPTIBLE)
def test_a_signal_of_the_programs_own_ends_a_wait(wait: str, uninterrupted: bool, shim: Path, tmp_path: Path) -> None:
    with timed(SIGNALLED.replace("WAIT", wait), shim, tmp_path, uninterrupted=uninterrupted) as child:
        assert child.line() == "ready"
        for _ in range(3):
            child.until_it_waits()
            child.jump(1)
            child.until_it_waits()
            child.process.send_signal(signal.SIGUSR1)
            assert child.line() == "heard"


TOGETHER = 50
"""How often a signal and a jump are made to come at once."""


@pytest.mark.parametrize("wait", INTERRUPTIBLE)
def test_a_signal_is_not_lost_that_comes_with_a_jump(wait: str, shim: Path, tmp_path: Path) -> None:
    """At the thaw the signal and the watcher's interrupt the same wait, in any order."""
    with timed(SIGNALLED.replace("WAIT", wait), shim, tmp_path) as child:
        assert child.line() == "ready"
        for _ in range(TOGETHER):
            child.until_it_waits()
            child.stop()
            child.process.send_signal(signal.SIGUSR1)
            child.page.move(1, 1)
            child.go_on()
            assert child.line() == "heard"


def test_alarms_and_ended_children_still_end_waits(shim: Path, tmp_path: Path) -> None:
    """`alarm` is a timer of the kernel's: its second is a real one."""
    source = """
import signal, subprocess, time
def hear(number, frame): raise KeyboardInterrupt(number)
for number in (signal.SIGALRM, signal.SIGCHLD): signal.signal(number, hear)
for begin in (lambda: signal.setitimer(signal.ITIMER_REAL, 0.05), lambda: subprocess.Popen(["true"], env={})):
    try: begin(); time.sleep(60)
    except KeyboardInterrupt as heard: print(signal.Signals(heard.args[0]).name, flush=True)
"""
    with timed(source, shim, tmp_path) as child:
        assert [child.line(), child.line()] == ["SIGALRM", "SIGCHLD"]


FEW = 10
"""Threads that wait for the interpreter's lock at one time."""


def test_more_threads_than_slots(shim: Path, tmp_path: Path) -> None:
    """The slots are taken, and the threads that found none free end by the same jump."""
    source = """
import sys, threading, time
never, over = threading.Event(), []
def wait(how):
    how(60)
    over.append(how)
threads = [threading.Thread(target=wait, args=((time.sleep, never.wait)[i % 2],), daemon=True) for i in range(100)]
for thread in threads: thread.start()
print("ready", flush=True)
for _ in sys.stdin:
    print(len(over), flush=True)
for thread in threads: thread.join()
"""

    def over(child: Timed) -> int:
        child.say()
        return int(child.line())

    with timed(source, shim, tmp_path) as child:
        assert child.line() == "ready"
        # A thread that waits for the interpreter's lock has a slot too, which may be free again once all have begun.
        child.until(lambda: child.page.read().waits >= 100 and child.waits() > 64 - FEW)
        assert over(child) == 0
        child.jump(LIMIT)
        child.until(lambda: over(child) > 64)
        child.jump(LIMIT)  # for a thread that began late
        child.until(lambda: over(child) == 100)
        assert child.process.stdin is not None
        child.process.stdin.close()
        assert child.process.wait(PATIENCE) == 0
        assert child.page.read().next_deadline is None, "no slot is left behind"


JUMPS = 2000


def test_many_jumps_in_a_row_leave_no_wait_behind(shim: Path, tmp_path: Path) -> None:
    source = """
import asyncio, queue, select, socket, threading, time
r, w = socket.socketpair()
stop = threading.Event()
counts = {}
def over(name, wait):
    def loop():
        while not stop.is_set():
            before = time.monotonic()
            wait()
            assert time.monotonic() - before >= 0.7, name
            counts[name] = counts.get(name, 0) + 1
    return threading.Thread(target=loop, name=name)
never = threading.Event()
threads = [over("sleep", lambda: time.sleep(0.7)), over("event", lambda: never.wait(0.7)),
           over("select", lambda: select.select([r], [], [], 0.7)), over("epoll", lambda: select.epoll().poll(0.7)),
           over("asyncio", lambda: asyncio.run(asyncio.sleep(0.7)))]
for thread in threads: thread.start()
print("ready", flush=True)
input()
stop.set()
for thread in threads: thread.join()
print(min(counts.values()), len(counts), flush=True)
"""
    with timed(source, shim, tmp_path) as child:
        assert child.line() == "ready"
        child.until_it_waits(5)
        for _ in range(JUMPS):
            child.page.move(0.4, 0.4)
        child.jump(1)
        child.say()
        child.page.move(1, 1)
        fewest, kinds = map(int, child.line().split())
        assert kinds == 5
        assert fewest > 10
        child.process.wait(PATIENCE)
        report = child.page.read()
        assert (child.process.returncode, report.next_deadline) == (0, None)


C_WAITS = ["futex", "futex-until", "futex-until-wall", "nanosleep", "sleep", "usleep", "clock_nanosleep"]
C_WAITS += ["clock_nanosleep-until", "poll", "ppoll", "pselect", "sem", "sem-clock", "cond", "cond-mono", "cond-clock"]
C_WAITS += ["mutex", "mutex-clock", "join"]
C_TIMERS = ["timerfd", "timerfd-until", "timerfd-until-wall", "timerfd-often"]
ETIMEDOUT = 110


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("program")
    source = Path(__file__).with_name("waits.c")
    subprocess.run(["cc", "-O1", "-o", folder / "waits", source, "-lpthread"], check=True)
    return folder / "waits"


@pytest.mark.parametrize("kind", C_WAITS + C_TIMERS)
def test_what_a_program_in_c_waits_for(kind: str, program: Path, shim: Path, tmp_path: Path) -> None:
    with timed([str(program), kind], shim, tmp_path) as child:
        assert child.line() == "ready"
        if kind in C_TIMERS:
            child.until_asleep()
        else:
            child.until_it_waits()
        if kind != "timerfd-often":
            child.jump(LIMIT / 2)
            child.until_asleep()
            assert child.page.read().elapsed == 0
            child.jump(LIMIT / 2)
        else:
            child.jump(LIMIT)
        result, took = child.told()
    assert result == ETIMEDOUT
    assert LIMIT <= took < LIMIT + PATIENCE


def test_a_cancelled_thread_leaves_its_wait(program: Path, shim: Path, tmp_path: Path) -> None:
    with timed([str(program), "cancel"], shim, tmp_path) as child:
        assert child.line() == "ready"
        result, took = child.told()
        report = child.page.read()
        assert (result, child.process.wait(PATIENCE)) == (0, 0)
        assert report.waits == 8, "four, and a pause before each is cancelled"
        assert child.waits() == 0
    assert took < LIMIT


TCP = """
import json, socket
s = socket.socket()
asked = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 30, "TCP_USER_TIMEOUT": 60000, "TCP_KEEPCNT": 5}
for name, value in asked.items():
    s.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
print(json.dumps([s.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in asked]), flush=True)
"""


@pytest.mark.parametrize(
    ("speed", "expected"),
    [
        (0.0, [60, 30, 60000, 5]),
        (20.0, [3, 1, 3000, 5]),
        (1.0, [60, 30, 60000, 5]),
        (1 / 500, [30000, 15000, 30000000, 5]),
        (1 / 1000, [32767, 30000, 60000000, 5]),
    ],
)
def test_limits_of_tcp_run_faster_or_are_put_off_if_the_page_says_so(
    speed: float, expected: list[int], shim: Path, tmp_path: Path
) -> None:
    source = "input()" + TCP
    with timed(source, shim, tmp_path) as child:
        child.page.kernel_speed = speed
        child.say()
        assert child.told() == expected


C_READINGS = r"""
#include <stdio.h>
#include <time.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
  struct timespec t, from, to;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
  for (int i = 0; i < 2000000; i++) clock_gettime(CLOCK_MONOTONIC, &t);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
  printf("%.9f\n", to.tv_sec - from.tv_sec + (to.tv_nsec - from.tv_nsec) / 1e9);
  return 0;
}
"""
TOO_DEAR = 8.0
"""How many times a reading may cost what libc's own costs. Measured: about 2."""


def test_a_reading_of_the_clock_stays_cheap(shim: Path, tmp_path: Path) -> None:
    (tmp_path / "readings.c").write_text(C_READINGS)
    subprocess.run(["cc", "-O2", "-o", "readings", "readings.c"], cwd=tmp_path, check=True)
    plain = min(float(subprocess.check_output([tmp_path / "readings"])) for _ in range(3))
    with timed([str(tmp_path / "readings")], shim, tmp_path) as child:
        moved = float(child.line())
        assert child.page.read().readings == 2_000_000
    assert moved / plain < TOO_DEAR
