"""The contract's page names what a function reads and tells."""

import re

from pydantic import BaseModel

from tests.docs.pages import ROOT
from tests.functions.contract import Answer, Attempt, Link, Preset, Told, Versions

PAGE = ROOT / "docs" / "functions.md"


PARTS: tuple[type[BaseModel], ...] = (Answer, Preset, Versions, Told, Link, Attempt)
"""The contract of an answer, and of what it holds."""


def test_the_page_names_every_key_that_a_function_tells() -> None:
    """Each function's answers are held to exactly these keys by tests/functions."""
    page = PAGE.read_text()
    assert not {key for part in PARTS for key in part.model_fields if f"`{key}`" not in page and f'"{key}"' not in page}


def test_the_page_names_every_variable_that_the_lab_sets() -> None:
    lab = (ROOT / "lab" / "backends" / "variables.py").read_text()
    named = set(re.findall(r'"((?:THAWLAB|UPSTREAM)_\w+)"', lab))
    assert len(named) >= 6
    assert not {name for name in named if f"`{name}`" not in PAGE.read_text()}
