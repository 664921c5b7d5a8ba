"""What came of a lie: what the lab says honestly, what it says with the lie, and whether that holds."""

from dataclasses import dataclass

from tests.sabotage.lie import Lie

GREEN = ("pass", "measured")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the lab says of a place."""

    verdict: str
    proofs: tuple[str, ...]
    """Those that are missing."""
    why: str

    @property
    def believed(self) -> bool:
        return self.verdict in GREEN

    def names(self, word: str) -> bool:
        """Whether it says what gave the lie away."""
        return word in self.proofs or word in self.why


@dataclass(frozen=True, slots=True)
class Row:
    """One lie and what became of it."""

    lie: Lie
    honest: Seen
    lied: Seen
    told: bool = True
    """Whether what the lab was to be told was untrue in the end."""

    @property
    def state(self) -> str:
        if self.honest.verdict == "skipped":
            return "skipped"
        if not self.honest.believed:
            return "TRUTH NOT BELIEVED"
        if self.lied.believed and not self.lie.only_said:
            return "STILL GREEN" if self.told else "CAME TRUE"
        return (
            "ok" if self.lied.names(self.lie.expected) and not self.honest.names(self.lie.expected) else "OTHER PROOF"
        )

    @property
    def holds(self) -> bool:
        return self.state in ("ok", "skipped")
