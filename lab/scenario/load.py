"""Reads scenario files; every mistake in one is a line that says what, where and what to do."""

import json
import re
import shlex
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from reprlib import Repr
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import ConstructorError, RoundTripConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent, NodeEvent, ScalarEvent
from ruamel.yaml.reader import ReaderError

from lab.errors import UsageError
from lab.scenario.keys import known_keys
from lab.scenario.model import Scenario
from lab.spelling import advice, meant
from upstream_server import vocabulary
from upstream_server.vocabulary import AS_RUN

BUILT_IN = Path(__file__).resolve().parents[2] / "scenarios"
SCHEMA = Path(__file__).with_name("scenario.schema.json")
LARGEST_FILE = 100_000
"""Most characters: a scenario is a page of text, so a larger file is some other file."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
"""A scenario's name, which is its file's: it names files, listeners and functions."""
COMMENT = re.compile(r"\s#.*")
DEEPEST = 20
"""Levels of nesting; a scenario has eight."""
LONGEST_PROBLEM = 240
"""Characters of a problem that fit into a message."""


SHORTENED = Repr()
SHORTENED.maxstring = SHORTENED.maxother = 60


@dataclass(frozen=True, slots=True)
class Named:
    """A scenario with the name of its file."""

    name: str
    path: Path
    scenario: Scenario
    text: str
    """As it was read: the run's folder keeps this, whatever becomes of the file."""
    asked: str
    """How the user named it, and must name it again in a next command: a path, or a built-in scenario's name."""

    def __repr__(self) -> str:
        return f"<Scenario {self.name}: {len(self.scenario.arms)} arms>"


def load(path: Path) -> Named:
    """The scenario in a file; raises UsageError with file and line."""
    text = _read(path)
    if not NAME.fullmatch(path.stem):
        raise UsageError(f"{path}: rename the file: a scenario's name is 1 to 40 letters, digits, dots and hyphens")
    return Named(path.stem, path, parse(text, path), text, shlex.quote(str(path)))


def line_of(named: Named, place: Sequence[int | str]) -> int:
    """The line of a scenario's file where the innermost part of the place (keys and indices) stands."""
    return _line(_yaml(named.text, named.path), place)


def find(name: str) -> Named:
    """A built-in scenario by name, or a file by path; raises UsageError if there is neither."""
    if name.endswith((".yaml", ".yml")) or "/" in name:
        return load(Path(name))
    path = BUILT_IN / f"{name}.yaml"
    if not path.is_file():
        raise UsageError(f"no scenario is called {name!r}: {_instead(name)}")
    return _load_built_in(path)


def _instead(name: str) -> str:
    """Suggestions for a scenario name that does not exist."""
    if NAME.fullmatch(name) and Path(f"{name}.yaml").is_file():
        return f"did you mean `{name}.yaml`?"
    if (known := meant(name, _names_built_in())) is not None:
        return f"did you mean `{known}`? (`thawlab list` shows all)"
    return "`thawlab list` shows those there are; or give the path of a .yaml file"


def _names_built_in() -> list[str]:
    return sorted(path.stem for path in BUILT_IN.glob("*.yaml"))


def _load_built_in(path: Path) -> Named:
    return replace(load(path), asked=path.stem)


def built_in() -> list[Named]:
    """Every scenario that comes with the lab, by name."""
    return [_load_built_in(BUILT_IN / f"{name}.yaml") for name in _names_built_in()]


def parse(text: str, path: Path, *, as_run: bool = False) -> Scenario:
    """The scenario in a text; `path` is for messages. Raises UsageError with file and line.

    Whether the functions and presets that it names exist is the plan's question. A scenario that is read `as_run` may
    name close modes and kinds of sandbox that are not known any more.
    """
    document = _yaml(text, path)
    if not isinstance(document, CommentedMap):
        raise UsageError(f"{path}:1: a scenario is a mapping with title, question, story ...; see docs/scenarios.md")
    try:
        return Scenario.model_validate(_plain(document, path), context={AS_RUN: as_run})
    except ValidationError as error:
        messages = [_message(path, document, detail) for detail in _worth_telling(error)]
        more = f" (and {len(messages) - 1} more)" if len(messages) > 1 else ""
        raise UsageError(messages[0] + more) from None


class _Constructor(RoundTripConstructor):
    """Makes Python values, and says where one cannot be made.

    A number of 5000 digits, the 45th of a month, a mapping as the key of another.
    """

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, TypeError) as error:
            value = f"{_shown(node.value)} " if isinstance(node.value, str) else ""
            raise ConstructorError(None, None, f"{value}cannot be read ({error})", node.start_mark) from None


def _yaml(text: str, path: Path) -> Any:
    reader = YAML(typ="rt")
    reader.Constructor = _Constructor
    try:
        _check_plain(text, path)
        return reader.load(text)
    except YAMLError as error:
        if isinstance(error, ReaderError):
            line, problem = text.count("\n", 0, error.position) + 1, error.reason
        else:
            mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
            line = mark.line + 1 if mark else 1
            problem = getattr(error, "problem", None) or str(error)
            if (cut := _cut_off(text, error)) is not None:
                line, problem = cut
        raise UsageError(f"{path}:{line}: this is not YAML: {_one_line(problem)}") from None


def _cut_off(text: str, error: YAMLError) -> tuple[int, str] | None:
    """Where a list in brackets was never closed because ` #` had made its end a comment: the line, and what to do."""
    begin, end = getattr(error, "context_mark", None), getattr(error, "problem_mark", None)
    if begin is None or end is None or "flow" not in str(getattr(error, "context", "")):
        return None
    for number, line in enumerate(text.splitlines()[begin.line : end.line + 1], start=begin.line + 1):
        inside = line[begin.column :] if number == begin.line + 1 else line
        if lost := COMMENT.search(inside):
            said = f"what follows ` #` is a comment, so {_shown(lost[0].strip())} is lost, and the bracket with it"
            return number, f'{said}: put the text in quotes, such as ["repo #1"]'
    return None


def _check_plain(text: str, path: Path) -> None:
    """A scenario is plain data: no aliases (a few lines of them unfold to gigabytes), no tags, no deep nesting.

    Nor control characters and halves of surrogate pairs, which a text can have by escapes only: no terminal and no
    report could show them.
    """
    depth = 0
    for event in YAML(typ="rt").parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if not isinstance(event, NodeEvent):
            continue
        where = f"{path}:{event.start_mark.line + 1}"
        if event.anchor is not None:
            raise UsageError(f"{where}: anchors and aliases ({_one_line(event.anchor)}) are not read: write it out")
        if (tag := getattr(event, "tag", None)) is not None:
            raise UsageError(f"{where}: tags ({_one_line(tag)}) are not read: write plain values")
        if isinstance(event, ScalarEvent) and any(map(_unprintable, event.value)):
            raise UsageError(f"{where}: a control character in a text: take the escape out")
        if depth > DEEPEST:
            raise UsageError(f"{where}: nested more than {DEEPEST} levels deep: a scenario has eight at the most")


def _unprintable(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t"


def schema() -> dict[str, Any]:
    """The published JSON Schema of scenario files."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Scenario.model_json_schema()


def schema_text() -> str:
    """The schema as its file has it."""
    return json.dumps(schema(), indent=2) + "\n"


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LARGEST_FILE + 1)
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not a text file: a scenario is YAML in UTF-8") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; `thawlab list` shows what there is") from None
    if len(text) > LARGEST_FILE:
        raise UsageError(f"{path}: larger than {LARGEST_FILE} characters: this is not a scenario file")
    return text


def _plain(node: Any, path: Path) -> Any:
    """ruamel's containers as plain ones, so that messages show plain values."""
    if isinstance(node, CommentedMap):
        for key in node:
            if not isinstance(key, str):
                line = node.lc.key(key)[0] + 1
                raise UsageError(f"{path}:{line}: the key {_shown(key)} is not text: keys are words")
        return {str(key): _plain(value, path) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(value, path) for value in node]
    return node


def _worth_telling(error: ValidationError) -> list[Any]:
    """Errors without those that only follow from another; missing keys come last.

    A list is not too short because an item of it is bad.
    """
    details = error.errors()
    places = [detail["loc"] for detail in details]

    def follows(detail: Any) -> bool:
        depth = len(detail["loc"])
        return detail["type"] == "too_short" and any(len(p) > depth and p[:depth] == detail["loc"] for p in places)

    told = [detail for detail in details if not follows(detail)]
    return sorted(told, key=lambda detail: bool(detail["type"] == "missing"))  # often only misspelt


def _message(path: Path, document: Any, detail: Any) -> str:
    location = list(detail["loc"])
    if detail["type"] == "arm":
        location = ["arms", detail["ctx"]["arm"]]
    if detail["type"] == "sweep":
        location = ["sweep", "gaps"]
    line = _line(document, location)
    where = ".".join(str(part) for part in detail["loc"])
    match detail["type"]:
        case "extra_forbidden":
            word, known = location[-1], known_keys(schema(), location)
            text = f"unknown key {_shown(where)}: {advice(word, known, more='docs/scenarios.md has all')}"
        case "missing":
            text = f"{where!r} is missing: add it"
        case "literal_error":
            known = re.findall(r"'([^']+)'", detail["ctx"]["expected"])
            text = f"{where}: {_unknown(detail['input'], known)}"
        case vocabulary.UNKNOWN_WORD:
            text = f"{where}: {_unknown(detail['input'], detail['ctx']['known'])}"
        case "string_type":
            text = f"{where}: {_shown(detail['input'])} is not text: write words, or put it in quotes"
        case "string_pattern_mismatch":
            text = f"{where}: {_shown(detail['input'])} is not a name: use small letters, digits and hyphens"
        case "tuple_type":
            text = f"{where}: {_shown(detail['input'])} is not a list: write [one, or, more]"
        case "model_type" | "dict_type":
            text = f"{where}: {_shown(detail['input'])} is not a mapping: write keys with their values"
        case "too_short":
            text = f"{where}: is empty: give at least one"
        case _:
            message = detail["msg"].removeprefix("Value error, ")
            text = f"{where}: {message}" if where else message
    return f"{path}:{line}: {_one_line(text)}"


def _unknown(word: Any, known: list[str]) -> str:
    likely = meant(word, known)
    hint = f"did you mean `{likely}`?" if likely else f"write one of {', '.join(known)}"
    return f"unknown word {_shown(word)}: {hint}"


def _shown(value: Any) -> str:
    """A value as a message quotes it."""
    if value is None:
        return "nothing"
    try:
        return SHORTENED.repr(value)
    except ValueError:
        return "a number with thousands of digits"


def _one_line(text: object) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST_PROBLEM else f"{line[:LONGEST_PROBLEM]}..."


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
