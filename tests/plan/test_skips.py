"""What an arm needs of the machine: where that is missing it is skipped, and says what is missing."""

from pathlib import Path

import pytest

from lab.functions import definition
from lab.plan.arms import make_plan
from lab.scenario.load import load

STORY = """\
title: t
question: q
story: s
look_at: l
upstream: {{idle_timeout: 300s}}
timeline: [invoke, freeze: 6m, invoke]
arms:
  - {{name: one, role: contrast, title: t, change: {{upstream: {change}}}}}
"""


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        ("{close: blackhole}", True),
        ("{faults: [{at: executed, do: blackhole}]}", True),
        ("{vanish: repair}", True),
        ("{close: vanish}", False),
        ("{faults: [{at: executed, do: rst}]}", False),
    ],
)
def test_an_arm_whose_fault_needs_a_capability_is_skipped_without_it(
    change: str, lacking: bool, tmp_path: Path
) -> None:
    file = tmp_path / "story.yaml"
    file.write_text(STORY.format(change=change))
    for lacks in ((), ("net-admin",)):
        plan = make_plan([load(file)], (), "process", None, 1, lacks, definition)
        expected = {"one": ("needs CAP_NET_ADMIN (root), or --sandbox docker", "lacking")} if lacking and lacks else {}
        assert plan.skipped["story"] == expected
        assert len(plan.jobs) == (0 if expected else 1)
