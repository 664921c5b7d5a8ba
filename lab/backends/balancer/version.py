"""Which version a balancer is, in its own words."""

import re

from lab.scenario.words import BalancerServer

_VERSION = re.compile(r"(?:nginx/|HA-?Proxy version )(\S+)")


def command(server: BalancerServer) -> list[str]:
    """What asks the installed balancer."""
    return [server, "-v"]


def version_of(said: bytes) -> str | None:
    """The version in what it printed; None where there is none."""
    found = _VERSION.search(said.decode(errors="replace"))
    return found[1] if found else None
