"""`thawlab clean`: what labs that are gone have left on this machine."""

from collections.abc import Iterator

from lab.proc import lab_lives, marked, sweep


def remove_leftovers() -> Iterator[str]:
    """Remove it, and say what was found; what belongs to a lab that still runs is left alone."""
    dead = {mark for mark in marked().values() if not lab_lives(mark)}
    count = sum(sweep(mark) for mark in dead)
    yield f"processes: {count} killed" if count else "processes: nothing was left"
