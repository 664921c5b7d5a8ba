"""The contract's page names what a function reads and tells."""

import re

import pytest

from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "functions.md"
PYTHON = ROOT / "lambda_app" / "python"


@pytest.mark.parametrize(
    ("source", "some"),
    [("handler.py", {"sandbox", "invocation", "versions"}), ("call.py", {"outcome", "attempts", "started"})],
)
def test_the_page_names_every_key_that_a_function_tells(source: str, some: set[str]) -> None:
    told = set(re.findall(r'^ {8,12}"(\w+)": ', (PYTHON / source).read_text(), flags=re.M))
    assert some <= told
    page = PAGE.read_text()
    assert not {key for key in told if f"`{key}`" not in page and f'"{key}"' not in page}


def test_the_page_names_every_variable_that_the_lab_sets() -> None:
    lab = (ROOT / "lab" / "backends" / "variables.py").read_text()
    named = set(re.findall(r'"((?:THAWLAB|UPSTREAM)_\w+)"', lab))
    assert len(named) >= 6
    assert not {name for name in named if f"`{name}`" not in PAGE.read_text()}
