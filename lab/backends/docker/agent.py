"""Runs in the side container: does to the sandbox's network what it is told, and asks its kernel.

It reads one command a line, and answers with lines of which the last is `ok` or `failed`.

    allow ADDRESS PORT   the only places that this network may talk to, each way
    cut ADDRESS PORT     drop everything to and from this server
    lift ADDRESS PORT    let it pass again
    name NAME ADDRESS    let a name stand for this address, and no longer for another one
    clock JSON           make the sandbox's clock page, with its `wake` and `kernel_speed`
    move MONO WALL       let its clocks jump on by so many seconds
    page                 what the page says, as JSON: `wake`, `mono` and `wall`: seconds that its clocks are ahead,
                         `attached` processes, `followed`: whether their waits know it, and `left`: seconds until the
                         first of them is over by itself
    sockets JSON         what the kernel has of these sockets (a list of `Pair`), as JSON

Standard library only, and little of it: this process is started with every sandbox.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from lab.backends.clock_page import ClockPage
from upstream_server.sock_diag import Pair, find, to_plain

PAGE = Path("/dev/shm/thawlab-clock")
"""In the shared memory of the sandbox, which is this container's."""
pages: list[ClockPage] = []
"""The one page, once it was made."""

HOSTS = Path("/etc/hosts")
ENGINES_NAMES = "127.0.0.11"
"""Where the engine answers names inside this network, and passes on to the outside what it does not know."""


def main() -> None:
    """Close the network; then one command after the other, until nobody is left to give one."""
    _answer(_only())
    for line in sys.stdin:
        verb, _, about = line.strip().partition(" ")
        try:
            _answer(COMMANDS[verb](about))
        except (LookupError, ValueError, TypeError, OSError) as error:
            print(f"{verb}: {type(error).__name__}: {error}", file=sys.stderr)
            _answer(done=False)


def _answer(done: bool) -> None:
    print("ok" if done else "failed", flush=True)


def _only() -> bool:
    """Nothing goes in or out but what is allowed later."""
    families = ["iptables", *(["ip6tables"] if Path("/proc/net/if_inet6").exists() else [])]
    closed = all(_run(family, "-P", chain, "DROP") for family in families for chain in ("INPUT", "OUTPUT", "FORWARD"))
    return (
        closed
        and _run("iptables", "-A", "OUTPUT", "-d", ENGINES_NAMES, "-j", "DROP")
        and _run("iptables", "-A", "INPUT", "-i", "lo", "-j", "ACCEPT")
        and _run("iptables", "-A", "OUTPUT", "-o", "lo", "-j", "ACCEPT")
    )


def _both_ways(action: str, target: str) -> Callable[[str], bool]:
    """A rule for what goes to a server, and one for what comes from it."""

    def change(about: str) -> bool:
        address, port = about.split()
        to = _run("iptables", action, "OUTPUT", "-d", address, "-p", "tcp", "--dport", port, "-j", target)
        return to and _run("iptables", action, "INPUT", "-s", address, "-p", "tcp", "--sport", port, "-j", target)

    return change


def _run(*command: str) -> bool:
    return os.spawnvp(os.P_WAIT, command[0], command) == 0


def _name(about: str) -> bool:
    name, address = about.split()
    others = [line for line in HOSTS.read_text().splitlines() if line.split()[1:] != [name]]
    HOSTS.write_text("\n".join([*others, f"{address} {name}", ""]))  # in place: the engine mounts this very file
    return True


def _sockets(about: str) -> bool:
    print(json.dumps(to_plain(find([Pair(*pair) for pair in json.loads(about)]))))
    return True


def _clock(about: str) -> bool:
    asked = json.loads(about)
    page = ClockPage.create(PAGE)
    page.wake, page.kernel_speed = asked["wake"], asked["kernel_speed"]
    pages.append(page)
    return True


def _move(about: str) -> bool:
    mono, wall = map(float, about.split())
    pages[0].move(mono=mono, wall=wall)
    return True


def _page(about: str) -> bool:
    page = pages[0]
    said = {
        "wake": page.wake,
        "mono": page.mono,
        "wall": page.wall,
        "attached": page.read().attached,
        "followed": page.followed,
        "left": page.left(),
    }
    print(json.dumps(said))
    return True


COMMANDS: dict[str, Callable[[str], bool]] = {
    "allow": _both_ways("-A", "ACCEPT"),
    "cut": _both_ways("-I", "DROP"),
    "lift": _both_ways("-D", "DROP"),
    "clock": _clock,
    "move": _move,
    "page": _page,
    "name": _name,
    "sockets": _sockets,
}

if __name__ == "__main__":
    main()
