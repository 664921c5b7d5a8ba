"""What can be done to a connected socket below HTTP, and what this process is permitted to do."""

import asyncio
import contextlib
import fcntl
import os
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from upstream_server import bpf

TCP_REPAIR = 19
SO_MEMINFO = 55
_MEMINFO_FIELDS = 9
_MEMINFO_DROPS = 8
CLOSE, CLOSING = 7, 11  # linux/tcp_states.h, as `TcpInfo.state` has them
_STATE, _BYTES_RECEIVED, _SEGMENTS_IN, _DATA_SEGMENTS_IN, _INFO_BYTES = 0, 128, 140, 152, 156  # linux/tcp.h
SIOCOUTQ = 0x5411  # linux/sockios.h: bytes of the send queue that are not acknowledged
SIOCOUTQNSD = 0x894B  # linux/sockios.h: bytes of the send queue that were not sent even once
_DISCARD_BYTES = 65536


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """What the kernel counts of a connection (`struct tcp_info`, since Linux 4.6), read through its socket."""

    state: int
    bytes_received: int
    """Bytes received in order, counted once."""

    segments_in: int
    """All segments, including probes and pure acknowledgements."""

    data_segments_in: int
    """Segments with data, including data that the kernel refused."""


def tcp_info(sock: socket.socket) -> TcpInfo:
    raw = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    (received,) = struct.unpack_from("=Q", raw, _BYTES_RECEIVED)
    segments, with_data = (struct.unpack_from("=I", raw, offset)[0] for offset in (_SEGMENTS_IN, _DATA_SEGMENTS_IN))
    return TcpInfo(raw[_STATE], received, segments, with_data)


def may_repair() -> bool:
    """Whether this process may take a socket out of the kernel's hands (CAP_NET_ADMIN)."""
    with socket.socket() as probe:
        try:
            probe.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        except OSError:
            return False
        return True


def may_filter() -> bool:
    """Whether this process may attach a packet filter to a TCP socket."""
    with socket.socket() as probe:
        try:
            bpf.attach(probe, bpf.KEEP_ALL)
        except OSError:
            return False
        return True


def take_from(transport: asyncio.Transport) -> socket.socket:
    """Take the connection out of asyncio's hands, at once and without a packet.

    The transport is aborted, but asyncio would close its descriptor in the loop's next round only. So the
    descriptor is made to point at nothing: the returned socket is the connection's only owner, and what
    is done to it happens when it is done.
    """
    theirs = transport.get_extra_info("socket")
    ours = cast(socket.socket, theirs.dup())
    ours.setblocking(False)
    transport.abort()
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.dup2(nothing, theirs.fileno(), inheritable=False)
    finally:
        os.close(nothing)
    return ours


def has_news(transport: asyncio.Transport) -> bool:
    """Whether something came that asyncio has not read yet: bytes, the client's FIN, or its RST."""
    with transport.get_extra_info("socket").dup() as sock:
        try:
            sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True


def unread(sock: socket.socket) -> bool:
    """Whether bytes lie unread in it."""
    try:
        return bool(sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except OSError:
        return False


def discard_unread(transport: asyncio.Transport) -> None:
    """Read everything that is unread: otherwise the kernel would send a RST instead of a FIN."""
    through(transport, _read_away)


def through(transport: asyncio.Transport, act: Callable[[socket.socket], None]) -> None:
    """Do something to a connection that asyncio keeps."""
    with transport.get_extra_info("socket").dup() as sock:
        act(sock)


def _read_away(sock: socket.socket) -> None:
    try:
        while sock.recv(_DISCARD_BYTES, socket.MSG_DONTWAIT):
            pass
    except OSError:
        pass  # nothing more, or the client's RST


def acknowledge(sock: socket.socket) -> None:
    """Read everything that came, and have all of it acknowledged now.

    The kernel delays an acknowledgement in the hope that an answer will carry it (up to 40 ms, and always from
    the second request of a connection on). If the state is dropped meanwhile, it is never sent. TCP_QUICKACK
    sends one that is due at once, but only once nothing lies unread.
    """
    _read_away(sock)
    with contextlib.suppress(OSError):  # the client's RST came in just now
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def mute_and_acknowledge(sock: socket.socket) -> None:
    """Let no further packet in, then acknowledge what came (CAP_NET_ADMIN).

    What comes between the two steps is not acknowledged either, so its sender sends it again.
    """
    bpf.attach(sock, bpf.DROP_ALL)
    acknowledge(sock)


def unsent(transport: asyncio.Transport) -> int:
    """How many bytes the kernel has not sent even once."""
    return _queue(transport, SIOCOUTQNSD)


def unacknowledged(transport: asyncio.Transport) -> int:
    """How many bytes the client's kernel has not acknowledged."""
    return _queue(transport, SIOCOUTQ)


def ask_for_acknowledgement(transport: asyncio.Transport) -> None:
    """Send the empty probe that ends a repair, which the client's kernel must answer at once (CAP_NET_ADMIN).

    Otherwise it delays its acknowledgement (by 7 to 14 ms, at most 200 ms: docs/evidence.md, Closing connections), and
    in that time the next request can come. The probe is one byte before what was sent, so it carries nothing.
    """
    with transport.get_extra_info("socket").dup() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 0)


def _queue(transport: asyncio.Transport, request: int) -> int:
    raw = fcntl.ioctl(transport.get_extra_info("socket").fileno(), request, bytes(4))
    return int.from_bytes(raw, sys.byteorder)


def reset(sock: socket.socket) -> None:
    """Close with RST, whatever is unread or unsent (SO_LINGER on, zero seconds)."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def forget(sock: socket.socket) -> None:
    """Close without a packet: the kernel silently drops the connection's state (TCP_REPAIR)."""
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    sock.close()


def dropped(sock: socket.socket) -> int:
    """How many packets the kernel threw away before this socket got them (SO_MEMINFO)."""
    raw = sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 4 * _MEMINFO_FIELDS)
    return cast(int, struct.unpack(f"{_MEMINFO_FIELDS}I", raw)[_MEMINFO_DROPS])
