"""Which version of its client library a function really runs, asked of what it is built from, not of the function."""

import json
import re
import subprocess
from pathlib import Path

from lab.functions.definition import Definition
from tests.patience import COMMAND_PATIENCE


def real_client_version(defined: Definition) -> str:
    """The installed version of the library."""
    return BY_LANGUAGE[defined.language](defined)


def _python(defined: Definition) -> str:
    """Asked of the interpreter that runs the function."""
    interpreter = defined.program.here()
    command = f"import importlib.metadata as installed; print(installed.version({defined.package!r}))"
    if defined.package is None:  # as old as the interpreter
        command = "import platform; print(platform.python_version())"
    done = subprocess.run(
        [*interpreter.command, "-c", command],
        env=dict(interpreter.environment),
        capture_output=True,
        text=True,
        timeout=COMMAND_PATIENCE,
        check=True,
    )
    return done.stdout.strip()


def _go(defined: Definition) -> str:
    """net/http is as old as the Go that the binary was built with, which the binary says."""
    (binary,) = defined.program.here().command
    done = subprocess.run(
        ["go", "version", binary], capture_output=True, text=True, timeout=COMMAND_PATIENCE, check=True
    )
    return done.stdout.rpartition(": ")[2].strip()


def _java(defined: Definition) -> str:
    """The jar's name has it; the JDK's own client is as old as the JDK."""
    java, *_, class_path = defined.program.here().command
    if defined.client not in JARS:
        return _jdk(java)
    jar = JARS[defined.client]
    (version,) = [found[1] for file in Path(class_path).parent.iterdir() if (found := re.fullmatch(jar, file.name))]
    return version


def _jdk(java: str) -> str:
    shown = [java, "-XshowSettings:properties", "-version"]
    done = subprocess.run(shown, capture_output=True, text=True, timeout=COMMAND_PATIENCE, check=True)
    return next(line.split()[-1] for line in done.stderr.splitlines() if " java.version = " in line)


JARS = {"okhttp": r"okhttp(?:-jvm)?-(\d.*)\.jar", "apache-http": r"httpclient5-(\d.*)\.jar"}


def _node(defined: Definition) -> str:
    """What is part of Node says so there; a package has it in its package.json."""
    node, entry = defined.program.here().command
    if defined.package is None:
        shown = [node, "-p", f"process.versions.{PARTS_OF_NODE[defined.client.partition('@')[0]]}"]
        return subprocess.run(
            shown, capture_output=True, text=True, timeout=COMMAND_PATIENCE, check=True
        ).stdout.strip()
    (package,) = Path(entry).parent.glob(f"clients/*/node_modules/{defined.package}/package.json")
    return str(json.loads(package.read_text())["version"])


PARTS_OF_NODE = {"node-http": "node", "fetch": "undici"}

BY_LANGUAGE = {"python": _python, "go": _go, "java": _java, "node": _node}
