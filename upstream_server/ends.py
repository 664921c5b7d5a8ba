"""What a client's socket had sent when it ended: the kernel tells any process that asks, without privileges.

The kernel announces each TCP socket of this network namespace when the last descriptor of it is closed
(sock_diag's destroy groups), with its `tcp_info`. That is the only trace of bytes that a closed socket of ours
answered with a RST: they never reached a queue.
"""

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Self

from upstream_server import bpf
from upstream_server.flow import Flow

_NETLINK_SOCK_DIAG = 4
_TCP4_DESTROYED, _TCP6_DESTROYED = 1 << 0, 1 << 2  # linux/sock_diag.h: enum sknetlink_groups, as bits
_HEADERS = 16 + 72
"""Bytes of `struct nlmsghdr` and `struct inet_diag_msg`, before the attributes."""

_INFO = 2  # linux/inet_diag.h: INET_DIAG_INFO
_BYTES_SENT, _BYTES_RETRANSMITTED = 200, 208  # linux/tcp.h: struct tcp_info, since Linux 4.19
_MESSAGE_BYTES = 8192


class ClientsEnd:
    """Waits for the end of one client's socket."""

    def __init__(self, flow: Flow) -> None:
        """Raises OSError if this kernel announces nothing."""
        self._sock = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG
        )
        try:
            bpf.attach(self._sock, bpf.ended_sockets(flow.peer_port, flow.local_port))
            self._sock.bind((0, _TCP4_DESTROYED | _TCP6_DESTROYED))
        except OSError:
            self._sock.close()
            raise
        self._loop: asyncio.AbstractEventLoop | None = None

    def __repr__(self) -> str:
        return f"<ClientsEnd fd={self._sock.fileno()}>"

    @classmethod
    def of(cls, flow: Flow) -> Self | None:
        """The same, or None if this kernel announces nothing."""
        try:
            return cls(flow)
        except OSError:
            return None

    def call(self, told: Callable[[], None]) -> None:
        """Call when there is something to read."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._sock, told)

    def sent(self) -> int | None:
        """How many bytes of data it sent in its life, once each; None while it lives."""
        for message in self._messages():
            for kind, value in _attributes(message):
                if kind == _INFO and len(value) >= _BYTES_RETRANSMITTED + 8:
                    sent, again = struct.unpack_from("=QQ", value, _BYTES_SENT)
                    return int(sent - again)
        return None

    def close(self) -> None:
        if self._loop is not None and self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock)
        self._sock.close()

    def _messages(self) -> Iterator[bytes]:
        while True:
            try:
                yield self._sock.recv(_MESSAGE_BYTES)
            except OSError:  # nothing more; or messages were lost, and later ones still come
                return


def _attributes(message: bytes) -> Iterator[tuple[int, bytes]]:
    offset = _HEADERS
    while offset + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, offset)
        if length < 4:
            return
        yield kind, message[offset + 4 : offset + length]
        offset += (length + 3) & ~3
