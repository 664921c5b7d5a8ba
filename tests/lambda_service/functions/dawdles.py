"""A function that never gets through its initialisation."""

import time
from typing import Any

time.sleep(600)


def handler(event: Any, context: Any) -> None:
    """Never there."""
