"""One experiment: all that a runner and a backend must know to carry it out."""

from dataclasses import dataclass

from lab.journal import Scope
from lab.scenario.setting import Setting


@dataclass(frozen=True, slots=True)
class Experiment:
    """One upstream, one function, one timeline, carried out once."""

    scope: Scope
    setting: Setting
    speed: float
    """Lab seconds in a real second."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.scope}: {', '.join(map(str, self.setting.timeline))}>"
