"""`thawlab doctor`, and a lab without privileges."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lab.backends.docker import parts as docker
from lab.backends.docker.engine import LABEL, connect
from lab.backends.process import parts as process
from lab.cleanup.procfs import lab_mark
from lab.cli.doctor import examine
from lab.errors import EnvironmentLacks
from tests.patience import COMMAND_PATIENCE
from tests.run.command import ANSI, COMMAND, environment, thawlab

NOBODY = "65534"
READS_FILES = "dac_read_search"
"""The one capability that is left: it lets this user read the Python that runs the tests, wherever that is."""


def test_every_part_is_named() -> None:
    done = thawlab("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert not ANSI.search(done.stdout)
    assert max(map(len, done.stdout.splitlines())) <= 80
    findings = examine()
    assert len({finding.name for finding in findings}) == len(findings)
    rows = _rows(done.stdout)
    assert list(rows) == [finding.name for finding in findings]
    for finding in findings:
        assert finding.without
        here, told = rows[finding.name]
        assert here == ("yes" if finding.present else "no")
        assert _steady(told) == _steady(finding.found if finding.present else finding.without)
    for part in ("Linux", "Python", "environments", "CAP_NET_ADMIN", "packet tap", "Docker Engine", "cgroup"):
        assert part in done.stdout


def _rows(table: str) -> dict[str, tuple[str, str]]:
    """By part: whether it is here, and what that means, of however many lines."""
    head, *lines = table.splitlines()
    here, means = head.index("here"), head.index("what that means")
    rows: dict[str, tuple[str, str]] = {}
    for line in lines:
        part, word, told = (piece.strip() for piece in (line[:here], line[here:means], line[means:]))
        if not part:
            part, (word, before) = next(reversed(rows.items()))
            told = f"{before} {told}"
        rows[part] = (word, told)
    return rows


def _steady(told: str) -> str:
    """Without the seconds that a trial took, and without where a long word was broken."""
    return re.sub(r"\d+\.\d s", "... s", told).replace(" ", "")


def test_an_engine_that_starts_nothing_is_not_one_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers, and has images; what it says when a container shall start is shown."""

    class Answers:
        def version(self) -> dict[str, str]:
            return {"Version": "99"}

    def refuses() -> str:
        raise EnvironmentLacks("the engine starts no container: OCI runtime create failed")

    monkeypatch.setattr(docker, "connect", Answers)
    monkeypatch.setattr(docker, "start_a_container", refuses)
    engine = next(finding for finding in examine() if finding.name == "Docker Engine")
    assert not engine.present
    assert "OCI runtime create failed" in engine.without


@pytest.mark.docker
def test_doctor_starts_a_container_and_leaves_none() -> None:
    took = docker.start_a_container()
    assert took is None or took.endswith(" s")
    client = connect()
    mine = client.containers.list(all=True, filters={"label": f"{LABEL}={lab_mark(os.getpid())}"})
    client.close()
    assert not mine


def test_what_is_tried_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    assert process.freezes()
    assert process.loopback_works()
    monkeypatch.setattr(process, "FREEZE_BOUND", 0.05)
    monkeypatch.setattr(process, "stat", lambda pid: None)
    assert not process.freezes()

    def down(*arguments: object, **options: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr("socket.create_connection", down)
    assert not process.loopback_works()


def unprivileged(*arguments: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    """`thawlab` as the user nobody: no TCP_REPAIR, no packet tap, no engine."""
    only = f"-all,+{READS_FILES}"
    return subprocess.run(
        (
            *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
            *(f"--inh-caps={only}", f"--ambient-caps={only}", f"--bounding-set={only}"),
            *COMMAND,
            *map(str, arguments),
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_PATIENCE,
        env=environment(HOME=str(home)),
    )


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become nobody; without privileges every test is this one")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv (util-linux)")
def test_the_same_verdicts_without_privileges(tmp_path_factory: pytest.TempPathFactory) -> None:
    """With the deferred reset instead of TCP_REPAIR, and late data seen by the socket instead of a tap."""
    folder = tmp_path_factory.mktemp("nobody")
    for path in (folder, *folder.parents[:2]):
        path.chmod(0o755)
    os.chown(folder, int(NOBODY), int(NOBODY))
    doctor = unprivileged("doctor", home=folder)
    assert doctor.returncode == 0, doctor.stderr
    assert "deferred reset" in " ".join(doctor.stdout.split())
    done = unprivileged("run", "seed-reset", "--out", folder / "runs", home=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((folder / "runs" / "latest" / "results.json").read_text())
    arms = results["scenarios"][0]["arms"]
    assert len(arms) >= 16
    assert {arm["verdict"] for arm in arms} == {"pass"}
    events = [json.loads(line) for line in (folder / "runs" / "latest" / "journal.jsonl").read_text().splitlines()]
    assert {e["data"]["how"] for e in events if e["kind"] == "gave-up"} >= {"deferred-reset"}
    assert {e["data"]["how"] for e in events if e["kind"] == "gave-up"} <= {"deferred-reset", "fin", "rst"}
    assert {e["data"]["seen_by"] for e in events if e["kind"] == "late-data-received"} == {"socket"}
