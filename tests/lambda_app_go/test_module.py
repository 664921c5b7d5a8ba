"""The Go module: formatted, vetted, tested with its own tests."""

import subprocess

from lab.functions.definition import APP

MODULE = APP / "go"


def go(*command: str) -> str:
    done = subprocess.run(command, cwd=MODULE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_it_is_formatted() -> None:
    assert go("gofmt", "-l", ".") == ""


def test_it_is_vetted() -> None:
    go("go", "vet", "./...")


def test_its_own_tests_pass() -> None:
    go("go", "test", "./...")


def test_the_image_can_build_it() -> None:
    """The official image of a Go version fetches no newer one."""
    dockerfile = (MODULE / "Dockerfile").read_text()
    asked = go("go", "list", "-deps", "-f", "{{with .Module}}{{.GoVersion}}{{end}}", ".").split()
    newest = max(tuple(int(number) for number in version.split(".")[:2]) for version in asked)
    assert f"golang:{'.'.join(map(str, newest))}-trixie" in dockerfile
