"""Compares the speed of the Python clients' matrix with another checkout: time and processor time per cell.

    make speed AGAINST=../other-checkout [ARGS="--rounds 3 --client requests"]

Both checkouts measure the same cells in turn, so that whatever else the machine does is shared by both. The other one
needs its own .venv (`make check` there makes it). Without AGAINST only this checkout is measured.
"""

import json
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from lab.checkout import ROOT

CLIENTS = (
    "from lab.functions import DEFINITIONS\n"
    "print(*(name for name, defined in DEFINITIONS.items() if defined.language == 'python'))"
)


@dataclass(frozen=True, slots=True)
class Run:
    """One matrix of one checkout."""

    folder: Path
    cells: int
    measured: int
    seconds: float
    """Of the whole command, reports included."""
    processor: float
    """Seconds of a processor: of the lab, its upstream, its sandboxes and all that they started."""

    @property
    def second_a_cell(self) -> float:
        return self.seconds / self.cells

    @property
    def processor_a_cell(self) -> float:
        return self.processor / self.cells

    def __str__(self) -> str:
        return (
            f"{self.measured} of {self.cells} cells measured in {self.seconds:.1f} s, "
            f"{1 / self.second_a_cell:.1f} cells a second, {self.processor_a_cell * 1000:.1f} ms of a processor a cell"
        )


def measure(checkout: Path, clients: Sequence[str], out: Path) -> Run:
    """Run the matrix of these clients in a checkout; raises ClickException if it makes no table."""
    options = [word for client in clients for word in ("--client", client)]
    command = [str(checkout / ".venv/bin/thawlab"), "matrix", *options, "--out", str(out)]
    began, before = time.monotonic(), _processor()
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    seconds, processor = time.monotonic() - began, _processor() - before
    try:
        folder = (out / "latest").resolve(strict=True)
        cells = json.loads((folder / "matrix.json").read_text())["cells"]
    except OSError as error:
        raise click.ClickException(f"{checkout}: no matrix was made: {(done.stderr or str(error)).strip()}") from error
    return Run(folder, len(cells), sum(cell["status"] == "measured" for cell in cells), seconds, processor)


def _processor() -> float:
    """Of all processes that this one, or a process below it, has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _clients(checkout: Path) -> list[str]:
    done = subprocess.run(
        [str(checkout / ".venv/bin/python"), "-c", CLIENTS], cwd=checkout, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise click.ClickException(f"{checkout} cannot be asked for its clients: {done.stderr.strip()[-300:]}")
    return done.stdout.split()


def ratios(pairs: Sequence[tuple[Run, Run]]) -> Iterator[str]:
    """Lines with the ratios of this checkout to the other, over all rounds."""
    takes: tuple[tuple[str, Callable[[Run], float]], ...] = (
        ("time", lambda run: run.second_a_cell),
        ("processor time", lambda run: run.processor_a_cell),
    )
    for what, of in takes:
        yield f"{what} a cell: {sum(of(mine) for _, mine in pairs) / sum(of(other) for other, _ in pairs):.2f} times"


@click.command(help=__doc__)
@click.option("--against", type=click.Path(path_type=Path, exists=True, file_okay=False), help="The other checkout.")
@click.option("--rounds", type=click.IntRange(min=1), default=1, show_default=True, help="Runs of each, in turn.")
@click.option("--client", "wanted", multiple=True, help="Only these clients, in place of every one that both have.")
def main(against: Path | None, rounds: int, wanted: tuple[str, ...]) -> None:
    checkouts = [ROOT] if against is None else [against.resolve(), ROOT]
    known = [_clients(checkout) for checkout in checkouts]
    clients = [name for name in wanted or known[0] if all(name in names for names in known)]
    pairs = []
    with tempfile.TemporaryDirectory(prefix="thawlab-speed-") as folder:
        for number in range(rounds):
            runs: list[Run] = []
            for checkout in checkouts:
                runs.append(measure(checkout, clients, Path(folder, f"{number}-{len(runs)}")))
                click.echo(f"{checkout}: {runs[-1]}")
            if against is not None:
                pairs.append((runs[0], runs[1]))
                folders = [str(run.folder) for run in runs]
                compared = subprocess.run(
                    [str(ROOT / ".venv/bin/thawlab"), "compare", *folders],
                    cwd=ROOT, capture_output=True, text=True, check=False,
                )  # fmt: skip
                click.echo(compared.stdout.strip().rpartition("\n")[2])
    if pairs:
        click.echo("\n".join(ratios(pairs)))


if __name__ == "__main__":
    main()
