"""How a page says that a value is a race's: a star and a letter behind it, and the letter's reason once a page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Self

from lab.verdict.matrix import CellResult

MEANS = "two runs may differ"


@dataclass(frozen=True, slots=True)
class Marks:
    """The letter of each reason on one page."""

    letters: Mapping[str, str]

    @classmethod
    def of(cls, cells: Iterable[CellResult]) -> Self:
        """Letters in the order in which the cells name the reasons."""
        reasons = dict.fromkeys(cell.race for cell in cells if cell.race and cell.status == "measured")
        return cls({reason: _letter(number) for number, reason in enumerate(reasons)})

    def mark(self, cell: CellResult) -> str:
        """`*a` if two runs may differ; nothing if the value must come out again, or if there is none."""
        return f"*{self.letters[cell.race]}" if cell.race and cell.status == "measured" else ""

    @property
    def footnotes(self) -> list[tuple[str, str]]:
        """Each mark with what it means."""
        return [(f"*{letter}", reason) for reason, letter in self.letters.items()]


def _letter(number: int) -> str:
    """a, b ... z, aa, ab ..."""
    tens, ones = divmod(number, len(ascii_lowercase))
    return (_letter(tens - 1) if tens else "") + ascii_lowercase[ones]
