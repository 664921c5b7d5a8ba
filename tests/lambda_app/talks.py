"""What a server does to a connection, on real sockets, over TLS too: a talk is had with one connection."""

import contextlib
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.patience import LOOK, PATIENCE
from upstream_server.sock_diag import tables

ANSWER = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"
CUT = b'HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"cut": "'
CUT_CHUNKS = b'HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"cut": "'
CUT_BETWEEN_CHUNKS = b'HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"cut": "\r\n'

Talk = Callable[[socket.socket], None]


def read_request(connection: socket.socket) -> None:
    """All of it: a close with something unread is a reset."""
    came = b""
    while len(came) < _length(came):
        more = connection.recv(65536)
        assert more, "the client ended before its request was whole"
        came += more


def _length(came: bytes) -> int:
    """How long a request that begins like this is, as far as that is known."""
    head, end, _ = came.partition(b"\r\n\r\n")
    body = re.search(rb"(?i)content-length: *(\d+)", head)
    return len(head + end) + int(body[1] if body else 0) if end else len(came) + 1


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def resets(connection: socket.socket) -> None:
    read_request(connection)
    reset(connection)


def closes(connection: socket.socket) -> None:
    read_request(connection)


def closes_politely(connection: socket.socket) -> None:
    """With a close_notify, over TLS."""
    read_request(connection)
    if isinstance(connection, ssl.SSLSocket):
        with contextlib.suppress(OSError):  # the client's own never comes, or comes too late
            connection.settimeout(0)
            connection.unwrap()


def resets_in_the_answer(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(CUT)
    reset(connection)


def says(answer: bytes) -> Talk:
    def talk(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    return talk


def answers_then(end: Talk, told: threading.Event) -> Talk:
    """An answer, and when it is told to, this end of the idle connection."""

    def talk(connection: socket.socket) -> None:
        says(ANSWER)(connection)
        assert told.wait(PATIENCE)
        end(connection)

    return talk


def leaves(connection: socket.socket) -> None:
    """The connection is closed after every talk."""


def never_answers(connection: socket.socket) -> None:
    read_request(connection)
    connection.recv(1)  # until the client has gone


@contextmanager
def serving(*talks: Talk, tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, threading.Thread]]:
    """A server that has these talks, a connection each and closed after it; its URL, and its thread."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE)

        def serve() -> None:
            for talk in talks:
                connection, _ = listening.accept()
                connection.settimeout(PATIENCE)
                with tls.wrap_socket(connection, server_side=True) if tls else connection as talking:
                    talk(talking)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http{'s' if tls else ''}://127.0.0.1:{listening.getsockname()[1]}/", thread
        finally:
            thread.join(PATIENCE)
    assert not thread.is_alive()


def wait_for_end(port: int) -> None:
    """Block until this machine's kernel says of no connection to the port that both ends are open.

    A connection that was reset is not in its table any more; one that was closed is in CLOSE-WAIT.
    """
    ends = time.monotonic() + PATIENCE
    to_port_and_established = f":{port:04X} 01 "
    while to_port_and_established in tables():
        assert time.monotonic() < ends
        time.sleep(LOOK)


def port_of(url: str) -> int:
    return int(url.rstrip("/").rpartition(":")[2])
