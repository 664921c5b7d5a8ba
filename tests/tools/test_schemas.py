"""The published JSON Schemas: up to date, and what editors and CI check with them is what the lab accepts."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from lab.scenario import load
from lab.tools.schemas import PUBLISHED

SCENARIOS = sorted(load.BUILT_IN.glob("*.yaml"))


@pytest.fixture(scope="module")
def scenario_schema() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(load.SCHEMA.read_text()))


def document(text: str) -> Any:
    return YAML(typ="safe").load(text)


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.name)
def test_up_to_date(path: Path) -> None:
    assert path.read_text() == PUBLISHED[path], "models have changed: make schemas"
    if path.suffix == ".json":
        jsonschema.Draft202012Validator.check_schema(json.loads(PUBLISHED[path]))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_scenario_is_valid(scenario_schema: jsonschema.Draft202012Validator, path: Path) -> None:
    text = path.read_text()
    scenario_schema.validate(document(text))
    comment, _, schema = text.partition("\n")[0].partition("$schema=")
    assert comment == "# yaml-language-server: "
    assert (path.parent / schema).resolve() == load.SCHEMA


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title:", "titel:"),
        ("close: rst", "close: politely"),
        ("300s", "300"),
        ("300s", "300 seconds"),
        ("freeze: 6m", "freeze: 6"),
        ("freeze: 6m", "sleep: 6m"),
        ("role: bug", "role: bugg"),
        ("outcome: reset", "outcome: rest"),
        ("outcome: reset", "outcome: []"),
        ("name: bug", "name: A bug"),
        ("shape: sync", "shape: round"),
    ],
)
def test_what_the_lab_refuses_the_schema_refuses(
    scenario_schema: jsonschema.Draft202012Validator, old: str, new: str
) -> None:
    text = (load.BUILT_IN / "seed-reset.yaml").read_text()
    assert old in text
    assert not scenario_schema.is_valid(document(text.replace(old, new, 1)))
