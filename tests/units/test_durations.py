"""What is written as a duration is read as that duration."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.units import LONGEST, format_duration, parse_duration

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
DIGITS = 1e-5
"""A duration is written with six digits at most."""


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A duration as a scenario file may have it: at most three digits behind the point."""
    unit = draw(st.sampled_from(list(UNITS)))
    number = draw(st.decimals(min_value="0.001", max_value=int(LONGEST / UNITS[unit]), places=draw(st.integers(0, 3))))
    return f"{number if number else 1}{unit}"


@given(texts())
def test_what_is_written_is_read_again(text: str) -> None:
    seconds = parse_duration(text)
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, rel=DIGITS)


@given(st.integers(1, int(LONGEST)))
def test_whole_seconds_up_to_six_digits_are_exact(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.integers(1, 999))
def test_whole_milliseconds_are_exact(milliseconds: int) -> None:
    assert format_duration(milliseconds / 1000) == f"{milliseconds}ms"


@given(st.text())
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?(ms|s|m|h)", text, flags=re.A):
        return
    with pytest.raises(ValueError, match="250ms"):
        parse_duration(text)
