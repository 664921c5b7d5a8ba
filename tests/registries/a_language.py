"""A language that the lab does not have, as somebody who uses it would write it: nothing else is touched.

Perl, which comes with an HTTP client, HTTP::Tiny. AWS has no runtime client for it: `perl/bootstrap.pl` is one.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from lab.functions.definition import Definition
from lab.functions.language import Language, Toolchain, register
from lab.functions.program import Built, Image
from lab.plan.client import COMMON

HERE = Path(__file__).parent / "perl"
NOWHERE = Image("none", "none")
"""It runs in process sandboxes only."""


@dataclass(frozen=True, slots=True)
class Perl:
    """A script: nothing is built."""

    image: Image = NOWHERE

    @property
    def in_image(self) -> Built:
        raise NotImplementedError

    def here(self) -> Built:
        return Built(("perl", str(HERE / "bootstrap.pl")))


HTTP_TINY = Definition(
    client="http-tiny",
    language="perl",
    program=Perl(),
    shapes={"sync": ()},
    presets=HERE / "presets",
    matrix=COMMON,
    needs=("perl",),
    two_writes=True,
)

register(
    Language(
        "perl",
        {".pl": "perl"},
        (HTTP_TINY,),
        Toolchain("Perl", ("perl",), found="its functions run here", without="its functions are skipped"),
        uncaught=re.compile(r"(?P<error>.+) at (?P<file>\S+) line (?P<line>\d+)\."),
    )
)
