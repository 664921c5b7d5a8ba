"""The clock page as the lab sees it: its layout, its changes, and whom a change wakes."""

import mmap
import platform
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from lab.backends.clock_page import SIZE, ClockPage
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


def test_a_new_page_moves_no_clock(tmp_path: Path) -> None:
    with ClockPage.create(tmp_path / "page") as page:
        assert (page.mono, page.wall, page.wake, page.kernel_speed) == (0, 0, "interrupted", 0)
        report = page.read()
        assert (report.attached, report.readings, report.waits, report.generation) == (0, 0, 0, 0)
        assert report.next_deadline is None


def test_the_fields_lie_where_the_layout_says(tmp_path: Path) -> None:
    with ClockPage.create(tmp_path / "page") as page:
        page.move(1.5, -2.25)
        page.wake = "uninterrupted"
        page.kernel_speed = 360.0
        data = (tmp_path / "page").read_bytes()
    assert len(data) == SIZE
    assert struct.unpack_from("<8sI4xqqI4xd", data) == (b"THAWCLK1", 1, 1_500_000_000, -2_250_000_000, 1, 360.0)


def test_what_the_function_wrote_is_read_from_where_it_writes(tmp_path: Path) -> None:
    path = tmp_path / "page"
    with ClockPage.create(path) as page:
        with path.open("r+b") as file, mmap.mmap(file.fileno(), SIZE) as memory:
            struct.pack_into("<I4xQqqQQI", memory, 64, 2, 3, 4_000_000_000, 5_000_000_000, 6, 7, 8)
            struct.pack_into("<IIq", memory, 128 + 32 * 63, 100, 0, 9_500_000_000)
            struct.pack_into("<IIq", memory, 128 + 32 * 3, 101, 0, 2**63 - 1)
            struct.pack_into("<IIq", memory, 128, 0, 0, 1_000_000_000)
        report = page.read()
    assert (report.attached, report.readings, report.last_mono, report.last_wall) == (2, 3, 4.0, 5.0)
    assert (report.waits, report.elapsed, report.woken) == (6, 7, 8)
    assert report.next_deadline == 9.5, "a free slot and a wait without a deadline do not count"


def test_moves_add_up_and_each_is_a_generation(tmp_path: Path) -> None:
    with ClockPage.create(tmp_path / "page") as page:
        assert [page.move(60, 60), page.move(0, 30.5)] == [1, 2]
        assert (page.mono, page.wall, page.read().generation) == (60, 90.5, 2)


def test_another_process_opens_the_page(tmp_path: Path) -> None:
    with ClockPage.create(tmp_path / "page") as page, ClockPage.open(tmp_path / "page") as other:
        other.move(1, 2)
        assert (page.mono, page.wall) == (1, 2)


def test_what_is_not_a_page_is_refused(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"THAWCLK1")
    (tmp_path / "other").write_bytes(bytes(SIZE))
    for name in ("short", "other"):
        with pytest.raises(ValueError, match="is not a clock page"):
            ClockPage.open(tmp_path / name)
    with pytest.raises(FileExistsError):
        ClockPage.create(tmp_path / "other")


def test_any_user_may_write_to_it(tmp_path: Path) -> None:
    ClockPage.create(tmp_path / "page").close()
    assert (tmp_path / "page").stat().st_mode & 0o777 == 0o666


WAITER = """
import ctypes, sys
from pathlib import Path
from lab.backends.clock_page import _FUTEX, ClockPage, _Layout
page = ClockPage.open(Path(sys.argv[1]))
word = ctypes.addressof(page._page) + _Layout.generation.offset
print("ready", flush=True)
wait, unchanged = ctypes.c_long(0), ctypes.c_long(0)
ctypes.CDLL(None).syscall(ctypes.c_long(int(sys.argv[2])), ctypes.c_void_p(word), wait, unchanged, None)
print(page.read().generation, flush=True)
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="needs x86_64 or aarch64")
def test_a_move_wakes_whoever_waits_on_the_generation_in_another_process(tmp_path: Path) -> None:
    number = {"x86_64": 202, "aarch64": 98}[platform.machine()]
    with ClockPage.create(tmp_path / "page") as page:
        command = [sys.executable, "-c", WAITER, str(tmp_path / "page"), str(number)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as waiter:
            try:
                assert waiter.stdout is not None
                assert waiter.stdout.readline() == "ready\n"
                page.move(1, 1)
                assert waiter.communicate(timeout=PATIENCE)[0] == "1\n"
            finally:
                waiter.kill()


def test_it_needs_nothing_but_the_standard_library() -> None:
    source = ROOT / "lab" / "backends" / "clock_page.py"
    copied = subprocess.run([sys.executable, "-I", "-S", str(source)], capture_output=True, text=True, timeout=PATIENCE)
    assert (copied.returncode, copied.stderr) == (0, "")
