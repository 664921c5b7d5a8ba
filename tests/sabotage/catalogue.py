"""Imports every kind, so that all lies are known."""

from tests.sabotage.lie import LIES, in_sandbox
from tests.sabotage.lies import axes, cause, containers, freeze, journal, jumps, margin, moment, regression, success

__all__ = [
    "LIES",
    "axes",
    "cause",
    "containers",
    "freeze",
    "in_sandbox",
    "journal",
    "jumps",
    "margin",
    "moment",
    "regression",
    "success",
]
