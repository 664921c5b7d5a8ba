"""`make speed`: what it counts, and what it says of two checkouts. No test depends on how fast this machine is."""

from pathlib import Path

import click
import pytest

from lab.checkout import ROOT
from lab.tools.speed import Run, measure, ratios


def test_ratios_are_of_all_rounds_and_of_a_cell() -> None:
    slow = Run(Path(), cells=100, measured=100, seconds=100.0, processor=50.0)
    quick = Run(Path(), cells=200, measured=200, seconds=100.0, processor=80.0)
    assert list(ratios([(slow, quick), (slow, slow)])) == [
        "time a cell: 0.75 times",
        "processor time a cell: 0.90 times",
    ]


def test_a_checkout_without_a_matrix_is_said(tmp_path: Path) -> None:
    program = tmp_path / ".venv/bin/thawlab"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho 'no such client' >&2; exit 2\n")
    program.chmod(0o755)
    with pytest.raises(click.ClickException, match="no matrix was made: no such client"):
        measure(tmp_path, ["requests"], tmp_path / "out")


def test_processor_time_is_that_of_everything_below(tmp_path: Path) -> None:
    """Also of what the command has started itself, and waited for."""
    program = tmp_path / ".venv/bin/thawlab"
    program.parent.mkdir(parents=True)
    program.write_text(
        "#!/bin/sh\n"
        'for last; do out=$last; done; mkdir -p "$out/one"; ln -s one "$out/latest"\n'
        f"""{ROOT}/.venv/bin/python -c 'import time\nwhile time.process_time() < 0.3: pass'\n"""
        """echo '{"cells": [{"status": "measured"}, {"status": "missing"}]}' > "$out/latest/matrix.json"\n"""
    )
    program.chmod(0o755)
    run = measure(tmp_path, ["requests"], tmp_path / "out")
    assert (run.cells, run.measured) == (2, 1)
    assert run.processor >= 0.3
    assert run.seconds >= 0.3
