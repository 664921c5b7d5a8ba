"""The two ends of a TCP connection, and what the kernel says about the client's end."""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from typing import Any, Self

from upstream_server.sock_diag import Pair, Socket, find


@dataclass(frozen=True, slots=True)
class Flow:
    """One connection's addresses, as the upstream sees them."""

    peer_ip: str
    peer_port: int
    local_ip: str
    local_port: int

    @classmethod
    def of(cls, transport: asyncio.Transport) -> Self:
        return cls._between(transport.get_extra_info("peername"), transport.get_extra_info("sockname"))

    @classmethod
    def of_socket(cls, sock: socket.socket) -> Self:
        """The flow of a connected socket; raises OSError if it is not connected."""
        return cls._between(sock.getpeername(), sock.getsockname())

    @classmethod
    def _between(cls, peer: tuple[Any, ...], local: tuple[Any, ...]) -> Self:
        return cls(_plain(peer[0]), peer[1], _plain(local[0]), local[1])

    @property
    def of_client(self) -> Pair:
        """The addresses of the client's socket."""
        return Pair(self.peer_ip, self.peer_port, self.local_ip, self.local_port)

    @property
    def peer(self) -> str:
        return f"[{self.peer_ip}]:{self.peer_port}" if ":" in self.peer_ip else f"{self.peer_ip}:{self.peer_port}"

    def __str__(self) -> str:
        return self.peer


def client_end(flow: Flow) -> Socket | None:
    """The client's end of a flow, as the kernel has it; None if this kernel has no such socket.

    A client in another container or on another machine is never found. Neither is one that is CLOSE.
    """
    return find([flow.of_client])[0]


def _plain(address: str) -> str:
    """An address without its zone, in its shortest form."""
    return str(ipaddress.ip_address(address.partition("%")[0]))
