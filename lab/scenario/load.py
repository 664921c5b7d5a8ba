"""Reads scenario files; every mistake in one is a line that says what, where and what to do."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from lab.errors import UsageError
from lab.scenario.model import Scenario

BUILT_IN = Path(__file__).resolve().parents[2] / "scenarios"
SCHEMA = Path(__file__).with_name("scenario.schema.json")
LARGEST_FILE = 1_000_000
"""Bytes; a scenario is a page of text, and what is larger was not meant to be one."""


@dataclass(frozen=True, slots=True)
class Named:
    """A scenario with the name of its file."""

    name: str
    path: Path
    scenario: Scenario

    def __repr__(self) -> str:
        return f"<Scenario {self.name}: {len(self.scenario.arms)} arms>"


def load(path: Path) -> Named:
    """The scenario in a file; raises UsageError with file and line."""
    return Named(path.stem, path, parse(_read(path), path))


def find(name: str) -> Named:
    """A built-in scenario by name, or a file by path; raises UsageError where there is neither."""
    if name.endswith((".yaml", ".yml")) or "/" in name:
        return load(Path(name))
    path = BUILT_IN / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in BUILT_IN.glob("*.yaml")))
        raise UsageError(f"no scenario is called {name!r}: there are {known}; or give the path of a .yaml file")
    return load(path)


def built_in() -> list[Named]:
    """Every scenario that comes with the lab, by name."""
    return [load(path) for path in sorted(BUILT_IN.glob("*.yaml"))]


def parse(text: str, path: Path) -> Scenario:
    """The scenario in a text; `path` is for messages. Raises UsageError with file and line."""
    try:
        document = YAML(typ="rt").load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise UsageError(f"{path}:{line}: this is not YAML: {problem}") from None
    if not isinstance(document, dict):
        raise UsageError(f"{path}:1: a scenario is a mapping with title, question, story ...; see docs/scenarios.md")
    try:
        return Scenario.model_validate(_plain(document))
    except ValidationError as error:
        messages = [_message(path, document, detail) for detail in error.errors()]
        more = f" (and {len(messages) - 1} more)" if len(messages) > 1 else ""
        raise UsageError(messages[0] + more) from None


def schema_text() -> str:
    """The published JSON Schema of scenario files."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Scenario.model_json_schema()
    return json.dumps(schema, indent=2) + "\n"


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UsageError(f"{path}: larger than {LARGEST_FILE} bytes: this is no scenario file")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not a text file: a scenario is YAML in UTF-8") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def _plain(node: Any) -> Any:
    """ruamel's containers as plain ones, so that messages show plain values."""
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    return node


def _message(path: Path, document: Any, detail: Any) -> str:
    location = [part for part in detail["loc"] if not str(part).startswith(("function-", "lax-or"))]
    line = _line(document, location)
    where = ".".join(str(part) for part in location)
    if detail["type"] == "arm":
        line = _line(document, ["arms", detail["ctx"]["arm"]])
    match detail["type"]:
        case "extra_forbidden":
            text = f"unknown key {where!r}: remove it or mend its spelling"
        case "missing":
            text = f"{where!r} is missing"
        case "literal_error":
            text = f"{where}: {detail['input']!r} is not one of {detail['ctx']['expected']}"
        case _:
            message = detail["msg"].removeprefix("Value error, ")
            text = f"{where}: {message}" if where else message
    return f"{path}:{line}: {text}"


def _line(document: Any, location: Iterable[Any]) -> int:
    """The line of the innermost part of the location that the file has."""
    node: Any = document
    line = document.lc.line
    for part in location:
        try:
            if isinstance(node, CommentedMap):
                line = node.lc.key(part)[0]
            elif isinstance(node, CommentedSeq):
                line = node.lc.item(part)[0]
            node = node[part]
        except (KeyError, IndexError, TypeError, AttributeError):
            break
    return int(line) + 1
