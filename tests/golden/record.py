"""Records the golden runs again: `python -m tests.golden.record [NAME ...]`, with `--snapshots` only what is expected.

It needs what the runs need: a C compiler, CAP_NET_ADMIN and, for those in containers, a Docker Engine.
"""

import gzip
import io
import json
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lab.checkout import ROOT
from lab.runs.folder import RunFolder
from tests.golden import JOURNAL, JUMPED, MATRICES, PACKED, RECORDED, RUNS, finished, folder, matrix
from tests.golden.catalogue import OLD, Recording
from tests.golden.snapshots import expected
from tests.golden.verdicts import NEEDED, needed

COMMAND = (sys.executable, "-m", "lab")
KEPT = ("scenarios", "presets")
"""What is kept of a run's folder, beside its journal."""
LOOK = 0.02
"""Real seconds between two looks into the journal of a run that is to be killed."""


def record(made: Recording, out: Path) -> Path:
    """Run it and return its folder."""
    arms = [word for arm in made.arms for word in ("--arm", arm)]
    repeat = ("--repeat", str(made.repeat))
    command = [*COMMAND, "run", *made.scenarios, *arms, *repeat, "--sandbox", made.sandbox, "--out", str(out)]
    if made.killed:
        _killed_after_one_arm([*command, "--jobs", "1"], out)
    else:
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
        if done.returncode not in made.status:
            raise SystemExit(f"{made.name}: the lab ended with status {done.returncode}, not {made.status}")
    return (out / "latest").resolve()


def _killed_after_one_arm(command: Sequence[str], out: Path) -> None:
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as lab:
        while lab.poll() is None:
            text = path.read_text() if (path := out / "latest" / JOURNAL).is_file() else ""
            if '"arm-finished"' in text:
                lab.send_signal(signal.SIGKILL)
                break
            time.sleep(LOOK)


def keep(run: Path, name: str) -> None:
    """Put a run's journal and scenarios among the golden ones, without the places of this machine."""
    text = (run / JOURNAL).read_bytes()
    for place, other in ((run, "/runs/golden"), (ROOT, "/thawlab")):  # as they stand in the stack of an error
        text = text.replace(str(place).encode(), other.encode())
    kept = RECORDED / name
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    files = {JOURNAL: text}
    for part in KEPT:
        found = sorted(path for path in (run / part).rglob("*") if path.is_file())
        files |= {str(path.relative_to(run)): path.read_bytes() for path in found}
    (kept / PACKED).write_bytes(packed(files))


def packed(files: Mapping[str, bytes]) -> bytes:
    """An archive of these files that has the same bytes whenever it is made."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)


def snapshot(name: str) -> None:
    """Write down what the judge and the reports make of a golden run."""
    place = RECORDED / name / "expected"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    files = expected(matrix(name) if name in MATRICES else finished(name))
    if name in NEEDED:
        files["needed.json"] = json.dumps(needed(name), indent=1) + "\n"
    for file, text in files.items():
        (place / file).write_text(text, encoding="utf-8")


def _recorded(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        with tempfile.TemporaryDirectory(prefix="thawlab-record-") as out:
            if name in JUMPED:
                keep(record(JUMPED[name], Path(out)), name)
        yield name


def main(*words: str) -> None:
    known = [*RUNS, *MATRICES, *OLD] if "--snapshots" in words else [*JUMPED]
    names = [word for word in words if not word.startswith("--")] or known
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"no golden run {unknown[0]!r}; there are {', '.join(known)}")
    for name in names if "--snapshots" in words else _recorded(names):
        for cached in (folder, finished, matrix):
            cached.cache_clear()
        snapshot(name)
        size = sum(path.stat().st_size for path in (RECORDED / name).rglob("*") if path.is_file())
        verdict = matrix(name).finished if name in MATRICES else RunFolder(folder(name)).read().results.verdict
        print(f"{name}: {verdict}, {size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
