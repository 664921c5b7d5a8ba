"""Functions in Python: in the lab's own environment, or in one of their own for a library's other version."""

import sys
from dataclasses import dataclass

from lab.programs.base import Built


@dataclass(frozen=True, slots=True)
class Python:
    """The interpreter that has the client library and AWS's runtime client."""

    image: str = "thawlab-function-python"

    @property
    def in_image(self) -> Built:
        return Built(("python",))

    def here(self) -> Built:
        return Built((sys.executable,))
