"""The two ends of a connection, as the kernel that each of them is in has them."""

from dataclasses import dataclass

from lab.journal import Event
from lab.journal.events import EndsBooks, SocketBooks
from upstream_server.sock_diag import ABSENT, Pair, Socket


@dataclass(frozen=True, slots=True)
class Ends:
    """From one look at the kernels; None for an end that its kernel does not have."""

    client: Socket | None
    upstream: Socket | None

    @property
    def states(self) -> tuple[str, str]:
        """Of the client's end and of the upstream's. One in CLOSE is in no kernel's table, even while it is held."""
        client, upstream = (ABSENT if end is None else end.state for end in (self.client, self.upstream))
        return client, upstream

    @property
    def books(self) -> EndsBooks:
        """For the journal: more than the states, as far as the kernels tell."""
        return EndsBooks(client=_books(self.client), upstream=_books(self.upstream))


def _books(end: Socket | None) -> SocketBooks | None:
    return None if end is None else SocketBooks(**end.describe())


def client_pair(opened: Event, host: str, port: int) -> Pair:
    """The addresses of the client's socket, of a connection that was opened to this address of the upstream."""
    ip, _, peer_port = str(opened["peer"]).rpartition(":")
    return Pair(ip.strip("[]"), int(peer_port), host, port)
