"""Which golden runs there are: a few arms of each kind, none of a whole catalogue."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Recording:
    """One run of the lab, as its command line has it."""

    name: str
    scenarios: tuple[str, ...]
    """Names, or files by their path in the repository."""
    arms: tuple[str, ...] = ()
    """None: all of them."""
    sandbox: Literal["process", "docker"] = "process"
    repeat: int = 1
    killed: bool = False
    """The lab is killed when its first arm has ended."""
    status: tuple[int, ...] = (0,)
    """How the command may end."""


def story(name: str) -> str:
    """A scenario that only the golden runs need."""
    return f"tests/golden/stories/{name}.yaml"


def recording(name: str, scenarios: str, arms: str = "", **options: object) -> Recording:
    """Names and arms as words in a line."""
    return Recording(name, tuple(scenarios.split()), tuple(arms.split()), **options)  # type: ignore[arg-type]


DIVIDED = {
    made.name: made
    for made in (
        recording(
            "roles",
            "seed-reset",
            "frozen-below never-frozen get idle-timeout close-after retry-fresh look-first",
        ),
        recording("repeats", "seed-reset", "frozen-below retry-fresh", repeat=5),
        recording("close-modes", "lab/tools/fidelity/close-modes.yaml"),
        recording("moments", story("moments"), status=(3,)),
        recording("sweep", story("curve")),
        recording("tls", "tls-stale", "rst-arrived get idle-timeout"),
        recording("deploy", "deploy-while-frozen", "fin-arrived no-deploy retry-fresh"),
        recording("moved", "blue-green", "not-moved max-age idle-timeout", sandbox="docker"),
        recording("drain", "drain-unheard", "drain-only heard retry-fresh"),
        recording("bursts", "burst-then-quiet", "one-sandbox retry-fresh"),
        recording("recycled", "container-reuse", "reused recycled"),
        recording("events", "async-event", "executed-twice idle-timeout key-per-try"),
        recording("crash", "crash-at-thaw", "below guarded"),
        recording("background", "background-flush", "never-frozen flush-first"),
        recording("gateway", "gateway-probes", "probes tcp-keepalive"),
        recording("age", "max-age", "younger max-age idle-timeout"),
        recording("stalled", "stalled-clock", "clock-runs wall-clock"),
        recording("docker", "seed-reset", "frozen-below idle-timeout retry-fresh look-first", sandbox="docker"),
        recording("docker-close-modes", "lab/tools/fidelity/close-modes.yaml", sandbox="docker"),
        recording("balancer", "load-balancer-502", "haproxy healthy longer-behind", sandbox="docker"),
        recording("trouble", story("trouble"), status=(1,)),
        recording("unfinished", "seed-reset", "frozen-below idle-timeout", killed=True),
        recording("two-scenarios", "never-frozen rst-while-frozen", "bug"),
    )
}
"""Runs of the lab that divided every duration by a speed; never recorded again, so that their journals stay read."""

JUMPED = {
    made.name: made
    for made in (
        recording("jumps", "seed-reset", "frozen-below never-frozen idle-timeout retry-fresh"),
        recording("jumps-age", "max-age", "younger max-age idle-timeout"),
        recording("jumps-stalled", "stalled-clock", "clock-runs wall-clock"),
    )
}
"""Runs in which the clocks jump, recorded by `make golden`."""

RUNS = {**DIVIDED, **JUMPED}

OLD = ("from-0.1",)
"""Kept as version 0.1 wrote it; never recorded again."""

MATRICES = {
    "matrix": (
        "http.client/sync/seed/none/delivered/POST/1/plain/event-first/interrupted",
        "http.client/sync/seed/fin/delivered/POST/1/plain/event-first/interrupted",
        "http.client/sync/seed/rst/delivered/GET/1/plain/event-first/interrupted",
        "aiohttp/sync/seed/vanish/delivered/POST/1/plain/event-first/interrupted",
        "aiohttp/sync/seed/vanish/delivered/POST/3/plain/event-first/interrupted",
        "aiohttp/sync/sane/vanish/delivered/POST/1/plain/event-first/interrupted",
        "aiohttp/loop/seed/vanish/delivered/POST/1/tls/event-first/interrupted",
        "requests/sync/seed/executed-fin/delivered/POST/1/plain/event-first/interrupted",
        "requests/sync/seed/vanish/delivered/POST+body/1/plain/event-first/interrupted",
    ),
}
"""Cells of each golden matrix, which divided durations too."""
