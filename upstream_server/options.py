"""Types of options on the command line: durations, and words of a registry."""

from collections.abc import Callable, Sequence

import click

from upstream_server.durations import seconds_of


class IdleTimeout(click.ParamType[float | None]):
    """Seconds of `250ms`, `5s`, `6m` or `1h`; None for `never`."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        if value == "never":
            return None
        seconds = seconds_of(str(value))
        if not seconds:
            self.fail(f"{value!r} is not a duration above zero: write 250ms, 5s, 6m, 1h or never", param, ctx)
        return seconds


class Registered(click.Choice[str]):
    """One of the words of a registry, which is asked when the option is read: plugins are loaded by then."""

    def __init__(self, words: Callable[[], Sequence[str]]) -> None:
        super().__init__(())
        self._words = words

    @property
    def choices(self) -> tuple[str, ...]:  # click reads it, and sets it once
        return tuple(self._words())

    @choices.setter
    def choices(self, _: Sequence[str]) -> None:
        pass
