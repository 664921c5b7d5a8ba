"""The tap: what clients send to connections that the upstream has already closed.

After the descriptor is closed the process sees nothing of a connection, yet the proof that a client reused
a stale connection must come from the upstream's side. So a packet socket (CAP_NET_RAW) watches what comes
in for a listener's port. It sees packets before any firewall rule of this machine's input does.
"""

import asyncio
import ipaddress
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from upstream_server import bpf
from upstream_server.connection import Connection
from upstream_server.flow import Flow

_ETHERTYPE = {socket.AF_INET: 0x0800, socket.AF_INET6: 0x86DD}
_SOL_PACKET, _PACKET_STATISTICS = 263, 6
_FIN, _SYN, _RST = 0x01, 0x02, 0x04


@dataclass(frozen=True, slots=True)
class Segment:
    """The parts of a client's TCP packet that matter here."""

    flow: Flow
    sequence: int
    """The number of its first byte, modulo 2^32."""

    payload: int
    flags: int

    @classmethod
    def parse(cls, packet: bytes) -> Self:
        """Read an IPv4 or IPv6 packet from its IP header on; the filter let only whole headers of TCP through."""
        if packet[0] >> 4 == 4:
            start = (packet[0] & 0x0F) * 4
            length = int.from_bytes(packet[2:4]) - start
            source, target = packet[12:16], packet[16:20]
        else:
            start = 40
            length = int.from_bytes(packet[4:6])
            source, target = packet[8:24], packet[24:40]
        source_port, target_port, sequence, offset, flags = struct.unpack_from("!HHI4xBB", packet, start)
        flow = Flow(str(ipaddress.ip_address(source)), source_port, str(ipaddress.ip_address(target)), target_port)
        return cls(flow, sequence, length - (offset >> 4) * 4, flags)


@dataclass(slots=True)
class _GivenUp:
    """A given-up connection: everything that comes for it is late."""

    connection: Connection
    begin: int | None = None
    """The sequence number of the first late byte: a retransmission adds nothing to what was sent."""

    def sent_with(self, segment: Segment) -> int:
        """How many late bytes there are up to the end of this segment."""
        if self.begin is None:
            self.begin = segment.sequence
        return (segment.sequence + segment.payload - self.begin) % 2**32


class Tap:
    """Watches one listener's port and tells given-up connections what still comes for them."""

    def __init__(self, family: socket.AddressFamily, port: int) -> None:
        """Raises PermissionError without CAP_NET_RAW."""
        self._given_up: dict[Flow, _GivenUp] = {}
        self._lost = 0
        self._sock = socket.socket(
            socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, socket.htons(_ETHERTYPE[family])
        )
        bpf.attach(self._sock, bpf.client_packets(family, port))
        # Packets from before the filter was attached may be any of this machine's.
        for _ in self.packets():
            pass
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._sock, self.drain)

    def __repr__(self) -> str:
        return f"<Tap fd={self._sock.fileno()}, {len(self._given_up)} connections given up>"

    def expect(self, connection: Connection) -> None:
        """Treat everything that comes for this connection from now on as late."""
        self._given_up[connection.flow] = _GivenUp(connection)

    def forget(self, connection: Connection) -> None:
        """Stop reporting what comes for this connection."""
        given_up = self._given_up.get(connection.flow)
        if given_up is not None and given_up.connection is connection:
            del self._given_up[connection.flow]

    def drain(self) -> None:
        """Read everything that has come until now."""
        for packet in self.packets():
            self._judge(Segment.parse(packet))

    def packets(self) -> Iterator[bytes]:
        """The heads of those that have come, each once."""
        while True:
            try:
                yield self._sock.recv(bpf.HEADERS_KEPT)
            except BlockingIOError:
                return

    def _judge(self, segment: Segment) -> None:
        if segment.flags & _SYN:
            # The client's port begins a new connection: what follows belongs to that one.
            self._given_up.pop(segment.flow, None)
            return
        given_up = self._given_up.get(segment.flow)
        if given_up is None:
            return
        if segment.payload > 0:
            given_up.connection.got_late_bytes(given_up.sent_with(segment), "tap")
        else:
            given_up.connection.got_late_close("rst" if segment.flags & _RST else "fin", "tap")

    def lost(self) -> int:
        """How many packets the kernel could not hand over, since the tap was opened."""
        statistics = self._sock.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)
        self._lost += struct.unpack("II", statistics)[1]  # reading resets the kernel's counter
        return self._lost

    def close(self) -> None:
        self._loop.remove_reader(self._sock)
        self._sock.close()


def open_tap(family: socket.AddressFamily, port: int) -> Tap | None:
    """A tap on a port, or None if this process may not have one."""
    try:
        return Tap(family, port)
    except PermissionError:
        return None


def may_tap() -> bool:
    """Whether this process may open a tap (CAP_NET_RAW)."""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0).close()
    except OSError:
        return False
    return True
