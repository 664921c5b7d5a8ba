"""What each test needs of the machine: one mark a test, by its folder or file; a test may bear another one itself.

`pure` is held to: such a test fails if it starts a process or connects a socket.
"""

import sys
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parent

NEEDS = {
    "pure": "nothing: no process is started and no socket connected",
    "sockets": "sockets of this process and privileges for some of them",
    "process": "processes: the lab, an upstream, functions in Python",
    "toolchain": "functions built with Go, Node.js or Java, each skipped without it",
    "docker": "a Docker Engine",
}
"""Every test has one of these marks; each needs what stands above it too."""

BY_PLACE = {
    "backends": "process",
    "cli": "process",
    "docker": "docker",
    "docs": "process",
    "functions": "toolchain",
    "golden": "pure",
    "journal": "pure",
    "journal/test_real_journals.py": "process",
    "lambda_app": "process",
    "lambda_app_go": "toolchain",
    "lambda_app_java": "toolchain",
    "lambda_app_node": "toolchain",
    "lambda_service": "process",
    "lambda_service/test_phase.py": "pure",
    "level": "process",
    "plan": "pure",
    "registries": "process",
    "report": "pure",
    "run": "process",
    "run/test_due.py": "pure",
    "runs": "process",
    "runs/test_shelf.py": "pure",
    "sabotage": "process",
    "scenario": "pure",
    "test_flow.py": "pure",
    "test_guards.py": "process",
    "tools": "pure",
    "tools/test_equivalence.py": "process",
    "tools/test_speed.py": "process",
    "units": "pure",
    "upstream_server": "sockets",
    "upstream_server/test_level.py": "process",
    "upstream_server/test_process.py": "process",
    "upstream_server/test_timers.py": "pure",
    "verdict": "pure",
    "verdict/test_client_fault.py": "process",
    "verdict/test_damaged_matrix.py": "process",
    "verdict/test_known.py": "toolchain",
    "verdict/test_verdict.py": "process",
}
"""A file's own line comes before that of its folder."""

LONGEST_FIRST = (
    "run/test_fill.py",
    "docker",
    "run",
    "registries",
    "cli/test_cli.py",
    "docs",
    "functions/test_loaded.py",
    "cli",
    "verdict/test_known.py",
    "backends",
    "functions",
)
"""Folders and files in the order in which several workers take them: the longest first, so that none is left with a
long one at the end. What is not here comes after them, and pure tests, thousands of short ones, are last."""

FORBIDDEN = {"subprocess.Popen", "os.fork", "os.posix_spawn", "socket.connect"}
"""What Python's audit calls what a pure test may not do."""


class _Watch:
    """Raises where a pure test reaches out. An audit hook cannot be removed, so there is one, and it is switched."""

    running: str | None = None
    installed = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in FORBIDDEN and self.running is not None:
            raise AssertionError(f"{self.running} is marked `pure`, but it does {event}: mark it in tests/needs.py")


_watch = _Watch()


def mark(items: list[pytest.Item]) -> None:
    """Mark each test; raises UsageError for one whose place is not in the table."""
    for item in items:
        if any(item.get_closest_marker(need) for need in NEEDS):
            continue
        place = item.path.relative_to(TESTS)
        need = BY_PLACE.get(place.as_posix()) or BY_PLACE.get(place.parts[0])
        if need is None:
            raise pytest.UsageError(f"tests/{place}: say in tests/needs.py what it needs: {', '.join(NEEDS)}")
        item.add_marker(need)


def longest_first(items: list[pytest.Item]) -> None:
    """Order tests for workers that share them; those of a file stay together, in their order."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    place = item.path.relative_to(TESTS)
    for name in (place.as_posix(), place.parts[0]):
        if name in LONGEST_FIRST:
            return LONGEST_FIRST.index(name)
    return len(LONGEST_FIRST) + (item.get_closest_marker("pure") is not None)


def watch(item: pytest.Item | None) -> None:
    """From now on hold this test to its mark; None: nothing runs."""
    if not _watch.installed:
        sys.addaudithook(_watch)
        _watch.installed = True
    _watch.running = item.nodeid if item is not None and item.get_closest_marker("pure") else None


def places(need: str) -> list[str]:
    """The folders and files that hold tests of this need, so that nothing else has to be collected."""
    return [f"tests/{place}" for place, needed in BY_PLACE.items() if needed == need]


if __name__ == "__main__":
    print(*places(sys.argv[1]))
