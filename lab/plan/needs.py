"""What some arms and functions need beyond Python and Linux, and what to say if it is missing."""

from collections.abc import Collection
from typing import Literal

from lab.scenario import kinds
from lab.scenario.load import Named
from lab.scenario.model import Arm
from lab.scenario.words import Need

LABELS: dict[Need, str] = {
    "compiler": "a C compiler (cc)",
    "net-admin": "CAP_NET_ADMIN (root)",
    "nginx": "nginx",
    "haproxy": "HAProxy",
}
"""For people. The languages of functions add their toolchains."""


def register(need: Need, label: str) -> None:
    """Make a need known; raises ValueError if there is another one of its name."""
    if LABELS.setdefault(need, label) != label:
        raise ValueError(f"two needs are called {need!r}")


def lack_reason(needs: Collection[str], lacks: Collection[str]) -> str | None:
    """What of the needs is missing here, and what to do; None if nothing is."""
    missing = [LABELS[need] for need in sorted(LABELS) if need in needs and need in lacks]
    return f"needs {' and '.join(missing)}, or {kinds.instead()}" if missing else None


Skip = tuple[str, Literal["declared", "lacking"]]
"""Why an arm does not run, and whether its scenario says so or this machine lacks a part."""


def skip_of(named: Named, arm: Arm, sandbox: str, needs: Collection[str], lacks: Collection[str]) -> Skip | None:
    """Why an arm cannot run in this kind of sandbox, or on a machine that lacks this; None if it can.

    `needs` is what its function needs; what its setting needs is added here.
    """
    scenario = named.scenario
    if scenario.sandboxes and sandbox not in scenario.sandboxes:
        return scenario.skip_reason or f"runs in {' and '.join(scenario.sandboxes)} only", "declared"
    if arm.sandboxes is not None and sandbox not in arm.sandboxes:
        return arm.skip_reason or f"runs in {' and '.join(arm.sandboxes)} only", "declared"
    setting, can = scenario.setting(arm), kinds.kind(sandbox).abilities
    if missing := frozenset({*scenario.requires, *arm.requires}) - can:
        return arm.skip_reason or scenario.skip_reason or _unable(missing), "declared"
    if missing := setting.abilities - can:
        return _unable(missing), "lacking"
    lack = lack_reason({*setting.needs, *needs}, lacks)
    return (lack, "lacking") if lack else None


def _unable(missing: Collection[kinds.Ability]) -> str:
    """What this kind of sandbox cannot do, and which can."""
    able = " or ".join(f"--sandbox {name}" for name in kinds.able(frozenset(missing)))
    return f"needs {' and '.join(kinds.MEANINGS[ability] for ability in sorted(missing))}: use {able or 'another kind'}"
