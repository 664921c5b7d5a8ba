"""What a lab can do wrong without a word, on purpose: each is tried on verdicts that must turn."""

import shutil
from typing import Any, cast

import pytest

from lab.lambda_service.sandbox import Sandbox
from lab.plan.experiment import Experiment
from lab.scenario.parts import Upstream
from tests.backends.delegating import with_experiments, with_sandboxes, with_setting, with_upstream

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler (cc)")

never_closes = with_upstream(idle_timeout=None)
"""An upstream that keeps its connections for ever, whatever the scenario says."""


class Insomniac:
    """A sandbox that says it froze and did not."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sandbox, name)

    async def freeze(self) -> None:
        return None


never_freezes = with_sandboxes(lambda sandbox: cast(Sandbox, Insomniac(sandbox)))
"""Freezes that do not stop anything."""


def keeping_everything(experiment: Experiment) -> Experiment:
    """With an upstream, and a gateway before it, that keep every connection and answer everything."""
    stated = experiment.setting.upstream
    return with_setting(experiment, upstream=Upstream(tls=stated.tls, advertise=stated.advertise))


harmless = with_experiments(keeping_everything)
"""An upstream that never does anything to a connection."""
