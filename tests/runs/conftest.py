"""The finished runs that the reports are tried on."""

from tests.report.conftest import passed, story, troubled

__all__ = ["passed", "story", "troubled"]
