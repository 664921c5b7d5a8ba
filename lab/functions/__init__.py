"""The functions under test: one file a language, found here. `docs/functions.md` is their contract."""

import hashlib
import importlib
import pkgutil
import re
from collections.abc import Iterable
from pathlib import Path
from reprlib import repr as shown

from lab.errors import UsageError
from lab.functions.definition import Definition
from lab.functions.language import DEFINITIONS as DEFINITIONS
from lab.scenario.parts import Function
from lab.scenario.words import Shape
from lab.spelling import advice

PAGE = "docs/clients.md has all"


VERSION = re.compile(r"[0-9]+(\.[0-9]+)*((a|b|rc|-[a-z]+\.?)[0-9]+)?")


def definition(client: str) -> Definition:
    """The function for a client library, or for a version of it, such as `aiohttp@3.14.1` or `aiohttp@3.14`.

    Raises UsageError naming those there are.
    """
    if client in DEFINITIONS:
        return DEFINITIONS[client]
    library, _, version = client.partition("@")
    if version and library in DEFINITIONS:
        return _at(DEFINITIONS[library], version)
    known = advice(client, DEFINITIONS, more=PAGE)
    raise UsageError(f"there is no function for the client {shown(client)}: {known}")


def _at(defined: Definition, version: str) -> Definition:
    """The function with another version of its library; raises UsageError if it has none."""
    if defined.at is None:
        raise UsageError(f"{defined.client} comes with its language's runtime: it is not to be had in other versions")
    if not VERSION.fullmatch(version):
        raise UsageError(f"{shown(version)} is not a version of {defined.client}: give one such as 3.14.1 or 3.14")
    return defined.at(version)


def preset_sha256(function: Function) -> str | None:
    """The SHA-256 of the preset's file in this checkout, to compare with what the function says it loaded.

    None if there is no such file.
    """
    try:
        source = definition(function.client).preset_path(function.preset).read_bytes()
    except (UsageError, OSError):
        return None
    return hashlib.sha256(source).hexdigest()


def preset_files(functions: Iterable[Function]) -> dict[tuple[str, str], Path]:
    """The file of each function's preset in this checkout, by the client's name and the preset's.

    Raises UsageError for a client or a preset that does not exist.
    """
    names = {(function.client, function.preset) for function in functions}
    return {(client, preset): definition(client).preset_path(preset) for client, preset in sorted(names)}


def shape_of(function: Function) -> Shape:
    """Its app shape: the stated one, else its client's usual one."""
    return function.shape or definition(function.client).usual_shape


def discover() -> None:
    """Import every module of this room, so that the languages among them register themselves."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")


discover()
