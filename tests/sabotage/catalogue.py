"""Imports every kind, so that all lies are known."""

from tests.sabotage.lie import LIES
from tests.sabotage.lies import axes, cause, containers, freeze, journal, moment, regression, success

__all__ = ["LIES", "axes", "cause", "containers", "freeze", "journal", "moment", "regression", "success"]
