"""A preset that is broken, hangs or ends its process: what was wrong with it, with file and line, is in the journal."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lab.checkout import ROOT
from lab.functions import DEFINITIONS
from lab.journal import Event, by_scope
from lab.run import bounds
from lab.runs.folder import RunFolder
from lab.verdict.results import ArmResult
from tests.run.support import journal_of, only_arm, results_of, run, scenario_text, write

HOME = "lambda_app/python/clients/http_client/presets/mine.py"


@dataclass(frozen=True, slots=True)
class Mine:
    """A checkout of one's own, to break presets in."""

    folder: Path

    async def run(self, preset: str, **changes: str) -> RunFolder:
        (self.folder / HOME).write_text(preset)
        text = scenario_text(preset="mine, client: http.client", **changes)
        return await run(write(self.folder, text), self.folder)

    def arm(self, folder: RunFolder) -> ArmResult:
        (named,) = folder.read().scenarios
        return only_arm(results_of(named, folder))


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mine:
    home = tmp_path / "checkout"
    shutil.copytree(ROOT / "lambda_app" / "python", home / "lambda_app" / "python")
    (home / "lambda_app" / "__init__.py").touch()
    presets = (home / HOME).parent
    monkeypatch.setitem(DEFINITIONS, "http.client", replace(DEFINITIONS["http.client"], presets=presets))
    monkeypatch.chdir(home)  # `python -m` looks there first
    return Mine(home)


def events(folder: RunFolder, kind: str) -> list[Event]:
    """Of the first attempt."""
    (mine,) = [events for scope, events in by_scope(journal_of(folder)).items() if scope.arm and scope.attempt == 1]
    return [event for event in mine if event.kind == kind]


def the_run_ended(folder: RunFolder) -> None:
    assert journal_of(folder)[-1].kind == "run-finished"


@pytest.mark.parametrize(
    ("preset", "error"),
    [
        ("import http.client\n\nclient = undefined_thing\n", "NameError: name 'undefined_thing' is not defined"),
        ("import http.client\n\nlet x = 3\n", "Runtime.UserCodeSyntaxError"),
        ("import os\n\nos.stat('/not/there')\n", "FileNotFoundError"),
    ],
    ids=["name", "syntax", "raises"],
)
async def test_what_fails_while_it_is_initialised(mine: Mine, preset: str, error: str) -> None:
    """Each cold start would fail so again: the arm ends there."""
    folder = await mine.run(preset)
    the_run_ended(folder)
    (failed,) = events(folder, "failed")
    assert failed["phase"] == "init"
    assert failed["detail"].startswith(error)
    assert failed["detail"].endswith(f"{HOME}:3)")
    assert not events(folder, "trouble")
    assert f"{HOME}:3)" in mine.arm(folder).why


async def test_what_hangs_while_it_is_initialised(mine: Mine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "INIT_TIMEOUT", 1.5)
    folder = await mine.run("import time\n\ntime.sleep(3600)\n")
    the_run_ended(folder)
    (failed,) = events(folder, "failed")
    assert (failed["error_type"], failed["phase"]) == ("Sandbox.Timedout", "init")
    (log,) = folder.logs.glob("story-bug-1-sb-*.log")
    said = f"did not ask for an event within 1.5 s: it hangs while it is initialised; see logs/{log.name}"
    assert said in failed["detail"]
    assert said in mine.arm(folder).why
    assert [event.kind for event in journal_of(folder)].count("invoked") == 1, "one time limit, not one an invocation"


SENDS = "import http.client\n\ndef send(method, url, **options):\n"


async def test_what_fails_at_its_first_request(mine: Mine) -> None:
    folder = await mine.run(f"{SENDS}    return undefined_thing\n")
    the_run_ended(folder)
    first, *_ = [event for event in events(folder, "request") if event.source == "client"]
    assert (first["outcome"], first["error"]) == ("other", "NameError: name 'undefined_thing' is not defined")
    assert first["where"] == f"{HOME}:4"


async def test_what_a_library_refuses_is_the_presets_line(mine: Mine) -> None:
    folder = await mine.run(f"{SENDS}    http.client.HTTPConnection('h:x')\n")
    first, *_ = [event for event in events(folder, "request") if event.source == "client"]
    assert (first["outcome"], first["where"]) == ("other", f"{HOME}:4")


async def test_what_hangs_in_a_request(mine: Mine) -> None:
    preset = f"import time\n{SENDS}    time.sleep(3600)\n"
    folder = await mine.run(preset, shape="sync, timeout: 150s")
    the_run_ended(folder)
    assert {(event["error_type"], event["phase"]) for event in events(folder, "failed")} == {
        ("Sandbox.Timedout", "invoke")
    }


CRASHES = """\
import os
import http.client
from awslambdaric.lambda_runtime_client import LambdaRuntimeClient

def send(method, url, **options):
    connection = http.client.HTTPConnection(url.split("/")[2])
    connection.request(method, "/orders", **options)
    answer = connection.getresponse()
    answer.read()
    return answer.status

def finish():
    LambdaRuntimeClient.wait_next_invocation = lambda client: os._exit(9)
"""


async def test_what_ends_its_process_after_the_answer(mine: Mine) -> None:
    """As on Lambda the next invocation is a cold start, and the run goes on to its end."""
    folder = await mine.run(CRASHES)
    the_run_ended(folder)
    assert not events(folder, "trouble")
    assert [(event["exit"], event["during"]) for event in events(folder, "crashed")] == [(9, "answered")] * 2
    assert [event["cold"] for event in events(folder, "invoked")] == [True, True]
    requests = [event for event in events(folder, "request") if event.source == "client"]
    assert [event["outcome"] for event in requests] == ["ok", "ok"]
