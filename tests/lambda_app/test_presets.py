"""Each preset is a page that a practitioner can paste: short, named, narrow, and it runs by itself."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.checkout import ROOT
from lab.functions import DEFINITIONS
from lab.functions.definition import Definition
from tests.patience import COMMAND_PATIENCE

WIDTH = 88
SHORTEST, LONGEST = 15, 55
"""Lines of a preset."""
OURS = {"lab", "lambda_app", "tests", "upstream_server"}
ALLOWED = {"lambda_app.python.lab_time"}

PYTHON = [defined for defined in DEFINITIONS.values() if defined.language == "python"]
PRESETS = [
    pytest.param(defined, path, id=f"{defined.client}-{name}")
    for defined in PYTHON
    for name, path in defined.names.items()
]


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    """A real upstream; its URL."""
    with subprocess.Popen(
        (sys.executable, "-m", "upstream_server", "--port", "0", "--idle-timeout", "never"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield next(line.split()[1] for line in process.stdout if line.startswith("orders"))
        process.terminate()
        process.stdout.read()


@pytest.mark.parametrize("defined", PYTHON, ids=[defined.client for defined in PYTHON])
def test_there_are_presets(defined: Definition) -> None:
    assert {"default", "seed", "sane"} <= set(defined.names)


@pytest.mark.parametrize(("defined", "path"), PRESETS)
def test_it_can_be_pasted(defined: Definition, path: Path) -> None:
    text = path.read_text()
    lines = text.splitlines()
    assert SHORTEST <= len(lines) <= LONGEST
    assert max(map(len, lines)) <= WIDTH
    tree = ast.parse(text)
    told = ast.get_docstring(tree)
    assert told is not None
    assert told.startswith(f"{path.stem}: ")
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert {name for name in imported if name.partition(".")[0] in OURS} <= ALLOWED
    kind = ast.AsyncFunctionDef if defined.client.startswith("aiohttp") else ast.FunctionDef
    assert "send" in {node.name for node in tree.body if isinstance(node, kind)}


@pytest.mark.parametrize(("defined", "path"), PRESETS)
def test_it_runs_by_itself(upstream: str, defined: Definition, path: Path) -> None:
    """Aiohttp's complaint about a session that is not closed goes to standard error; that is the user's story."""
    program = defined.program.here()
    done = subprocess.run(
        (*program.command, "-m", ".".join(path.with_suffix("").relative_to(ROOT).parts), upstream),
        env={**os.environ, **program.environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_PATIENCE,
    )
    assert (done.returncode, done.stdout) == (0, "201\n"), done.stderr
    assert "Traceback" not in done.stderr
