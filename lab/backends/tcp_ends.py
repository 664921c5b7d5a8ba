"""The two ends of a connection, as the kernel that each of them is in has them."""

from dataclasses import dataclass
from typing import Any

from lab.journal import Event
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

    def describe(self) -> dict[str, Any]:
        """For the journal: more than the states, as far as the kernels tell."""
        return {
            "client": self.client and self.client.describe(),
            "upstream": self.upstream and self.upstream.describe(),
        }


def client_pair(opened: Event, host: str, port: int) -> Pair:
    """The addresses of the client's socket, of a connection that was opened to this address of the upstream."""
    ip, _, peer_port = str(opened["peer"]).rpartition(":")
    return Pair(ip.strip("[]"), int(peer_port), host, port)
