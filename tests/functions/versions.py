"""Which version of its client library a function really runs, asked of what it is built from, not of the function."""

import subprocess

from lab.functions.definition import Definition

PATIENCE = 30.0


def real_client_version(defined: Definition) -> str:
    """The installed version of the library."""
    return BY_LANGUAGE[defined.language](defined)


def _python(defined: Definition) -> str:
    """Asked of the interpreter that runs the function."""
    library = defined.client.partition("@")[0]
    interpreter = defined.program.here()
    command = f"import importlib.metadata as installed; print(installed.version({library!r}))"
    done = subprocess.run(
        [*interpreter.command, "-c", command],
        env=dict(interpreter.environment),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    return done.stdout.strip()


def _go(defined: Definition) -> str:
    """net/http is as old as the Go that the binary was built with, which the binary says."""
    (binary,) = defined.program.here().command
    done = subprocess.run(["go", "version", binary], capture_output=True, text=True, timeout=PATIENCE, check=True)
    return done.stdout.rpartition(": ")[2].strip()


BY_LANGUAGE = {"python": _python, "go": _go}
