"""A function whose process ends while it initialises."""

import os
from typing import Any

print("on my way out")
os._exit(7)


def handler(event: Any, context: Any) -> None:
    """Never there."""
