"""`thawlab run` as users start it, on a real or a made-up version of a client: exit status and every report.

python -m tests.sabotage.command VERSION run story.yaml      the command, with aiohttp's function on that version
"""

import asyncio
import json
import sys
from pathlib import Path

from lab.checkout import ROOT
from lab.functions import DEFINITIONS
from lab.journal import Event
from tests.sabotage.lie import Command
from tests.sabotage.names import MADE_UP
from tests.sabotage.row import Seen
from tests.sabotage.versions import made_up

GONE = "The bug is gone"
REPORTS = ("results.json", "summary.md", "junit.xml")


async def run_command(place: Command, folder: Path) -> tuple[Seen, tuple[Event, ...]]:
    """What the command says; where the bug is gone, in the terminal and in each report, with the version."""
    story = folder / "story.yaml"
    story.write_text(place.text)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.sabotage.command", place.version),
        *("run", str(story), "--out", str(folder / "runs")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    out, err = await process.communicate()
    texts = {"terminal": out.decode()}
    latest = folder / "runs" / "latest"
    texts |= {name: (latest / name).read_text() for name in REPORTS if (latest / name).exists()}
    if process.returncode == 0:
        return Seen("pass", (), ""), ()
    silent = [
        name
        for name in ("terminal", *REPORTS)
        if not all(
            " ".join(word.split()) in " ".join(texts.get(name, "").split()) for word in (GONE, version_of(place))
        )
    ]
    verdict = json.loads(texts["results.json"])["verdict"] if "results.json" in texts else "no results"
    if process.returncode != 1 or silent:
        why = f"status {process.returncode}, {verdict}; not said in {', '.join(silent) or 'none'} {err.decode()}"
        return Seen(verdict, (), why), ()
    return Seen(verdict, (f"exit 1, {GONE}", version_of(place)), f"{GONE}: {version_of(place)}"), ()


def version_of(place: Command) -> str:
    return MADE_UP.get(place.version, "aiohttp")


if __name__ == "__main__":
    from lab.cli.main import main

    version = sys.argv.pop(1)
    if version in MADE_UP:
        DEFINITIONS["aiohttp"] = made_up(version)
    main()
