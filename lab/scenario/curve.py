"""The shape of a sweep's curve: how often requests fail as the idle gap grows."""

from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from lab.scenario.words import Rate


def _split(value: object) -> object:
    """`never-sometimes-never` is short for a list."""
    return value.split("-") if isinstance(value, str) else value


def _changes(shape: tuple[Rate, ...]) -> tuple[Rate, ...]:
    if any(word == following for word, following in pairwise(shape)):
        raise ValueError(f"{'-'.join(shape)} says a word twice in a row: write it once")
    return shape


Words = Annotated[tuple[Rate, ...], Field(min_length=1, max_length=7)]
Short = Annotated[str, Field(pattern="^(never|sometimes|always)(-(never|sometimes|always))*$")]
CurveShape = Annotated[Words, BeforeValidator(_split, json_schema_input_type=Words | Short), AfterValidator(_changes)]
"""A pydantic field that reads `never-always` and holds ("never", "always")."""
