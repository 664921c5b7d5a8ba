"""Pydantic types for words of a registry, looked up when a value is checked and when a schema is written.

So a word that is registered later, by a plugin, is a word of scenario files, of the control API and of the schema.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from reprlib import repr as shown
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from upstream_server import faults, moments

UNKNOWN_WORD = "unknown_word"
"""The type of pydantic's error; its context has `known`, the words there are."""


AS_RUN = "as_run"
"""Key of a validation's context: the text comes from an earlier run, whose lab may have known other words."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """Marks a text as one of the words of a registry."""

    what: str
    """What the words name."""

    words: Callable[[], Sequence[str]]
    recorded: bool = False
    """Whether the text records the past, and so may name something that is not known any more."""

    def check(self, value: object, info: ValidationInfo) -> str:
        """The word itself; raises pydantic's error, with the words there are, for anything else.

        Any word is taken where `recorded` says so, or the context of the validation has `AS_RUN`.
        """
        if isinstance(value, str) and (self.recorded or (info.context or {}).get(AS_RUN)):
            return value
        known = list(self.words())
        if isinstance(value, str) and value in known:
            return value
        problem = {"what": self.what, "word": shown(value), "all": ", ".join(known), "known": known}
        raise PydanticCustomError(UNKNOWN_WORD, "no {what} is called {word}; there are {all}", problem)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"enum": list(self.words()), "type": "string"}


def acts() -> tuple[str, ...]:
    """What a fault can do at a moment of a request."""
    return (*faults.modes(), moments.STALL)


CloseMode = Annotated[str, OneOf("close mode", faults.modes)]
RestartMode = Annotated[str, OneOf("close mode of a process that dies", faults.of_dying_process)]
Act = Annotated[str, OneOf("close mode", acts)]
MomentName = Annotated[str, OneOf("moment", moments.moments)]
