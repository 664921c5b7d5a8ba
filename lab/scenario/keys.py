"""Which keys a scenario file may have at a place, by its JSON Schema."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]


def known_keys(schema: Schema, location: Sequence[int | str]) -> list[str]:
    """The keys that may stand beside the one at `location` (keys and indices, from the top)."""
    nodes = list(_alternatives(schema, schema))
    for part in location[:-1]:
        found = [_inside(node, part) for node in nodes]
        nodes = [node for inner in found if inner is not None for node in _alternatives(schema, inner)]
    return list(dict.fromkeys(key for node in nodes for key in node.get("properties", ())))


def _inside(node: Schema, part: int | str) -> Schema | None:
    """The schema of a member of a mapping or of a list."""
    inner = node.get("items") if isinstance(part, int) else node.get("properties", {}).get(part)
    return inner if isinstance(inner, Mapping) else None


def _alternatives(schema: Schema, node: Schema) -> Iterator[Schema]:
    """What a node may be, references followed."""
    if "$ref" in node:
        name = str(node["$ref"]).rpartition("/")[2]
        yield from _alternatives(schema, schema["$defs"][name])
    elif "anyOf" in node:
        for other in node["anyOf"]:
            yield from _alternatives(schema, other)
    else:
        yield node
