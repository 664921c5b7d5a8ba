"""Each preset of each client is a page that a practitioner can paste: short, named, narrow."""

import re

from lab.functions import definition

WIDTH = 88
SHORTEST, LONGEST = 15, 60
"""Lines of a preset, with those that run it by itself."""
MARKS = re.compile(r'^(\s|//|/\*+|\*+/?|#|""")+')
"""How comments begin, in the languages that there are."""


def test_there_are_at_least_three(client: str) -> None:
    assert {"default", "seed", "sane"} <= set(definition(client).names)


def test_it_can_be_pasted(client: str, preset: str) -> None:
    text = definition(client).preset_path(preset).read_text()
    lines = text.splitlines()
    assert SHORTEST <= len(lines) <= LONGEST
    assert max(map(len, lines)) <= WIDTH
    told = next(words for line in lines if (words := MARKS.sub("", line)))
    assert told.startswith(f"{preset}: "), told
    assert "THAWLAB" not in text, "the lab's variables are read elsewhere"
