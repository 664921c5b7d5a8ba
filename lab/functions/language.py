"""The languages of functions: one file beside this one a language, which registers a `Language` when it is imported.

Everything that depends on the language is found here: the list of clients, the choices of `--language`, the toolchains
that a machine may lack, `thawlab doctor`, the code blocks of pages.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.plan import needs

if TYPE_CHECKING:
    from lab.functions.definition import Definition


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What a machine must have to build or run functions of a language in process sandboxes."""

    title: str
    """For people: `needs TITLE`."""
    programs: tuple[str, ...]
    """All of them are looked for on PATH."""
    found: str = "its functions are built here, once"
    """What it means for `thawlab doctor` that they are there."""
    without: str = "its functions run only in containers, which have all they need"
    """What it means that they are not."""


@dataclass(frozen=True, slots=True)
class Language:
    """Everything that the lab knows of a language."""

    name: str
    """In `--language`; also the name of its toolchain in `Definition.needs`."""
    suffixes: Mapping[str, str]
    """Suffixes of its presets' files, each with the word for a fenced code block on a page."""
    definitions: "tuple[Definition, ...]"
    """Its functions, in the order of tables."""
    toolchain: Toolchain | None = None
    """None if it needs nothing that the lab itself does not need."""
    uncaught: re.Pattern[str] | None = None
    """A line with which its runtime ends at an error that nobody caught, with the groups `error`, `file` and `line`;
    None if `lab/lambda_service/error_line.py` reads its stacks."""
    place: int = 100
    """Where it comes in tables: lower first, then by name."""


_LANGUAGES: dict[str, Language] = {}
DEFINITIONS: "dict[str, Definition]" = {}
"""All functions by the client's name, in the order of tables."""


def register(language: Language) -> Language:
    """Make a language and its functions known; raises ValueError if a name is taken, or if nobody knows a need."""
    if language.name in _LANGUAGES:
        raise ValueError(f"two languages are called {language.name!r}")
    for defined in language.definitions:
        if defined.client in DEFINITIONS:
            raise ValueError(f"two functions are called {defined.client!r}")
        if defined.language != language.name:
            raise ValueError(f"the function {defined.client!r} is in {defined.language!r}, not in {language.name!r}")
    if language.toolchain is not None:
        needs.register(language.name, language.toolchain.title)
    for defined in language.definitions:
        if unknown := set(defined.needs) - set(needs.LABELS):
            raise ValueError(f"the function {defined.client!r} needs {min(unknown)!r}, which nothing looks for")
    _LANGUAGES[language.name] = language
    ordered = {defined.client: defined for known in languages() for defined in known.definitions}
    DEFINITIONS.clear()
    DEFINITIONS.update(ordered)
    return language


def languages() -> tuple[Language, ...]:
    """All languages, in the order of tables."""
    return tuple(sorted(_LANGUAGES.values(), key=lambda language: (language.place, language.name)))


def names() -> tuple[str, ...]:
    """What all languages are called."""
    return tuple(language.name for language in languages())


def language(name: str) -> Language:
    """The language of a name; raises KeyError."""
    return _LANGUAGES[name]
