"""docs/journal.md: the page about the journal, whose tables are made from the classes of its events."""

import inspect
import json
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any

from lab.journal import schema
from lab.journal.event import SOURCES, Source
from lab.journal.vocabulary import ALWAYS, SCHEMA_ID, Happening

ABOUT: dict[Source, str] = {
    "lab": "What the lab set out to do, the stretches of time, and what the kernels showed it.",
    "sandbox": "The life of each sandbox. `sandbox` is the lab's name of it.",
    "link": "What happens to packets between a sandbox and the upstream.",
    "invocation": "What the platform did, and what the function answered.",
    "client": "What the function says of its requests.",
    "upstream": "What the upstream saw and did. `connection` is the upstream's number of a connection, from 1 in the "
    "order of acceptance; those of the second address that a name moves to are counted from 101.",
}

TOP = f"""\
# The journal

Everything that happens in a run is one line of `journal.jsonl` in the run's folder, and verdicts and reports are made
from it alone. This page is its vocabulary; the classes are in [lab/journal/events](../lab/journal/events/__init__.py),
and [lab/journal/journal.schema.json](../lab/journal/journal.schema.json) is the JSON Schema of one line. `make
schemas` writes the schema and this page.

```text
{{"t": 3669.772376, "source": "sandbox", "kind": "frozen", "scenario": "seed-reset", "arm": "bug", "repeat": 1,
 "data": {{"sandbox": "sb-1dddc0", "confirmed": true, "switches": 41}}}}
```

`t` is in seconds of CLOCK_MONOTONIC, which all processes and containers of a machine share. `scenario`, `arm` and
`repeat` say which run the event belongs to, and `attempt` which attempt at it, from the second on; an event without
them is of the whole lab.

**Names.** A kind says what happened: its subject, then a verb in the past, without the subject if that is the source
itself (`lab gap-started`, `sandbox frozen`). A stretch of time has `-started` and `-finished`; what has an address has
`-opened` and `-closed`.

**Versions.** The first event of a run (`run-started`) or of a matrix (`matrix-started`) says `"journal":
"{SCHEMA_ID}"`. Older journals do not say their version, and are still read: they lack the fields that are marked
*new in 2*, and what is not there is not asked. Kinds and fields of a later version are kept and ignored. An event that
lacks another field, or has one of a wrong type, makes its arm `inconclusive`; the reason names file and line.

Durations are real seconds unless the unit says lab time. A field that is *optional* is left out where it says nothing.
"""


def page_text() -> str:
    """The whole page."""
    kinds = schema.every_kind()
    return TOP + "".join(_section(source, [kind for kind in kinds if kind.source == source]) for source in SOURCES)


def _section(source: Source, kinds: list[type[Happening]]) -> str:
    return f"\n## {source}\n\n{ABOUT[source]}\n" + "".join(f"\n{_event(kind)}" for kind in kinds)


def _event(kind: type[Happening]) -> str:
    older = [f"`{spelling}`" for spelling in kind.spellings[1:]]
    known = f" Older journals: {', '.join(older)}." if older else ""
    text = f"### {kind.source} {kind.spellings[0]}\n\n{_line(inspect.getdoc(kind))}{known}\n"
    rows = list(_rows(kind))
    return text + ("\n| field | type | meaning |\n|---|---|---|\n" + "\n".join(rows) + "\n" if rows else "")


def _rows(kind: type[Happening]) -> Iterator[str]:
    published = _published()[kind.__name__]["properties"]
    said = schema.docstrings(kind)
    hints = {field.name: field.type for field in fields(kind)}
    for name, default in kind.written:
        marks = ["optional"] * (default is not ALWAYS) + ["new in 2"] * (name in kind.newer)
        text = " ".join([_line(said.get(name)), *(f"*{mark}*" for mark in marks)]).strip()
        inner = [f"`{part}`: {_line(about)}" for part, about in _inner(hints[name]) if about]
        yield f"| `{name}` | {_type(published[name])} | {' '.join([text, *inner]).strip()} |"


@cache
def _published() -> dict[str, Any]:
    definitions: dict[str, Any] = json.loads(schema.schema_text())["$defs"]
    return definitions


def _inner(hint: object) -> Iterator[tuple[str, str]]:
    for part in schema.parts_of(hint):
        for field in fields(part):
            yield from _inner(field.type)
        yield from schema.docstrings(part).items()


def _type(published: dict[str, Any]) -> str:
    """A JSON Schema's type in words, such as `number (s) or null`."""
    if "anyOf" in published:
        return " or ".join(_type(part) for part in published["anyOf"])
    if "$ref" in published:
        return "object"
    name = str(published.get("type", "anything"))
    if name == "array":
        items = published.get("items")
        return f"list of {_type(items)}" if items else "list"
    unit = published.get("unit")
    return f"{name} ({unit})" if unit else name


def _line(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")
