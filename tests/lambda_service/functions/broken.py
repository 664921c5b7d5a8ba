"""A function whose module fails."""

from typing import Any

raise RuntimeError("no database in sight")


def handler(event: Any, context: Any) -> None:
    """Never there."""
