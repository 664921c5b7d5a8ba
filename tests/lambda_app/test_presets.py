"""Each preset is a program that a practitioner can paste: it needs its client library, and nothing of the lab.

It runs as it stands against a real upstream, from a folder outside the checkout. Go's presets are functions of a
package, which runs them: `tests/lambda_app_go/` does.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.checkout import ROOT, files_of
from lab.functions import DEFINITIONS
from lab.functions.definition import Definition
from lab.functions.program import BUILD_BOUND
from tests.functions.support import lacks
from tests.patience import COMMAND_PATIENCE

OURS = {"lab", "lambda_app", "tests", "upstream_server"}
SIDE_BY_SIDE = 2 * (os.cpu_count() or 1)
"""Programs at once: half of their time they wait."""
REQUESTS = 2

PYTHON = [defined for defined in DEFINITIONS.values() if defined.language == "python"]
FUNCTIONS = ("lambda_app/python", "lambda_app/node", "lambda_app/java", "lambda_app/go")
CLOCK = "lambda_app/go/overlay"
"""What the lab puts into a Go program for its clocks: it divides what the kernel is told, as the time object does."""
SCALES = re.compile(r"THAWLAB_SPEED|lab_?time|/ *speed|\blab\.Time\b|function/lab", re.IGNORECASE)
"""How the functions used to take a duration of a scenario for a shorter one."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A real upstream, which never closes a connection."""

    url: str
    told: Path
    """What it printed."""

    def requests(self, told: str) -> Counter[int]:
        """How many requests came on which connection, of those whose path ends so."""
        events = [json.loads(line) for line in self.told.read_text().splitlines() if line.startswith("{")]
        requests = [event for event in events if event["kind"] == "request"]
        return Counter(event["connection"] for event in requests if event["path"].endswith(told))


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    told = tmp_path_factory.mktemp("upstream") / "told"
    command = (sys.executable, "-m", "upstream_server", "--port", "0", "--idle-timeout", "never", "--events")
    with (
        told.open("w") as out,
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        assert process.stderr is not None
        url = next(line.split()[1] for line in process.stderr if line.startswith("orders"))
        yield Upstream(f"{url}/any", told)
        process.terminate()
        process.stderr.read()


def python(defined: Definition, folder: Path, file: Path) -> tuple[str, ...]:
    return (*defined.program.here().command, file.name)


def node(defined: Definition, folder: Path, file: Path) -> tuple[str, ...]:
    built = defined.program.here()
    packages = Path(built.environment["LAMBDA_TASK_ROOT"]) / "clients" / defined.presets.parent.name / "node_modules"
    if packages.exists():
        (folder / "node_modules").symlink_to(packages)
    return (built.command[0], file.name)


def java(defined: Definition, folder: Path, file: Path) -> tuple[str, ...]:
    """The compiler in the JDK runs a file with a main as it is."""
    command = defined.program.here().command
    for jar in Path(command[-1]).parent.glob("*.jar"):
        if jar.name != "function.jar" and not jar.name.startswith("aws-"):
            (folder / jar.name).symlink_to(jar)
    return (command[0], "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", "*", file.name)


RUN: dict[str, Callable[[Definition, Path, Path], tuple[str, ...]]] = {"python": python, "node": node, "java": java}
"""How a preset is run where its file lies, beside nothing but its library."""
RUNNING = [defined for defined in DEFINITIONS.values() if defined.language in RUN]


@pytest.mark.parametrize("defined", PYTHON, ids=[defined.client for defined in PYTHON])
def test_it_can_be_pasted(defined: Definition) -> None:
    for path in defined.names.values():
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree) is not None
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
        imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        assert not {name for name in imported if name.partition(".")[0] in OURS}, path
        kind = ast.AsyncFunctionDef if defined.client.startswith("aiohttp") else ast.FunctionDef
        assert "send" in {node.name for node in tree.body if isinstance(node, kind)}, path


@pytest.mark.timeout(BUILD_BOUND)  # the first has to build it
@pytest.mark.parametrize("defined", RUNNING, ids=[defined.client for defined in RUNNING])
def test_each_runs_by_itself(upstream: Upstream, defined: Definition, tmp_path: Path) -> None:
    if why := lacks(defined):
        pytest.skip(why)
    defined.program.here()
    names = defined.names

    def run(name: str) -> str:
        folder = tmp_path / name
        folder.mkdir()
        file = Path(shutil.copy(names[name], folder))
        done = subprocess.run(
            (*RUN[defined.language](defined, folder, file), f"{upstream.url}?{defined.client}-{name}."),
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": ""},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr, f"{name}: {done.stderr}"
        return done.stdout

    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        printed = dict(zip(names, threads.map(run, names), strict=True))
    assert {name: said.split() for name, said in printed.items()} == dict.fromkeys(names, ["200"] * REQUESTS)
    if defined.contract.get("own_methods"):
        return  # its requests have no query
    seen = {name: upstream.requests(f"?{defined.client}-{name}.") for name in names}
    assert {name for name in names if seen[name].total() < REQUESTS} == set()
    assert len(seen["no_keepalive"] if "no_keepalive" in names else "..") == REQUESTS
    if not defined.contract.get("frees_a_connection_later"):
        assert len(seen["seed"]) == 1, "its two requests go over one connection"


@pytest.mark.parametrize("folder", FUNCTIONS)
def test_no_duration_of_a_function_is_scaled(folder: str) -> None:
    """What stands in a preset is what holds in production: the lab moves the clocks instead."""
    scaled = {
        f"{path}:{number}"
        for path, data in files_of(folder).items()
        if not path.endswith(".lock") and not path.startswith(CLOCK)
        for number, line in enumerate(data.decode(errors="replace").splitlines(), 1)
        if SCALES.search(line)
    }
    assert scaled == set()
