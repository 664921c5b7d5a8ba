"""Lies that need containers: a name that does not move. Those about link and pause are in `tests/docker/`."""

from lab.scenario.steps.move import Move
from tests.sabotage.breaks import nothing, otherwise
from tests.sabotage.lie import Break, tell
from tests.sabotage.stories import of_the_catalogue

tell(
    "name-not-moved",
    "axes",
    "lab",
    "The upstream's name stands for the old address for ever.",
    of_the_catalogue("blue-green", "bug"),
    break_it=Break(patches={(Move, "perform"): nothing}),
    expected="it did not happen",
    sandbox="docker",
)
tell(
    "balancer-bypassed-in-containers",
    "axes",
    "lab",
    "No balancer stands between function and upstream.",
    of_the_catalogue("load-balancer-502", "healthy"),
    break_it=otherwise(balancer=None),
    expected="a request did not come through nginx",
    sandbox="docker",
)
