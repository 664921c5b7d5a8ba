"""Made-up versions of a client in which the bug is gone: a regression of the lab's knowledge, not a flake."""

from tests.sabotage.lie import Command, tell
from tests.sabotage.names import MADE_UP
from tests.sabotage.stories import BUG, RESET, arm, story

TEXT = story(
    BUG,
    arm("look-first", "non-fix", RESET, "function: {preset: look_first}"),
    function="{client: aiohttp, preset: seed, shape: sync}",
)
for version, story_of_it in (
    ("drops-at-checkout", "The client drops the connection when it should take it from its pool."),
    ("closes-after-answer", "The client closes each connection as soon as it has its answer."),
):
    tell(
        version,
        "regression",
        "client",
        story_of_it,
        Command(TEXT),
        instead=Command(TEXT, version),
        expected=MADE_UP[version],
        short=version == "drops-at-checkout",
    )
