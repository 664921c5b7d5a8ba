"""Durations on the command line: a number with a unit, or `never`."""

import re

import click

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class IdleTimeout(click.ParamType[float | None]):
    """Seconds of `250ms`, `5s`, `6m` or `1h`; None for `never`."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        if value == "never":
            return None
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", str(value))
        seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
        if seconds <= 0:
            self.fail(f"{value!r} is no duration above zero: write 250ms, 5s, 6m, 1h or never", param, ctx)
        return seconds
