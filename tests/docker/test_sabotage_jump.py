"""Jumps in containers, sabotaged on the way from the lab to the function: no verdict may be `pass`.

The truth is one lab, all lies another: each lie is done to the sandboxes of the arm that bears its name.
"""

from collections.abc import Callable

import pytest

from lab.backends.docker.sandbox import DockerSandbox

pytestmark = pytest.mark.docker

Lie = Callable[[DockerSandbox, pytest.MonkeyPatch], None]

HEAD = """\
title: A jump
question: Does it?
story: s
look_at: l
upstream: {idle_timeout: 300s, close: rst}
arms:
"""
FROZEN = "timeline: [invoke, freeze: 6m, invoke], link: lost"
AWAKE = "timeline: [invoke, wait: 6m, invoke]"
HANGS = "timeline: [invoke], upstream: {faults: [{at: executed, do: stall}]}, function: {preset: sane}"
RESET, DEAD = "outcome: reset, executions: [1, 0]", "outcome: [reset, eof, closed-locally], executions: [1, 0]"
STORIES = {"frozen": (FROZEN, RESET), "awake": (AWAKE, DEAD), "hangs": (HANGS, "outcome: timeout, executions: [1]")}
