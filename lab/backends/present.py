"""Whether this machine has what some arms and functions need, and what it is for."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from lab.backends.part import Part
from lab.functions.language import Toolchain, languages
from lab.plan.needs import LABELS
from lab.scenario.words import Need
from upstream_server import faults
from upstream_server.sockets import may_repair


@dataclass(frozen=True, slots=True)
class Check:
    """How a need is looked for, and what it is for."""

    present: Callable[[], bool]
    found: str
    without: str


def _installed(*programs: str) -> Callable[[], bool]:
    return lambda: all(shutil.which(program) is not None for program in programs)


def _toolchain(toolchain: Toolchain) -> Check:
    return Check(_installed(*toolchain.programs), toolchain.found, toolchain.without)


def _balancer(program: str) -> Check:
    return Check(
        _installed(program),
        "arms behind this load balancer run",
        "those arms are skipped in process sandboxes",
    )


_PARTS: dict[Need, Check] = {
    "net-admin": Check(
        may_repair,
        "vanish drops the kernel's state (TCP_REPAIR)",
        "vanish is a deferred reset instead, which only TCP keepalive probes can tell apart",
    ),
    "compiler": Check(
        _installed("cc"),
        "clocks of functions jump, so a gap of six minutes takes milliseconds",
        "gaps take real time in process sandboxes; arms with an uninterrupted wake or a stalled clock are skipped",
    ),
    "nginx": _balancer("nginx"),
    "haproxy": _balancer("haproxy"),
}


def checks() -> Mapping[Need, Check]:
    """How each need is looked for, the languages' toolchains last. A self-contained kind of sandbox brings them all."""
    toolchains = {language.name: language.toolchain for language in languages()}
    return _PARTS | {name: _toolchain(toolchain) for name, toolchain in toolchains.items() if toolchain is not None}


def missing() -> tuple[Need, ...]:
    """What this machine does not have of all that arms may need."""
    return tuple(need for need, check in checks().items() if not check.present())


def parts() -> Iterator[Part]:
    """Every need, for `thawlab doctor`."""
    for need, check in checks().items():
        modes = " and ".join(mode for mode in faults.modes() if need in faults.mode(mode).needs)
        found = f"{check.found}; arms with {modes} run" if modes else check.found
        without = f"{check.without}; arms with {modes} are skipped" if modes else check.without
        yield Part(LABELS[need], check.present(), found, without)
