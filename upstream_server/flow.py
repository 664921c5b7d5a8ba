"""The two ends of a TCP connection, and what the kernel's table says about the client's end."""

import asyncio
import ipaddress
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

_STATES = [
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
    "NEW_SYN_RECV",
]


@dataclass(frozen=True, slots=True)
class Flow:
    """One connection's addresses, as the upstream sees them."""

    peer_ip: str
    peer_port: int
    local_ip: str
    local_port: int

    @classmethod
    def of(cls, transport: asyncio.Transport) -> Self:
        peer, local = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        return cls(_plain(peer[0]), peer[1], _plain(local[0]), local[1])

    @property
    def peer(self) -> str:
        return f"[{self.peer_ip}]:{self.peer_port}" if ":" in self.peer_ip else f"{self.peer_ip}:{self.peer_port}"

    def __str__(self) -> str:
        return self.peer


@dataclass(frozen=True, slots=True)
class ClientEnd:
    """The client's socket in the kernel's table."""

    state: str
    unacknowledged: int
    """Bytes sent and not acknowledged; a FIN counts as one."""


def tcp_table(version: Literal[4, 6] = 4) -> str:
    """The kernel's table of TCP sockets in this process's network namespace."""
    return Path("/proc/net/tcp6" if version == 6 else "/proc/net/tcp").read_text(encoding="ascii")


def client_end(flow: Flow) -> ClientEnd | None:
    """The client's end of a flow, from /proc/net/tcp; None where this kernel has no such socket.

    A client in another container or on another machine is never found. Neither is one that is CLOSE.
    """
    wanted = [_row_address(flow.peer_ip, flow.peer_port), _row_address(flow.local_ip, flow.local_port)]
    for line in tcp_table(6 if ":" in flow.peer_ip else 4).splitlines()[1:]:
        fields = line.split()
        if fields[1:3] == wanted:
            return ClientEnd(_STATES[int(fields[3], 16) - 1], int(fields[4].partition(":")[0], 16))
    return None


def _plain(address: str) -> str:
    """An address without its zone, in its shortest form."""
    return str(ipaddress.ip_address(address.partition("%")[0]))


def _row_address(ip: str, port: int) -> str:
    """An address as the kernel's table writes it: words of 32 bits in the machine's byte order, in hex."""
    packed = ipaddress.ip_address(ip).packed
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"
