"""Reads from a journal when connections died and when their sandbox was frozen. Shares no code with the judge.

python -m tests.run.moments         both stories, 20 times each, under two busy loops a core
"""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
STORIES = ("node5s", "node5sfin")
LOOPS_A_CORE = 2
REPEATS = 20
Entry = dict[str, Any]
Run = tuple[str, int, int]
"""Arm, repeat, attempt."""


@dataclass(frozen=True)
class Found:
    """What came of one story."""

    runs: int
    inconclusive: int
    repeated: int
    """Runs that were made more than once."""
    deaths: int
    """Connections that died in runs that passed."""
    outside: tuple[str, ...]
    """Those of them that did not die while their sandbox was frozen."""

    def __str__(self) -> str:
        return (
            f"{self.runs} runs, {self.inconclusive} inconclusive, {self.repeated} made again; in those that passed "
            f"{self.deaths} connections died, {len(self.outside)} of them outside the freeze"
        )


@contextmanager
def busy(loops: int) -> Iterator[None]:
    """So many processes that do nothing but use a processor."""
    spinning = [multiprocessing.get_context("spawn").Process(target=_spin, daemon=True) for _ in range(loops)]
    for process in spinning:
        process.start()
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.join()


def _spin() -> None:
    parent = os.getppid()
    while os.getppid() == parent:
        pass


def found(story: str, repeats: int, folder: Path) -> Found:
    """Run a story as users do, on a machine that is busy, and read what it left."""
    with busy(LOOPS_A_CORE * (os.cpu_count() or 1)):
        done = subprocess.run(
            (
                *(sys.executable, "-m", "lab", "run", str(HERE / f"{story}.yaml")),
                *("--repeat", str(repeats), "--out", str(folder)),
            ),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode not in (0, 3):
        raise AssertionError(f"exit status {done.returncode}: {done.stdout[-2000:]} {done.stderr}")
    return read(folder / "latest")


def read(folder: Path) -> Found:
    verdicts = _verdicts(json.loads((folder / "results.json").read_text()))
    entries = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    runs: dict[Run, list[Entry]] = {}
    for entry in entries:
        if "arm" in entry:
            runs.setdefault((entry["arm"], entry["repeat"], entry.get("attempt", 1)), []).append(entry)
    deaths, outside = 0, []
    for (arm, repeat), verdict in verdicts.items():
        attempt = max(run[2] for run in runs if run[:2] == (arm, repeat))
        if verdict == "pass":
            for died, frozen, thawed in _deaths(runs[arm, repeat, attempt]):
                deaths += 1
                if not frozen <= died <= thawed:
                    outside.append(f"{arm} {repeat}: died {died:.4f}, frozen {frozen:.4f} to {thawed:.4f}")
    again = len({run[:2] for run in runs if run[2] > 1})
    return Found(len(verdicts), list(verdicts.values()).count("inconclusive"), again, deaths, tuple(outside))


def _verdicts(results: Entry) -> dict[tuple[str, int], str]:
    return {
        (arm["name"], run["repeat"]): run["verdict"]
        for scenario in results["scenarios"]
        for arm in scenario["arms"]
        for run in arm["runs"]
    }


def _deaths(entries: list[Entry]) -> Iterator[tuple[float, float, float]]:
    """When each connection was given up that had been opened before the only freeze, and when that began and ended.

    What was never frozen or never thawed was not frozen at any time. What the upstream gave up after everything
    (the connection of the last request, say) was opened after the freeze.
    """
    frozen = [entry["t"] for entry in entries if (entry["source"], entry["kind"]) == ("sandbox", "frozen")]
    thawed = [entry["t"] for entry in entries if (entry["source"], entry["kind"]) == ("sandbox", "thawed")]
    start, end = max(frozen, default=float("inf")), min(thawed, default=float("-inf"))
    opened = {entry["data"]["connection"]: entry["t"] for entry in entries if entry["kind"] == "connection-opened"}
    for entry in entries:
        if entry["kind"] == "gave-up" and opened[entry["data"]["connection"]] < end:
            yield entry["t"], start, end


def check_all() -> bool:
    """Both stories in their full size, a line each; whether no moment was wrong and few runs proved nothing."""
    holds = True
    for name in STORIES:
        with tempfile.TemporaryDirectory() as runs_folder:
            seen = found(name, REPEATS, Path(runs_folder))
        holds &= not seen.outside and seen.inconclusive * 10 < seen.runs
        print(textwrap.fill(f"{name}: {seen}", 80), *seen.outside, sep="\n  ", flush=True)
    return holds


if __name__ == "__main__":
    sys.exit(not check_all())
