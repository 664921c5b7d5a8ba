"""Folders may be called what they like: what is started from there is told so, or finds another way in."""

from pathlib import Path

import pytest

from lab.journal import read_journal
from tests.run.command import thawlab_here
from tests.run.sabotage import needs_compiler


@needs_compiler
@pytest.mark.parametrize("name", ["ä b", "with:colons and $ORIGIN", "日本 'quoted' \"twice\""])
def test_what_is_preloaded_is_found_wherever_the_run_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    out = tmp_path / name
    done = thawlab_here(monkeypatch, "run", "frozen-timers", "--arm", "bug", "--sandbox", "process", "--out", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    events = read_journal(out / "latest" / "journal.jsonl")
    assert [event["preloaded"] for event in events if event.kind == "witnessed"] == [["time"]]
    assert not [log for log in (out / "latest" / "logs").glob("*.log") if "LD_PRELOAD" in log.read_text()]
