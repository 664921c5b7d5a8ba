"""What is run: one arm, or one cell of the matrix, once."""

from dataclasses import dataclass

from lab.plan.experiment import Experiment
from lab.scenario.model import Arm


@dataclass(frozen=True, slots=True, repr=False)
class Job(Experiment):
    """One run of one arm: a fresh sandbox and fresh connections."""

    arm: Arm
