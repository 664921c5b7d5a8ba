"""`python -m lab.tools.equivalence`: measures the same cells in jumps and in real time, for docs/equivalence.md.

    make equivalence [ARGS="--repeat 20 --real-repeat 4"]

A gap that passes in one jump must come to what it comes to when it is waited for. The cells of `chosen` are measured
once in jumps and once at speed 1, where a gap of 420 s takes 420 s, all of them side by side. Cells in which things
race are measured several times in each. The exit status is 1 if a deterministic cell differs. `--short` measures one
small scenario both ways, with a gap of seconds, and writes nothing.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import click

from lab.backends.registry import discover, lacking
from lab.checkout import ROOT
from lab.errors import EnvironmentLacks, LabError
from lab.functions import DEFINITIONS
from lab.plan.cells import Cell
from lab.plan.grid import MatrixPlan, make_matrix
from lab.runs import compare_scenarios
from lab.runs.folder import JOURNAL, RUNS, RunFolder
from lab.runs.matrix_folder import MatrixFolder
from lab.scenario.timeline import REAL_TIME
from lab.tools.equivalence_page import Found, Story, found, text
from lab.verdict.matrix import Matrix
from lab.verdict.results import Results
from upstream_server import plugins

PAGE = ROOT / "docs" / "equivalence.md"
DATA = PAGE.with_suffix(".json")
SANDBOX = "process"
JOBS = 24
"""Cells side by side in jumps. In real time all of them are: they sleep."""
ENDS = (0, 1, 3)
"""Exit statuses of a lab that has measured: whatever it came to."""
LOOK = 1.0
"""Real seconds between two looks at the journal of a lab whose sandboxes start."""
SETTINGS = (None, 150.0, 50.0, 20.0, 10.0, 5.0, REAL_TIME)
"""How fast gaps pass in the stories: in jumps, and at these speeds."""
BRIEF = (None, REAL_TIME)
"""The same for the short form."""

HEAD = """\
title: {title}
question: Does the answer depend on how fast the gap passes?
story: One POST, a gap that is longer than the client keeps a connection and the upstream does, and another POST.
look_at: The client drops the connection itself, whatever the speed.
upstream: {{idle_timeout: {limit}, close: rst, vanish: deferred}}
function: {{client: {first}, preset: seed}}
link: lost
timeline: [invoke, freeze: {gap}, invoke]
arms:
"""
BUG = """\
  - name: {name}-kept
    role: bug
    title: {client}, with connections that are kept for ever
    change: {{function: {{client: {client}, preset: seed}}}}
    expect: {{outcome: [reset, eof], executions: [1, 0]}}
"""
DROPPED = """\
  - name: {name}
    role: contrast
    title: {client}, preset {preset}
    pair: {name}-kept
    change: {{function: {{client: {client}, preset: {preset}}}}}
    expect: {{outcome: ok, executions: [1, 1], connections: 2, reuse: false}}
"""


@dataclass(frozen=True, slots=True)
class Told:
    """A scenario whose answer once depended on the speed: clients whose own limit no lab can divide."""

    name: str
    limit: str
    gap: str
    clients: tuple[tuple[str, str], ...]
    """Each with its preset."""

    @property
    def text(self) -> str:
        head = HEAD.format(title=self.name, limit=self.limit, gap=self.gap, first=self.clients[0][0])
        arms = (
            arm.format(name=client.replace("@", "-"), client=client, preset=preset)
            for client, preset in self.clients
            for arm in (BUG, DROPPED)
        )
        return head + "".join(arms)


STORIES = (
    Told("own-limit-4s", "30s", "60s", (("undici", "default"), ("fetch", "default"), ("fetch@node20", "default"))),
    Told("own-limit-50s", "350s", "7m", (("httpx2", "sane"),)),
)
SHORT = Told("own-limit-short", "6s", "7s", (("httpx2", "default"),))
"""httpx2 as it comes drops a connection after 5 s."""


def chosen(cells: Iterable[Cell]) -> list[Cell]:
    """The cells to measure: POST or GET on one plain connection, with the event waiting at the thaw.

    In each client's usual app shape: what vanishes, for every preset; a FIN for `default` and `seed`; a reset for
    `sane`, with GET; a black hole for `sane`, which has a timeout; an answer that never comes, as a FIN for `seed` and
    as a reset for `default`, with GET; and the uninterrupted wake for `sane`. In its other shapes: `sane`.
    """
    cells = [cell for cell in cells if (cell.stale, cell.tls, cell.wake_order) == (1, "plain", "event-first")]
    return [cell for cell in cells if _is_asked(cell, DEFINITIONS[cell.client].usual_shape)]


ASKED = {
    ("fin", "POST", "default"), ("fin", "POST", "seed"), ("rst", "GET", "sane"), ("blackhole", "POST", "sane"),
    ("executed-fin", "POST", "seed"), ("executed-rst", "GET", "default"),
}  # fmt: skip


def _is_asked(cell: Cell, usual: str) -> bool:
    if cell.wake == "uninterrupted" or cell.shape != usual:
        return (cell.death, cell.method, cell.preset) == ("vanish", "POST", "sane")
    return (cell.death, cell.method) == ("vanish", "POST") or (cell.death, cell.method, cell.preset) in ASKED


def plan_of(clients: Sequence[str] = (), pace: float | None = None) -> MatrixPlan:
    """What is measured here, of these clients or of all."""
    lacks = lacking(SANDBOX)
    plan = make_matrix(SANDBOX, lacks, [d for d in DEFINITIONS.values() if not clients or d.client in clients])
    return replace(plan, cells=tuple(chosen(plan.cells)), pace=pace)


@dataclass(frozen=True, slots=True)
class Measurement:
    """The folder of all runs: `jumps/1`, `real/1` ... hold a matrix each, `stories/SETTING` a run of scenarios each."""

    path: Path

    def matrices(self, kind: str) -> list[Matrix]:
        """Those of `jumps` or `real`, the whole one first."""
        numbers = sorted((self.path / kind).iterdir(), key=lambda folder: int(folder.name))
        return [MatrixFolder.find("latest", folder).read() for folder in numbers]

    def stories(self) -> list[Story]:
        """What each story came to at each setting."""
        read = {
            setting: RunFolder((self.path / "stories" / name_of(setting) / "latest").resolve()).read().results
            for setting in SETTINGS
            if (self.path / "stories" / name_of(setting)).is_dir()
        }
        return [_story(told, client, preset, read) for told in STORIES for client, preset in told.clients]

    def found(self) -> Found:
        """Everything, compared."""
        return found(self.matrices("jumps"), self.matrices("real"), self.stories())


def name_of(setting: float | None) -> str:
    return "jumps" if setting is None else f"{setting:g}"


def _story(told: Told, client: str, preset: str, read: dict[float | None, Results]) -> Story:
    answers = {}
    for setting, results in read.items():
        scenario = next(scenario for scenario in results.scenarios if scenario.name == told.name)
        arm = next(arm for arm in scenario.arms if arm.name == client.replace("@", "-"))
        answers[name_of(setting)] = "/".join(arm.observed) if arm.verdict in ("pass", "fail") else arm.verdict
    return Story(client, preset, told.limit, told.gap, answers)


@dataclass(frozen=True, slots=True)
class Part:
    """One command of the lab, in a process of its own: at its end a lab takes away all that its process started."""

    words: tuple[str, ...]
    out: Path
    """Where the command makes its folder."""
    freezes: int = 0
    """How many sandboxes it freezes side by side, each for minutes."""

    @property
    def latest(self) -> Path:
        return self.out / "latest"

    @property
    def is_measured(self) -> bool:
        return self.done.exists()

    @property
    def done(self) -> Path:
        """A file that says so."""
        return self.out / "done"

    def start(self) -> subprocess.Popen[bytes]:
        """What it prints goes to `log.txt`."""
        self.out.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "lab", *self.words, "--sandbox", SANDBOX, "--out", str(self.out.resolve())]
        with (self.out / "log.txt").open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT)

    def wait_until_frozen(self, process: subprocess.Popen[bytes]) -> None:
        """Return when as many gaps have begun as it has, or when it has ended: then the next may start."""
        while process.poll() is None and self._gaps() < self.freezes:
            time.sleep(LOOK)

    def _gaps(self) -> int:
        journal = self.latest / JOURNAL
        return journal.read_bytes().count(b'"gap-started"') if journal.is_file() else 0


def side_by_side(parts: Sequence[Part], meanwhile: Callable[[], None] = lambda: None) -> None:
    """Run those that were not measured yet, each started when the one before sleeps; ends them if it is left early.

    Raises EnvironmentLacks if one of them comes to no end of its own.
    """
    with ExitStack() as stack:
        processes = []
        for part in parts:
            if not part.is_measured:
                process = part.start()
                processes.append((part, process))
                stack.callback(process.wait)
                stack.callback(process.terminate)
                part.wait_until_frozen(process)
        meanwhile()
        for part, process in processes:
            if process.wait() not in ENDS:
                raise EnvironmentLacks(f"{part.out}: nothing was measured: see log.txt there")
            part.done.touch()


def matrix_of(plan: MatrixPlan, out: Path) -> Part:
    """`thawlab matrix` of the plan's cells; in real time all of them side by side."""
    words = ["matrix", "--jobs", str(len(plan.cells) if plan.pace else JOBS)]
    words += ["--speed", f"{plan.pace:g}"] if plan.pace else []
    words += [word for cell in plan.cells for word in ("--cell", cell.id)]
    return Part(tuple(words), out, len(plan.cells) if plan.pace == REAL_TIME else 0)


def run_of(stories: Sequence[Told], setting: float | None, out: Path) -> Part:
    """`thawlab run` of the stories at a setting."""
    out.mkdir(parents=True, exist_ok=True)
    files = [out.resolve() / f"{told.name}.yaml" for told in stories]
    for told, file in zip(stories, files, strict=True):
        file.write_text(told.text, encoding="utf-8")
    speed = () if setting is None else ("--speed", f"{setting:g}")
    return Part(("run", *map(str, files), *speed), out)


def measure(where: Path, clients: Sequence[str], repeats: int, real_repeats: int) -> None:
    """Everything in jumps, then everything in real time; the latter sleeps, so the rest is done meanwhile."""
    plan = plan_of(clients)
    click.echo(f"{len(plan.cells)} cells, in jumps", err=True)
    side_by_side([matrix_of(plan, where / "jumps" / "1")])
    raced = {cell.id for cell in Measurement(where).matrices("jumps")[0].cells if cell.race is not None}
    races = replace(plan, cells=tuple(cell for cell in plan.cells if cell.id in raced))
    again = range(2, (real_repeats if races.cells else 1) + 1)
    real = [
        matrix_of(replace(plan, pace=REAL_TIME), where / "real" / "1"),
        *(matrix_of(replace(races, pace=REAL_TIME), where / "real" / f"{number}") for number in again),
    ]
    told = [run_of(STORIES, setting, where / "stories" / name_of(setting)) for setting in SETTINGS]

    def meanwhile() -> None:
        click.echo(f"everything sleeps; {len(raced)} races, {repeats} times in jumps", err=True)
        for number in range(2, (repeats if races.cells else 1) + 1):
            side_by_side([matrix_of(races, where / "jumps" / f"{number}")])
        for part in told[:-1]:
            side_by_side([part])

    click.echo(f"{sum(part.freezes for part in real)} sandboxes, in real time", err=True)
    side_by_side([*real, told[-1]], meanwhile)


def short() -> bool:
    """Measure one small scenario in jumps and in real time; whether they agree. It says how they differ."""
    with tempfile.TemporaryDirectory(prefix="thawlab-") as parent:
        parts = [run_of([SHORT], pace, Path(parent, name_of(pace))) for pace in BRIEF]
        side_by_side(parts)
        first, second = (RunFolder(part.latest.resolve()).read().results for part in parts)
    comparison = compare_scenarios.compare(first, second)
    for change in comparison.found:
        values = (f"{pair.name} {pair.first}, in real time {pair.second}" for pair in change.values)
        click.echo(f"{change.where}: {', '.join(values)}")
    click.echo(f"{comparison.compared} arms in jumps and in real time: {len(comparison.changes)} differ")
    return first.verdict == second.verdict == "pass" and not comparison.changes


@click.command(help=__doc__)
@click.option("--client", "clients", multiple=True, help="Only these clients.")
@click.option("--repeat", type=click.IntRange(min=1), default=20, show_default=True, help="Of races, in jumps.")
@click.option("--real-repeat", type=click.IntRange(min=1), default=4, show_default=True, help="Of races, in real time.")
@click.option("--out", type=click.Path(path_type=Path), help="Its folder; one that has a part goes on with the rest.")
@click.option("--page", type=click.Path(path_type=Path), default=PAGE, help="To write; the data goes beside it.")
@click.option("--short", "brief", is_flag=True, help="One small scenario, in seconds; writes nothing.")
def main(clients: tuple[str, ...], repeat: int, real_repeat: int, out: Path | None, page: Path, brief: bool) -> None:
    """Measure both, compare, and write the page."""
    plugins.load()
    discover()
    try:
        if brief:
            sys.exit(0 if short() else 1)
        folder = out or RUNS / "equivalence" / f"{datetime.now():%Y%m%d-%H%M%S}"
        measure(folder, clients, repeat, real_repeat)
        compared = Measurement(folder).found()
        page.with_suffix(".json").write_text(compared.to_json(), encoding="utf-8")
        page.write_text(text(compared), encoding="utf-8")
    except LabError as error:
        click.echo(f"thawlab: {error}", err=True)
        sys.exit(error.exit_status)
    click.echo("\n".join([compared.summary, *compared.problems]))
    sys.exit(1 if compared.problems else 0)


if __name__ == "__main__":
    main()
