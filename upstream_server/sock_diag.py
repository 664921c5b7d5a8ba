"""What the kernel says about one TCP socket: an exact question by netlink, or a look at its table of all of them.

The kernel finds a socket by its two addresses in some microseconds (sock_diag(7)); the text of `/proc/net/tcp` costs
a walk through its whole hash, which takes tens of milliseconds on a machine with a large one. No privilege is needed
for either. Both are of the network namespace in which this process runs.

Standard library only.
"""

import errno
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

STATES: Final = (
    "ESTABLISHED",
    "SYN-SENT",
    "SYN-RECV",
    "FIN-WAIT-1",
    "FIN-WAIT-2",
    "TIME-WAIT",
    "CLOSE",
    "CLOSE-WAIT",
    "LAST-ACK",
    "LISTEN",
    "CLOSING",
    "SYN-RECV",
)
"""By the kernel's numbers, from 1 (include/net/tcp_states.h); the last one is its NEW_SYN_RECV."""
LISTEN: Final = "LISTEN"
ABSENT: Final = "CLOSE"
"""The state of a socket that the kernel does not know: one in CLOSE is in no table, even while a process holds it."""
TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))

ANSWER_BOUND: Final = 1.0
"""Real seconds for the kernel's answer. It is there when the question has been sent."""

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_NLMSG_ERROR = 2
_INET_DIAG_INFO = 2
_NO_COOKIE = b"\xff" * 8
_ANSWER_SIZE = 8192

# linux/netlink.h, linux/inet_diag.h, linux/tcp.h
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBxI2s2s16s16sI8s")
_FOUND = struct.Struct("=BBBB2s2s16s16sI8sIIIII")
_ATTRIBUTE = struct.Struct("=HH")
_INFO = struct.Struct("=8B24I4Q4I")


@dataclass(frozen=True, slots=True)
class Pair:
    """The two addresses of a TCP socket, its own one first."""

    local_ip: str
    local_port: int
    remote_ip: str
    remote_port: int

    @property
    def reversed(self) -> "Pair":
        """The other end's."""
        return Pair(self.remote_ip, self.remote_port, self.local_ip, self.local_port)


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """The kernel's counters of one connection that matter here (`struct tcp_info`)."""

    retransmits: int
    """Segments sent again, since it was opened."""
    probes: int
    """Keepalive or window probes that were sent and not answered."""
    last_data_sent_ms: int
    last_data_received_ms: int
    """Real milliseconds since data went out and came in; since it was opened, where none did."""
    segments_received: int
    bytes_acked: int
    bytes_received: int


@dataclass(frozen=True, slots=True)
class Socket:
    """One socket as the kernel has it."""

    state: str
    inode: int
    """The socket's inode; 0 if no process holds it any more."""
    uid: int
    unread_bytes: int
    unacked_bytes: int
    """Sent and not acknowledged; a FIN counts as one."""
    info: TcpInfo | None = None
    """None if the kernel keeps no books any more (TIME-WAIT), or not yet, or if only its table was read."""

    def describe(self) -> dict[str, int]:
        """For the journal: what there is, by name."""
        told = {"unacked_bytes": self.unacked_bytes}
        if self.info is not None:
            told["retransmits"] = self.info.retransmits
            told["probes"] = self.info.probes
            told["last_data_sent_ms"] = self.info.last_data_sent_ms
            told["last_data_received_ms"] = self.info.last_data_received_ms
        return told


Plain = dict[str, Any] | None


def to_plain(found: Sequence[Socket | None]) -> list[Plain]:
    """As JSON has it, for a caller in another process."""
    return [None if one is None else asdict(one) for one in found]


def from_plain(told: Sequence[Plain]) -> list[Socket | None]:
    """What `to_plain` made."""
    return [None if one is None else _socket(**one) for one in told]


def _socket(info: Plain, **fields: Any) -> Socket:
    return Socket(**fields, info=None if info is None else TcpInfo(**info))


def find(pairs: Sequence[Pair]) -> list[Socket | None]:
    """The sockets with these addresses; None for one that the kernel does not have, which is then CLOSE.

    Where netlink is refused (seccomp, gVisor, a kernel without tcp_diag) the table is read as text instead. Raises
    OSError if neither works.
    """
    if not pairs:
        return []
    if not any(map(_has_zone, pairs)) and answers():
        try:
            return _ask(pairs)
        except OSError:
            pass  # a long burst of questions may fail for want of memory; the table has the answer too
    return find_in_tables(pairs)


@cache
def answers() -> bool:
    """Whether the kernel answers exact questions, tried on a socket that is known to be there.

    It says "not found" both for a socket that is not there and for want of its module tcp_diag.
    """
    try:
        with socket.create_server(("127.0.0.1", 0)) as known:
            ip, port = known.getsockname()
            return bool(_ask([Pair(ip, port, "0.0.0.0", 0)], listening=True)[0])
    except OSError:
        return False


def _ask(pairs: Sequence[Pair], *, listening: bool = False) -> list[Socket | None]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(ANSWER_BOUND)
        found = []
        for pair in pairs:
            kernel.sendto(question(pair), (0, 0))
            found.append(answer(kernel.recv(_ANSWER_SIZE), listening=listening))
        return found


def question(pair: Pair) -> bytes:
    """The netlink message that asks for one socket, exactly."""
    local, remote = packed(pair.local_ip), packed(pair.remote_ip)
    body = _REQUEST.pack(
        socket.AF_INET if len(local) == 4 else socket.AF_INET6,
        socket.IPPROTO_TCP,
        1 << (_INET_DIAG_INFO - 1),
        0xFFFFFFFF,
        pair.local_port.to_bytes(2, "big"),
        pair.remote_port.to_bytes(2, "big"),
        local,
        remote,
        0,
        _NO_COOKIE,
    )
    return _HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0) + body


def answer(message: bytes, *, listening: bool = False) -> Socket | None:
    """The socket of an answer, None for "not found"; raises OSError for any other refusal.

    Where the connection is gone, the kernel may name the listener on its local port: that is not the one asked for.
    """
    length, kind, *_ = _HEADER.unpack_from(message)
    if kind == _NLMSG_ERROR:
        number = -struct.unpack_from("=i", message, _HEADER.size)[0]
        if number == errno.ENOENT:
            return None
        raise OSError(number, "the kernel refused a question about a socket")
    fields = _FOUND.unpack_from(message, _HEADER.size)
    state = STATES[fields[1] - 1]
    if state == LISTEN and not listening:
        return None
    unread, unacked, uid, inode = fields[-4:]
    info = _info(message[_HEADER.size + _FOUND.size : length])
    return Socket(state, inode, uid, unread, unacked, info)


def _info(attributes: bytes) -> TcpInfo | None:
    while len(attributes) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(attributes)
        if kind == _INET_DIAG_INFO and length - _ATTRIBUTE.size >= _INFO.size:
            fields = _INFO.unpack_from(attributes, _ATTRIBUTE.size)
            return TcpInfo(
                retransmits=fields[31],
                probes=fields[3],
                last_data_sent_ms=fields[17],
                last_data_received_ms=fields[19],
                segments_received=fields[37],
                bytes_acked=fields[34],
                bytes_received=fields[35],
            )
        attributes = attributes[max(_ATTRIBUTE.size, (length + 3) & ~3) :]
    return None


def packed(ip: str) -> bytes:
    """An address as the kernel keeps it. An IPv4-mapped IPv6 one becomes the IPv4 one: sockets are found either way."""
    if ":" not in ip:
        return socket.inet_pton(socket.AF_INET, ip)
    address = socket.inet_pton(socket.AF_INET6, ip.partition("%")[0])
    return address[12:] if address.startswith(_MAPPED) else address


_MAPPED = b"\0" * 10 + b"\xff" * 2


def _has_zone(pair: Pair) -> bool:
    """A link-local socket is bound to an interface, which an exact question would have to name."""
    local = packed(pair.local_ip)
    return len(local) == 16 and local[0] == 0xFE and local[1] & 0xC0 == 0x80


# The table, for kernels that give no exact answer.


def find_in_tables(pairs: Sequence[Pair], text: str | None = None) -> list[Socket | None]:
    """The same by the text of `/proc/net/tcp` and `tcp6`, this process's unless it is given; raises OSError."""
    rows = _rows(tables() if text is None else text)
    return [rows.get((_key(pair.local_ip, pair.local_port), _key(pair.remote_ip, pair.remote_port))) for pair in pairs]


def tables() -> str:
    """The kernel's tables of TCP sockets, one after the other."""
    return "".join(table.read_text(encoding="ascii") for table in TABLES if table.exists())


def _rows(text: str) -> Mapping[tuple[bytes, bytes], Socket]:
    rows: dict[tuple[bytes, bytes], Socket] = {}
    for line in text.splitlines():
        fields = line.split()
        if not fields or fields[0] == "sl":
            continue
        state = STATES[int(fields[3], 16) - 1]
        if state == LISTEN:
            continue
        unacked, unread = (int(number, 16) for number in fields[4].split(":"))
        rows[_row_key(fields[1]), _row_key(fields[2])] = Socket(state, int(fields[9]), int(fields[7]), unread, unacked)
    return rows


def _row_key(address: str) -> bytes:
    """The table writes addresses as words of 32 bits in the machine's byte order, in hex."""
    words, _, port = address.partition(":")
    numbers = [int(words[at : at + 8], 16) for at in range(0, len(words), 8)]
    ip = struct.pack(f"={len(numbers)}I", *numbers)
    return (ip[12:] if ip.startswith(_MAPPED) else ip) + int(port, 16).to_bytes(2, "big")


def _key(ip: str, port: int) -> bytes:
    return packed(ip) + port.to_bytes(2, "big")
