"""The next command that a report names can be run: a scenario is named as the user named it, in later reports too."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest

from lab.backends.tcp_ends import Ends
from lab.journal import Event
from lab.runs.folder import RunFolder
from tests.backends.delegating import DelegatingKernel, with_kernel
from tests.run.command import thawlab_here
from tests.run.support import run, scenario_text, write


async def test_a_file_is_named_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "with a blank"
    folder.mkdir()
    named = write(folder, scenario_text(idle="5s", gap="freeze: 10s"))

    class Unmoved(DelegatingKernel):
        """A kernel that says of every socket that it is closed: no proof."""

        async def ends(self, opened: Sequence[Event]) -> list[Ends]:
            return [Ends(None, None) for _ in opened]

    unmoved = with_kernel(lambda kernel, experiment: Unmoved(kernel))
    done = await run(named, folder, wrap=unmoved, once=True)
    again = RunFolder(done.path).read()
    why = again.results.scenarios[0].arms[0].why
    command = why.partition("thawlab run ")[2].partition(", then")[0]
    assert shlex.split(command) == [str(named.path), "--arm", "bug"], why
    assert thawlab_here(monkeypatch, "show", done.path).returncode == 3
