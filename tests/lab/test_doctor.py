"""`thawlab doctor`, and a lab without privileges."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lab.doctor import examine
from tests.lab.command import ANSI, COMMAND, PATIENCE, environment, thawlab

NOBODY = "65534"
READS_FILES = "dac_read_search"
"""The one capability that is left: it lets this user read the Python that runs the tests, wherever that is."""


def test_every_part_is_named() -> None:
    done = thawlab("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert not ANSI.search(done.stdout)
    assert max(map(len, done.stdout.splitlines())) <= 80
    words = " ".join(done.stdout.split())
    for finding in examine():
        assert finding.part in done.stdout
        assert finding.without
        assert finding.found in words or finding.without in words or len(finding.part) > 20
    for part in ("Linux", "Python", "runtime client", "TCP_REPAIR", "packet tap", "Docker Engine", "cgroup"):
        assert part in done.stdout


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
        timeout=PATIENCE,
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
    assert {e["data"]["seen_by"] for e in events if e["kind"] == "late-data"} == {"socket"}
