"""A client's own folder: `client.toml` says what the lab must know about it, and the rest lies beside that.

    clients/NAME/client.toml     what this module reads
    clients/NAME/presets/        a file each
    clients/NAME/notes.yaml      what its documentation says
    clients/NAME/...             its adapter and its requirement, as the language has them

A new client is just a folder: everything that lists clients reads the folders.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lab.checkout import ROOT
from lab.errors import UsageError
from lab.functions.definition import Definition
from lab.functions.program import Program
from lab.plan.client import COMMON
from lab.scenario.words import Need, Shape

FILE = "client.toml"


class Stated(BaseModel):
    """What a client's folder says of it (docs/functions.md)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    """In scenarios and tables."""
    package: str | None = None
    runtime: int | None = Field(
        default=None, description="The major version of the language's runtime; absent for the usual one."
    )
    shapes: tuple[Shape, ...] = Field(
        default=(), description="The usual one first; empty for the language's usual ones."
    )
    matrix: tuple[str, ...] = ()
    one_preset: bool = False
    wakes: bool = True
    two_writes: bool = False
    probed: bool = False
    may_name_none: bool = False
    contract: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class ClientFolder:
    path: Path
    stated: Stated = field(compare=False)

    @property
    def presets(self) -> Path:
        return self.path / "presets"

    @property
    def notes(self) -> Path | None:
        """None if it has none."""
        file = self.path / "notes.yaml"
        return file if file.exists() else None

    def name(self, version: str | None) -> str:
        """What is made for it is called, in this version of its library or in the locked one."""
        return self.path.name + (f"_{version}" if version else "")

    def __truediv__(self, name: str) -> str:
        """A file of the folder, by its path from the checkout's root."""
        return str((self.path / name).relative_to(ROOT))


def client_folders(parent: Path) -> Iterator[ClientFolder]:
    """Each folder in there that has a client.toml, by name; raises UsageError naming a file that is wrong."""
    for path in sorted(parent.iterdir()):
        if (path / FILE).is_file():
            yield ClientFolder(path, _read(path / FILE))


def define(
    folder: ClientFolder,
    language: str,
    program: Callable[[ClientFolder, str | None], Program],
    arguments: Mapping[Shape, tuple[str, ...]],
    *,
    usual: Iterable[Shape],
    released: Callable[[str], tuple[str, ...]],
    needs: tuple[Need, ...] = (),
) -> Definition:
    """The function that a client's folder describes.

    `program` makes it, in a version of its library or, with None, in the locked one; `arguments` starts it, by app
    shape; `usual` are the shapes of a client that states none; `released` lists the versions of a package.
    """
    stated = folder.stated
    made = Definition(
        client=stated.name,
        language=language,
        program=program(folder, None),
        shapes={shape: arguments[shape] for shape in stated.shapes or usual},
        presets=folder.presets,
        matrix=stated.matrix,
        needs=needs,
        one_preset=stated.one_preset,
        wakes=stated.wakes,
        two_writes=stated.two_writes,
        probed=stated.probed,
        may_name_none=stated.may_name_none,
        notes=folder.notes,
        package=stated.package,
        contract=stated.contract,
    )
    if stated.package is None or "@" in stated.name:
        return made

    def at(version: str) -> Definition:
        other = program(folder, version)
        return replace(made, client=f"{made.client}@{version}", program=other, at=None, notes=None, released=None)

    return replace(made, at=at, released=partial(released, stated.package))


def _read(file: Path) -> Stated:
    try:
        stated = Stated.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{file}: cannot be read: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UsageError(f"{file}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    presets = {path.stem for path in (file.parent / "presets").glob("*.*")}
    if lacking := [name for name in dict.fromkeys((*COMMON, *stated.matrix)) if name not in presets]:
        raise UsageError(f"{file}: there is no preset {', '.join(lacking)} in {file.parent / 'presets'}")
    return stated
