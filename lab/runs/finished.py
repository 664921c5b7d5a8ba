"""A finished run as reports see it, and which two of its arms tell the story best."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.errors import UsageError
from lab.journal import Event, Scope
from lab.scenario.load import Named
from lab.scenario.model import Arm
from lab.scenario.setting import Setting
from lab.verdict.judge import latest_attempt
from lab.verdict.results import ArmResult, Results, ScenarioResult

PresetPath = Callable[[str, str], Path]
"""The file of a preset as it was run, by its client's name and its own; raises UsageError if it was not kept."""


def not_kept(client: str, preset: str) -> Path:
    """Of a run that kept no presets."""
    raise UsageError(f"the preset {preset} of {client} was not kept")


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """What a run found, the scenarios as they were run, and what happened."""

    results: Results
    scenarios: tuple[Named, ...]
    events: Mapping[Scope, tuple[Event, ...]]
    preset_path: PresetPath = not_kept

    def __repr__(self) -> str:
        events = sum(len(group) for group in self.events.values())
        return f"<FinishedRun {self.results.run}: {self.results.verdict}, {events} events>"

    @property
    def told(self) -> tuple["Told", ...]:
        """Every scenario with what it found, in the order of the results.

        Raises KeyError if the results name a scenario that the run does not hold.
        """
        named = {scenario.name: scenario for scenario in self.scenarios}
        return tuple(
            Told(named[result.name], result, self.events, self.preset_path) for result in self.results.scenarios
        )


@dataclass(frozen=True, slots=True)
class Told:
    """One scenario, what it found, and the events behind it."""

    named: Named
    result: ScenarioResult
    events: Mapping[Scope, tuple[Event, ...]]
    preset_path: PresetPath = not_kept

    def arm(self, result: ArmResult) -> Arm:
        """The arm as its scenario states it."""
        return self.named.scenario.arm(result.name)

    def setting(self, result: ArmResult) -> Setting:
        return self.named.scenario.setting(self.arm(result))

    def happened(self, result: ArmResult) -> tuple[Event, ...]:
        """The events of the repeat that is worth a look: the first that did not pass, else the first."""
        attempts: list[Scope] = []
        while (scope := self._scope(result, len(attempts) + 1)) in self.events:
            attempts.append(scope)
        return self.events[latest_attempt(tuple(attempts), self.events)] if attempts else ()

    def _scope(self, result: ArmResult, attempt: int) -> Scope:
        return Scope(self.named.name, result.name, self.repeat_shown(result), attempt)

    @staticmethod
    def repeat_shown(result: ArmResult) -> int:
        odd = [run.repeat for run in result.runs if run.verdict not in ("pass", "skipped")]
        return next(iter(odd or [run.repeat for run in result.runs]), 1)

    def bug_of(self, result: ArmResult) -> ArmResult | None:
        """The bug that an arm's code is compared with: its pair, else the scenario's first bug that was run."""
        pair = self.named.scenario.pair_of(self.arm(result))
        bugs = [other for other in self.result.arms if other.role == "bug"]
        return next((bug for bug in bugs if pair is not None and bug.name == pair.name), next(iter(bugs), None))

    @property
    def bug(self) -> ArmResult | None:
        """The first bug."""
        return next((arm for arm in self.result.arms if arm.role == "bug"), None)

    @property
    def fix(self) -> ArmResult | None:
        """The fix to show beside the bug: one that passed, and that changes code rather than a setting."""
        fixes = [arm for arm in self.result.arms if arm.role == "fix" and self.bug_of(arm) == self.bug]
        return min(fixes, key=lambda fix: (fix.verdict != "pass", not self.changes_code(fix)), default=None)

    def changes_code(self, result: ArmResult) -> bool:
        """Whether an arm runs another preset than its bug."""
        bug = self.bug_of(result)
        return bug is not None and self.setting(result).function.preset != self.setting(bug).function.preset
