"""Tells every lie to the lab and prints what came of it."""

import argparse
import asyncio
import sys
import time
from difflib import get_close_matches

from tests.run import moments
from tests.sabotage.catalogue import in_sandbox
from tests.sabotage.row import Row
from tests.sabotage.runner import DEFAULT_JOBS, tell_all
from tests.sabotage.table import HEAD, RULE, lines_of, summary


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sabotage", description=__doc__)
    parser.add_argument("--short", action="store_true", help="about one lie of each kind")
    parser.add_argument("--only", metavar="NAME", action="append", help="lies whose name contains this")
    parser.add_argument("--kind", help="lies of one kind")
    parser.add_argument("--sandbox", choices=("process", "docker"), default="process")
    parser.add_argument("--jobs", type=int, default=DEFAULT_JOBS, help="lab runs side by side")
    options = parser.parse_args()
    known = in_sandbox(options.sandbox)
    lies = [
        lie
        for lie in known
        if (lie.short or not options.short)
        and (not options.only or any(part in lie.name for part in options.only))
        and options.kind in (None, lie.kind)
    ]
    if not lies:
        close = get_close_matches((options.only or [""])[0], [lie.name for lie in known], n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else "tests/sabotage/lies/ has their names"
        parser.error(f"no lie matches these options: {hint}")
    print(HEAD, RULE, sep="\n", flush=True)
    began = time.monotonic()

    def said(row: Row) -> None:
        print(*lines_of(row), sep="\n", flush=True)

    rows = asyncio.run(tell_all(lies, jobs=options.jobs, said=said))
    print(RULE, summary(rows, time.monotonic() - began), sep="\n", flush=True)
    holds = all(row.holds for row in rows)
    if lies == known and options.sandbox == "process":
        print("\nmoments of death, many times, under two busy loops a core:", flush=True)
        holds &= moments.check_all()
    return 0 if holds else 1


sys.exit(main())
