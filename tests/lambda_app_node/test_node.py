"""The function in Node, by tests of its own language, on each Node that runs it."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from lab.functions import definition
from lab.functions.definition import APP
from lab.functions.program import BUILD_BOUND

HERE = Path(__file__).parent
CLIENTS = ("node-http", "fetch", "undici", "axios", "got")
FILES = sorted(HERE.glob("*.test.mjs"))


@pytest.mark.timeout(BUILD_BOUND)  # the first has to build it
@pytest.mark.parametrize("client", ["node-http", "node-http@node20"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_its_own_tests_pass(client: str, file: Path) -> None:
    built = definition(client).program.here()
    folders = {name: definition(name).program.here().environment["LAMBDA_TASK_ROOT"] for name in CLIENTS}
    environment = {"PATH": os.environ["PATH"], "FUNCTIONS": json.dumps(folders)}
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


def test_the_locks_have_hashes_and_name_no_host() -> None:
    locks = list((APP / "node").rglob("package-lock.json"))
    assert len(locks) > 3
    for lock in locks:
        assert "://registry" not in lock.read_text()
        packages = json.loads(lock.read_text())["packages"]
        assert all("integrity" in locked and "resolved" not in locked for name, locked in packages.items() if name)


def test_a_build_needs_no_other_node() -> None:
    """One build serves both: both are there for each machine, in the versions that are locked."""
    lock = (APP / "node" / "package-lock.json").read_text()
    for major in (20, 24):
        for machine in ("x64", "arm64"):
            assert f'"node_modules/node{major}-linux-{machine}": {{' in lock
