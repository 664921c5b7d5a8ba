"""A greatest age, a gateway that probes refresh, a drain: where the upstream does not do it, no arm passes for it."""

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from lab.journal import Recorder
from lab.plan.job import Job
from lab.scenario.load import find
from lab.upstream.client import Listener
from tests.run.support import Wrapped, journal_of, results_of, run


class Otherwise(Wrapped):
    """The upstream behaves otherwise than the scenario states."""

    changes: ClassVar[dict[str, Any]]

    async def open_upstream(self, job: Job, recorder: Recorder) -> Listener:
        upstream = job.setting.upstream.model_copy(update=self.changes)
        setting = job.setting.model_copy(update={"upstream": upstream})
        opened: Listener = await self.bench.open_upstream(replace(job, setting=setting), recorder)
        return opened


class Ageless(Otherwise):
    changes: ClassVar = {"max_age": None}


class Deaf(Otherwise):
    """A gateway that hears no probe."""

    changes: ClassVar = {"gateway_refresh": "requests"}


class Remembering(Otherwise):
    """A gateway that never forgets."""

    changes: ClassVar = {"gateway_timeout": None, "gateway_refresh": "requests"}


@pytest.mark.parametrize(
    ("scenario", "arm", "sabotage"),
    [("max-age", "bug", Ageless), ("gateway-probes", "probes", Deaf), ("gateway-probes", "probes", Remembering)],
)
async def test_it_does_not_pass_where_it_does_not_happen(
    tmp_path: Path, scenario: str, arm: str, sabotage: type[Otherwise]
) -> None:
    named = find(scenario)
    (result,) = results_of(named, await run(named, tmp_path, arms=(arm,), wrap=sabotage)).scenarios
    arms = {found.name: found for found in result.arms}
    assert arms[arm].verdict == "inconclusive", arms[arm].why


async def test_a_probe_that_refreshed_the_gateway_is_told(tmp_path: Path) -> None:
    named = find("gateway-probes")
    done = await run(named, tmp_path, arms=("probes",))
    assert results_of(named, done).verdict == "pass"
    refreshed = {event.scope.arm for event in journal_of(done) if event.kind == "gateway-refreshed"}
    assert refreshed == {"probes"}
