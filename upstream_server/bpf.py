"""Classic BPF programs, and how to attach them to a socket.

A program is a list of instructions `(code, jump if true, jump if false, operand)`, as in the kernel's
Documentation/networking/filter.rst. It answers how many bytes of a packet to keep; zero drops the packet.
"""

import ctypes
import socket
import struct

Program = list[tuple[int, int, int, int]]

SO_ATTACH_FILTER = 26

_LOAD_BYTE, _LOAD_HALF = 0x30, 0x28
_LOAD_BYTE_AT_X, _LOAD_HALF_AT_X = 0x50, 0x48
_LOAD_X, _LOAD_X_IPV4_HEADER, _LOAD_MEMORY = 0x01, 0xB1, 0x60
_STORE, _A_TO_X = 0x02, 0x07
_SUBTRACT_X, _SHIFT_RIGHT, _AND = 0x1C, 0x74, 0x54
_IF_EQUAL, _IF_ANY_BIT, _IF_ABOVE_X = 0x15, 0x45, 0x2D
_ANSWER = 0x06

_PACKET_TYPE = 0xFFFFF004  # SKF_AD_OFF + SKF_AD_PKTTYPE
_PACKET_HOST = 0
_TCP = 6
_FIN_SYN_RST = 0x07

HEADERS_KEPT = 128
"""Bytes of a packet that the tap reads: an IPv4 or IPv6 header and a TCP header with options fit in."""

DROP_ALL: Program = [(_ANSWER, 0, 0, 0)]
KEEP_ALL: Program = [(_ANSWER, 0, 0, 0xFFFFFFFF)]


def attach(sock: socket.socket, program: Program) -> None:
    """Filter what the socket receives from now on.

    On a TCP socket this needs CAP_NET_ADMIN on Linux 6.18.44 (measured: EPERM without it, while UDP and Unix
    sockets need nothing); raises PermissionError if it is not permitted.
    """
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    memory = ctypes.create_string_buffer(code, len(code))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(program), ctypes.addressof(memory)))


def client_packets(family: socket.AddressFamily, port: int) -> Program:
    """Keep the headers of TCP packets to `port` that carry data, FIN, SYN or RST; for a cooked packet socket.

    Mere acknowledgements and keepalive probes stay out. So does what this machine sends, so that a packet
    on loopback is seen once. IPv6 extension headers are not followed.
    """
    if family is socket.AF_INET:
        to_tcp: Program = [
            (_LOAD_BYTE, 0, 0, 9),  # protocol
            (_IF_EQUAL, 0, _TO_DROP, _TCP),
            (_LOAD_HALF, 0, 0, 6),  # a later fragment has no TCP header
            (_IF_ANY_BIT, _TO_DROP, 0, 0x1FFF),
            (_LOAD_X_IPV4_HEADER, 0, 0, 0),
            (_LOAD_HALF, 0, 0, 2),  # total length, minus the IP header
            (_SUBTRACT_X, 0, 0, 0),
        ]
    else:
        to_tcp = [
            (_LOAD_BYTE, 0, 0, 6),  # next header
            (_IF_EQUAL, 0, _TO_DROP, _TCP),
            (_LOAD_X, 0, 0, 40),
            (_LOAD_HALF, 0, 0, 4),  # payload length
        ]
    return _resolved(
        [
            (_LOAD_BYTE, 0, 0, _PACKET_TYPE),
            (_IF_EQUAL, 0, _TO_DROP, _PACKET_HOST),
            *to_tcp,
            (_STORE, 0, 0, 0),  # length of TCP header and data
            (_LOAD_HALF_AT_X, 0, 0, 2),  # destination port
            (_IF_EQUAL, 0, _TO_DROP, port),
            (_LOAD_BYTE_AT_X, 0, 0, 13),
            (_IF_ANY_BIT, _TO_KEEP, 0, _FIN_SYN_RST),
            (_LOAD_BYTE_AT_X, 0, 0, 12),  # data offset in words, in the high four bits
            (_AND, 0, 0, 0xF0),
            (_SHIFT_RIGHT, 0, 0, 2),
            (_A_TO_X, 0, 0, 0),
            (_LOAD_MEMORY, 0, 0, 0),
            (_IF_ABOVE_X, _TO_KEEP, _TO_DROP, 0),
            (_ANSWER, 0, 0, HEADERS_KEPT),
            (_ANSWER, 0, 0, 0),
        ]
    )


def ended_sockets(own_port: int, other_port: int) -> Program:
    """Keep what sock_diag reports about sockets with these ports, seen from their own side; for its netlink socket."""
    return _resolved(
        [
            (_LOAD_HALF, 0, 0, 20),  # struct inet_diag_msg after a header of 16: source port, in the network's order
            (_IF_EQUAL, 0, _TO_DROP, own_port),
            (_LOAD_HALF, 0, 0, 22),  # destination port
            (_IF_EQUAL, _TO_KEEP, _TO_DROP, other_port),
            (_ANSWER, 0, 0, 0xFFFFFFFF),
            (_ANSWER, 0, 0, 0),
        ]
    )


_TO_KEEP, _TO_DROP = -2, -1
"""Jumps to the last two instructions, before their distance is known."""


def _resolved(program: Program) -> Program:
    """The program with its jumps to the end made relative, as the kernel wants them."""

    def distance(jump: int, index: int) -> int:
        return jump if jump >= 0 else len(program) + jump - index - 1

    return [
        (code, distance(true, index), distance(false, index), operand)
        for index, (code, true, false, operand) in enumerate(program)
    ]
