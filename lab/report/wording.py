"""How every report words a figure, so that the same thing reads the same in each format."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import get_args

from lab.scenario.words import OutcomeClass
from lab.verdict.claims import CLAIMS, GuardProof
from lab.verdict.results import ArmResult, Guard, Results, Run

NOTHING = "–"


def plain(text: object) -> str:
    """Text without control characters and lone surrogates.

    Error texts come from the functions under test. An escape character in one could drive the
    terminal, and XML has no way to write it.
    """
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if (unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t") or char in "\ufffe\uffff"
        else char
        for char in str(text)
    )


def expected(arm: ArmResult) -> str:
    """`reset`, or `eof or epipe`; for a whole run's requests `6 ok + 3 reset`."""
    if arm.tally:
        return _counted(arm.tally)
    return " or ".join(arm.expected) or NOTHING


def observed(arm: ArmResult) -> str:
    """`reset 5/5`, or `reset 3/5, ok 2/5` with the most frequent first."""
    seen: Counter[str] = Counter(dict(arm.observed.items()))
    if arm.tally:
        seen = Counter(_counted(Counter(run.outcomes)) for run in arm.runs)
    counts = sorted(seen.items(), key=lambda item: -item[1])
    return ", ".join(f"{outcome} {count}/{arm.repeats}" for outcome, count in counts) or NOTHING


def _counted(outcomes: Mapping[OutcomeClass, int]) -> str:
    """`6 ok + 3 reset`."""
    return " + ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))


def executions(arm: ArmResult) -> str:
    """Executions of each request in turn, as `1,0`."""
    return ",".join(map(str, arm.executions)) or NOTHING


def added_latency(arm: ArmResult) -> str:
    """Milliseconds that the last request took longer than a control's."""
    if arm.added_latency_ms is None:
        return NOTHING
    # Adding zero turns the -0.0 of a rounded -0.04 into 0.0.
    return f"{round(arm.added_latency_ms, 1) + 0.0:+.1f}"


def connections(arm: ArmResult) -> str:
    return str(arm.connections_opened) if arm.runs else NOTHING


def left_open(arm: ArmResult | Run) -> str:
    """Connections that the client still held open at the end."""
    return NOTHING if arm.left_open is None else str(arm.left_open)


def versions(arm: ArmResult, results: Results) -> str:
    """Everything that ran in an arm: `aiohttp 3.14.5, Python 3.13.5, awslambdaric 4.2.2; ...`."""
    own = list(dict.fromkeys(arm.versions.values()))
    rest = environment(results, but=own)
    return f"{', '.join(own)}; {rest}" if own else rest


def tally(arms: Iterable[ArmResult]) -> str:
    """`16 arms: 15 pass, 1 fail`."""
    counts = Counter(arm.verdict for arm in arms)
    number = counts.total()
    parts = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    return f"{number} arm{'' if number == 1 else 's'}" + (f": {parts}" if parts else "")


def environment(results: Results, *, but: Collection[str] = ()) -> str:
    """One line: sandbox, how gaps passed, Python, kernel, engine and versions, without those in `but`."""
    env = results.environment
    engine = [f"engine {env.engine}"] if env.engine else []
    versions = [f"{name} {version}" for name, version in sorted(env.versions.items())]
    parts = [f"sandbox {results.sandbox}", " ".join(passing(results)), f"Python {env.python}"]
    parts += [f"kernel {env.kernel} {env.machine}", *engine, *versions]
    return ", ".join(part for part in parts if part not in but)


def passing(results: Results) -> tuple[str, str]:
    """How the gaps passed, as a name and a value: `gaps`, `pass in jumps`, or `pace`, `60`, or `speed`, `150`.

    Only an older lab has a speed: it divided every duration.
    """
    if results.pace is None:
        return "gaps", "pass in jumps"
    if results.speed == 1 != results.pace:
        return "pace", f"{results.pace:g}"
    return "speed", f"{results.speed:g}"


def proofs(guard: Guard) -> list[tuple[bool, str]]:
    """What the guard asked for, each with whether it was proven."""
    asked = [(value, CLAIMS[name]) for name in get_args(GuardProof) if isinstance(value := getattr(guard, name), bool)]
    if guard.expected_tcp_state is not None:
        met = guard.client_tcp_state == guard.expected_tcp_state
        seen = guard.client_tcp_state or "not seen"
        asked.append((met, f"the client's socket just before the wake: {seen} (stated: {guard.expected_tcp_state})"))
    return asked
