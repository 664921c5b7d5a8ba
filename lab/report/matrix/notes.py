"""What a library's documentation or source says: each client's notes, read and checked."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from lab.errors import UsageError
from lab.functions import DEFINITIONS
from lab.plan.cells import Death, Method
from lab.scenario.words import OutcomeClass

Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Source = Annotated[str, StringConstraints(pattern=r"^https://[^\s()<>]+$")]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stated(Model):
    """A sentence and where it stands."""

    says: Sentence
    source: Source


class Claim(Stated):
    """Something that a cell can confirm or refute."""

    preset: Sentence
    request: Method
    death: Death
    outcome: tuple[OutcomeClass, ...] = Field(min_length=1)


class Notes(Model):
    """One client; docs/functions.md says what each key is."""

    client: Sentence
    library: Sentence
    homepage: Source
    idle: Stated
    checkout: Stated
    clock: Stated
    retries: Stated
    safe: Sentence
    claims: tuple[Claim, ...] = ()
    remarks: tuple[Sentence, ...] = ()


def read_all(files: Iterable[Path] | None = None) -> dict[str, Notes]:
    """Every file, by client; those of the lab's clients if none are given. Raises UsageError with file and line."""
    if files is None:
        files = [defined.notes for defined in DEFINITIONS.values() if defined.notes is not None]
    found: dict[str, Notes] = {}
    for path in files:
        notes = read(path)
        if notes.client in found:
            raise UsageError(f"{path}: a second file for the client {notes.client}: put them together")
        found[notes.client] = notes
    return found


def read(path: Path) -> Notes:
    """One file; raises UsageError with file and line."""
    try:
        document = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except YAMLError as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        raise UsageError(f"{path}:{mark.line + 1 if mark else 1}: this is not YAML: {_first(error)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    try:
        return Notes.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UsageError(f"{path}:{_line(document, first['loc'])}: {where}: {first['msg']}") from None


def _first(error: YAMLError) -> str:
    return str(getattr(error, "problem", None) or error).splitlines()[0]


def _line(document: Any, location: Iterable[int | str]) -> int:
    """The line of the innermost part of the location that the file has."""
    node, line = document, 1
    for part in location:
        if isinstance(node, CommentedMap) and part in node:
            line = node.lc.key(part)[0] + 1
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            line = node.lc.item(part)[0] + 1
        else:
            break
        node = node[part]
    return line
