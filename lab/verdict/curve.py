"""Compares a curve's shape with the stated one, and puts the curve into words. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Literal

from lab.scenario.words import Rate
from lab.units import format_duration
from lab.verdict.results import SweepPoint

LETTERS: dict[Rate, str] = {"never": "n", "sometimes": "s", "always": "a"}
PARTS: dict[Rate, str] = {"never": "n+", "sometimes": "[nsa]*[sa][nsa]*", "always": "a+"}
"""A pattern for each word of a shape. Within `sometimes`, chance may make no or every request of one gap fail."""
CHANCE = "[nsa]*"
"""What may lie between `never` and `always`: there either side may win the race."""


Z = 1.96
"""Standard deviations of a 95% interval."""


def wilson(failed: int, total: int) -> tuple[float, float]:
    """The 95% interval of a rate after Wilson (1927), which holds for few samples and for rates of 0 and 1 too.

    Without any sample it is 0 to 1.
    """
    if not total:
        return 0.0, 1.0
    rate, z2 = failed / total, Z * Z
    middle = (rate + z2 / (2 * total)) / (1 + z2 / total)
    half = Z / (1 + z2 / total) * sqrt(rate * (1 - rate) / total + z2 / (4 * total * total))
    return max(middle - half, 0.0), min(middle + half, 1.0)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a curve does not pass."""

    verdict: Literal["fail", "inconclusive"]
    why: str


def rate_of(point: SweepPoint) -> Rate:
    """The word for one gap."""
    return "never" if not point.failed else "always" if point.failed == point.samples else "sometimes"


def has_shape(shape: Sequence[Rate], points: Sequence[SweepPoint]) -> bool:
    """Whether the gaps, from the shortest to the longest, are as the shape says."""
    pattern = PARTS[shape[0]]
    for before, word in pairwise(shape):
        pattern += ("" if "sometimes" in (before, word) else CHANCE) + PARTS[word]
    return re.fullmatch(pattern, "".join(LETTERS[rate_of(point)] for point in points)) is not None


def doubt(shape: Sequence[Rate], points: Sequence[SweepPoint]) -> Doubt | None:
    """What is wrong with the curve; None if it has its shape.

    Chance plays no part at the ends of a curve, so a wrong end is a `fail`. The middle may just have been missed.
    """
    if has_shape(shape, points):
        return None
    stated = "-".join(shape)
    for word, point in ((shape[0], points[0]), (shape[-1], points[-1])):
        if word != "sometimes" and rate_of(point) != word:
            gap = format_duration(point.gap)
            return Doubt("fail", f"The curve must be {stated}, but after {gap} requests {rate_of(point)} fail.")
    return Doubt(
        "inconclusive",
        f"The curve must be {stated}. Its ends are so, but what lies between is not: give more samples or gaps.",
    )


def describe(points: Sequence[SweepPoint], real: float) -> str:
    """The curve in words; `real` is how many real seconds a lab second takes."""
    rates = [rate_of(point) for point in points]
    changes = [index for index, (rate, following) in enumerate(pairwise(rates), start=1) if rate != following]
    if not changes:
        return f"{_capital(_part(points))}."
    first, last = changes[0], changes[-1]
    parts = [part for part in (points[:first], points[first:last], points[last:]) if part]
    wide = (points[last].gap - points[first - 1].gap) * real * 1000
    told = _capital(", ".join(map(_part, parts)))
    return (
        f"{told}. What lies between is chance, {wide:.0f} ms of real time wide on this machine: "
        "a client's limit needs more margin than that, and a network's delay on top."
    )


def _part(stretch: Sequence[SweepPoint]) -> str:
    """`from 2s to 4.8s none of 64 requests failed (95% interval 0 to 6%)`."""
    failed, total = sum(point.failed for point in stretch), sum(point.samples for point in stretch)
    first, last = format_duration(stretch[0].gap), format_duration(stretch[-1].gap)
    where = f"after {first}" if first == last else f"from {first} to {last}"
    if not failed:
        return f"{where} none of {total} requests failed (95% interval 0 to {wilson(0, total)[1]:.0%})"
    return f"{where} all of {total} did" if failed == total else f"{where} {failed} of {total} did"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
