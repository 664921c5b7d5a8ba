"""What a user or the user's machine can cause is one or two short lines, whatever it is."""

import shutil
import subprocess
from pathlib import Path

import pytest

from lab.cli.main import main
from tests.patience import COMMAND_PATIENCE
from tests.run.command import COMMAND, environment, in_this_process, refused, thawlab, thawlab_here

LONG = "n" * 5000


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("run", LONG), 2),
        (("run", f"./{LONG}.yaml"), 2),
        (("run", "seed-reset", "--arm", LONG), 2),
        (("run", "seed-reset", "--out", LONG), 3),
        (("show", LONG), 2),
        (("show", "--out", LONG), 2),
        (("fixes", LONG), 2),
        (("serve", "--function", LONG), 2),
        (("serve", "--preset", LONG), 2),
        (("serve", "--host", LONG, "--port", "0"), 3),
        (("matrix", "--resume", LONG), 2),
        (("matrix", "--cell", LONG), 2),
    ],
    ids=lambda value: " ".join(value).replace(LONG, "LONG") if isinstance(value, tuple) else None,
)
def test_a_name_of_five_thousand_letters(tmp_path: Path, arguments: tuple[str, ...], status: int) -> None:
    said = refused(thawlab(*arguments, cwd=tmp_path), status, "nnn")
    assert len(said) < 800


def test_without_a_loopback_interface(tmp_path: Path) -> None:
    alone = ("unshare", "--net") if shutil.which("unshare") else ()
    tried = subprocess.run((*alone, "true"), capture_output=True, text=True, check=False)
    if not alone or tried.returncode:
        pytest.skip(f"needs unshare and CAP_SYS_ADMIN: {tried.stderr.strip() or 'there is no unshare'}")
    done = subprocess.run(
        (*alone, *COMMAND, "run", "seed-reset", "--arm", "bug", "--out", tmp_path / "runs"),
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_PATIENCE,
        env=environment(),
    )
    refused(done, 3, "Network is unreachable", "ip link set lo up")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "no room is left for the lab"),
        (RuntimeError("can't start new thread"), "no room is left for a new thread"),
        (OSError(11, "Resource temporarily unavailable"), "the lab: Resource temporarily unavailable"),
    ],
)
def test_a_machine_that_has_no_more(monkeypatch: pytest.MonkeyPatch, error: Exception, words: str) -> None:
    def fails() -> None:
        raise error

    monkeypatch.setattr("lab.cli.list.built_in", fails)
    said = refused(thawlab_here(monkeypatch, "list"), 3, words)
    assert said.count("\n") == 1


def test_a_bug_of_the_lab_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise RuntimeError("something else")

    monkeypatch.setattr("lab.cli.list.built_in", fails)
    with in_this_process(monkeypatch, "list"), pytest.raises(RuntimeError, match="something else"):
        main()
