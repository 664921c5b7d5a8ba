"""The function in Node, by tests of its own language, on each Node that runs it."""

import os
import subprocess
from pathlib import Path

import pytest

from lab.functions import definition
from lab.functions.definition import APP
from lab.functions.program import BUILD_BOUND

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.test.mjs"))


@pytest.mark.timeout(BUILD_BOUND)  # the first has to build it
@pytest.mark.parametrize("client", ["node-http", "node-http@node20"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_its_own_tests_pass(client: str, file: Path) -> None:
    built = definition(client).program.here()
    environment = {"PATH": os.environ["PATH"], "FUNCTION": built.environment["LAMBDA_TASK_ROOT"]}
    done = subprocess.run(
        [built.command[0], "--test", "--test-reporter=spec", str(file)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_lock_names_no_host() -> None:
    assert "://registry" not in (APP / "node" / "package-lock.json").read_text()


def test_a_build_needs_no_other_node() -> None:
    """One build serves both: both are there for each machine, in the versions that are locked."""
    lock = (APP / "node" / "package-lock.json").read_text()
    for major in (20, 24):
        for machine in ("x64", "arm64"):
            assert f'"node_modules/node{major}-linux-{machine}": {{' in lock
