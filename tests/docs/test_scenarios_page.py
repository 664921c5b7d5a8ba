"""docs/scenarios.md tells everything that a scenario file may say, and nothing else."""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from ruamel.yaml import YAML

from lab.errors import UsageError
from lab.functions import DEFINITIONS
from lab.scenario.load import SCHEMA, parse
from lab.scenario.steps import VERBS
from lab.scenario.words import OutcomeClass, Role
from tests.docs.pages import PAGES, ROOT, Fence, fences, tables
from upstream_server import faults

PAGE = ROOT / "docs" / "scenarios.md"
TABLES = tables(PAGE)
YAMLS = [fence for page in PAGES for fence in fences(page) if fence.language == "yaml"]


def keys_of_the_schema() -> dict[str, str]:
    """Every key that a file may have, with what the schema says of it (an editor shows that)."""

    def of(node: Any) -> Iterator[tuple[str, str]]:
        if isinstance(node, dict):
            for name, value in node.items():
                if name == "properties":
                    yield from ((key, about.get("description", "")) for key, about in value.items())
                yield from of(value)
        elif isinstance(node, list):
            for value in node:
                yield from of(value)

    return {key: about for key, about in of(json.loads(SCHEMA.read_text())) if key not in VERBS}


def keys_of_the_page() -> set[str]:
    rows = [*TABLES["Keys of a scenario"], *TABLES["Keys of an arm"]]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row[0])}


def test_every_key_is_told() -> None:
    """On the page or, for the rare ones, in the schema's description."""
    nested = {"max", "server"}
    """Told in the row of the key that they belong to: `advertise`, `balancer`."""
    untold = {key for key, about in keys_of_the_schema().items() if not about} - nested
    assert untold <= keys_of_the_page()


def test_every_key_that_the_page_tells_is_one() -> None:
    assert keys_of_the_page() <= set(keys_of_the_schema())


def test_every_verb_is_told() -> None:
    assert {re.findall(r"`(\w+)", row[0])[0] for row in TABLES["The timeline"]} == set(VERBS)


def test_every_role_is_told() -> None:
    roles = {role for row in TABLES["What each role must prove"] for role in re.findall(r"`([a-z-]+)`", row[0])}
    assert roles == set(get_args(Role))


@pytest.mark.parametrize("word", [*get_args(OutcomeClass), *faults.modes()])
def test_every_outcome_class_and_close_mode_is_told(word: str) -> None:
    assert f"`{word}`" in PAGE.read_text()


@pytest.mark.parametrize("fence", YAMLS, ids=str)
def test_every_example_is_yaml_and_what_it_says_it_is(fence: Fence) -> None:
    parsed = YAML(typ="safe").load(fence.text)
    if fence.file_name == "typo.yaml":
        with pytest.raises(UsageError):
            parse(fence.text, PAGE)
    elif fence.file_name:
        assert len(parse(fence.text, PAGE).arms) > 1
    else:
        assert parsed is None or "arms" not in parsed


def test_every_client_is_told_with_its_shapes_and_the_folder_of_its_presets() -> None:
    told = {
        row[0].strip("`"): (row[1], tuple(re.findall(r"`([a-z-]+)`", row[2])), re.findall(r"\]\((.*)\)", row[3])[0])
        for row in TABLES["The clients"]
    }
    assert told == {
        client: (defined.language, tuple(defined.shapes), f"../{defined.presets.relative_to(ROOT)}")
        for client, defined in DEFINITIONS.items()
    }
