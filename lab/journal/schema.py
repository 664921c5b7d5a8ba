"""The journal's published JSON Schema, made from the classes of its events."""

import ast
import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter

from lab.journal import events
from lab.journal.event import SOURCES
from lab.journal.vocabulary import ALWAYS, KINDS, SCHEMA_ID, Happening


def every_kind() -> tuple[type[Happening], ...]:
    """Each kind of event once, by source in the order of the sources, then as it is defined."""
    kinds = dict.fromkeys(KINDS.values())
    return tuple(sorted(kinds, key=lambda kind: SOURCES.index(kind.source)))


def schema_text() -> str:
    """The schema of one line of a journal. Kinds and fields that it does not name are those of a later version."""
    definitions: dict[str, Any] = {}
    cases = []
    for kind in every_kind():
        own = _data_schema(kind)
        definitions |= own.pop("$defs", {})
        definitions[kind.__name__] = own
        cases.append(
            {
                "if": {"properties": {"source": {"const": kind.source}, "kind": {"enum": list(kind.spellings)}}},
                "then": {"properties": {"data": {"$ref": f"#/$defs/{kind.__name__}"}}},
            }
        )
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA_ID,
        "description": "One event: one line of journal.jsonl",
        "type": "object",
        "required": ["t", "source", "kind", "data"],
        "properties": {
            "t": {"description": "When it happened, in seconds of CLOCK_MONOTONIC", "type": "number", "unit": "s"},
            "source": {"description": "Who it happened to", "enum": list(SOURCES)},
            "kind": {"description": "What happened", "type": "string", "minLength": 1},
            "scenario": {"description": "Whose arm it belongs to; without it, to the whole lab", "type": "string"},
            "arm": {"type": "string"},
            "repeat": {"description": "Which run of the arm, from 1", "type": "integer", "minimum": 0},
            "attempt": {"description": "Which attempt at that run, if not the first", "type": "integer", "minimum": 1},
            "data": {"description": "What belongs to its kind", "type": "object"},
        },
        "allOf": cases,
        "$defs": dict(sorted(definitions.items())),
    }
    return json.dumps(whole, indent=2) + "\n"


def _data_schema(kind: type[Happening]) -> dict[str, Any]:
    schema = TypeAdapter(kind).json_schema(ref_template="#/$defs/{model}")
    described: dict[str, Any] = _without_titles(schema)
    properties = described["properties"]
    del properties["t"]
    described["required"] = [name for name, default in kind.written if default is ALWAYS]
    described["description"] = inspect.getdoc(kind)
    _describe(properties, kind)
    for name, part in described.get("$defs", {}).items():
        nested = getattr(events, name)
        part["description"] = inspect.getdoc(nested)
        _describe(part["properties"], nested)
    return described


def _describe(properties: dict[str, Any], described: type) -> None:
    for name, text in docstrings(described).items():
        if name in properties:
            properties[name] = {"description": text, **properties[name]}


def _without_titles(schema: Any) -> Any:
    if isinstance(schema, dict):
        named = {key: value for key, value in schema.items() if key != "title" or not isinstance(value, str)}
        return {key: _without_titles(value) for key, value in named.items()}
    if isinstance(schema, list):
        return [_without_titles(part) for part in schema]
    return schema


def docstrings(described: type) -> Mapping[str, str]:
    """The docstring below each field of a class; a field whose name says it all has none."""
    module = inspect.getmodule(described)
    assert module is not None, described
    return _docstrings(inspect.getsource(module)).get(described.__name__, {})


@cache
def _docstrings(source: str) -> Mapping[str, Mapping[str, str]]:
    tree = ast.parse(source)
    return {node.name: dict(_of_class(node)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _of_class(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, text in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            yield field.target.id, inspect.cleandoc(str(text.value.value))


def parts_of(hint: object) -> tuple[type, ...]:
    """The classes of nested values in a field's type."""
    if isinstance(hint, type) and is_dataclass(hint):
        return (hint,)
    return tuple(dict.fromkeys(part for inner in get_args(hint) for part in parts_of(inner)))
