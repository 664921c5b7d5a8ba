"""The stories in which lies are told: small scenarios, and cells of the matrix."""

from lab.plan.cells import Cell
from lab.scenario.load import find
from tests.sabotage.lie import Arm

HEAD = """\
title: A test
question: Is it believed?
story: s
look_at: l
upstream: {upstream}
function: {function}
request: {request}
link: {link}
timeline: [{timeline}]
"""
FREEZE = "invoke, freeze: 6m, invoke"
WAIT = "invoke, wait: 6m, invoke"


def arm(name: str, role: str, expect: str, change: str = "") -> str:
    """One arm of a scenario's text."""
    return f"  - {{name: {name}, role: {role}, title: t, change: {{{change}}}, expect: {{{expect}}}}}\n"


RESET = "outcome: reset, executions: [1, 0]"
BUG = arm("bug", "bug", RESET)
FIX = arm("fix", "fix", "outcome: ok", "function: {preset: sane}")
OK = "outcome: ok, executions: [1, 1]"


def story(
    *arms: str,
    upstream: str = "{idle_timeout: 300s, close: rst}",
    function: str = "{preset: seed}",
    request: str = "{method: POST}",
    link: str = "lost",
    timeline: str = FREEZE,
    more: str = "",
) -> str:
    """A scenario's text; by default the seed story."""
    head = HEAD.format(upstream=upstream, function=function, request=request, link=link, timeline=timeline)
    return head + more + "arms:\n" + "".join(arms)


def of_the_catalogue(scenario: str, name: str) -> Arm:
    """An arm of a scenario that comes with the lab."""
    return Arm(find(scenario).text, name)


SEED = Arm(story(BUG), "bug")
SANE = Arm(story(BUG, FIX), "fix")
CONTROL_ARM = arm("control", "control", OK, "timeline: [invoke, freeze: 2m, invoke]")
CONTROL = Arm(story(CONTROL_ARM), "control")

SEED_CELL = Cell("aiohttp", "sync", "seed", "vanish", "delivered", "POST", 1)
SANE_CELL = Cell("aiohttp", "sync", "sane", "vanish", "delivered", "POST", 1)
CONTROL_CELL = Cell("aiohttp", "sync", "seed", "none", "delivered", "POST", 1)
