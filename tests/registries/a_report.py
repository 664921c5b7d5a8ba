"""A report of runs and one of matrices that the lab does not have: a function, and a line in a registry."""

from lab.report import matrix, run
from lab.runs.finished import FinishedRun
from lab.verdict.matrix import Matrix


def arms(finished: FinishedRun) -> bytes:
    rows = [
        f"{scenario.name},{arm.name},{arm.verdict}" for scenario in finished.results.scenarios for arm in scenario.arms
    ]
    return "\n".join(["scenario,arm,verdict", *rows]).encode()


def cells(measured: Matrix) -> bytes:
    return "\n".join(["cell,word", *(f"{cell.id},{cell.word}" for cell in measured.cells)]).encode()


run.FORMATS["arms.csv"] = arms
matrix.FORMATS["cells.csv"] = cells
