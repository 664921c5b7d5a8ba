"""Exact questions about sockets get the answers that the kernel's table has, for less."""

import contextlib
import errno
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from tests.patience import LOOK, PATIENCE
from upstream_server import sock_diag
from upstream_server.sock_diag import Pair, Socket, find, find_in_tables

SINCE_MS = 20
"""Milliseconds that pass before the kernel is asked how long ago something was sent."""

exact = pytest.mark.skipif(not sock_diag.answers(), reason="this kernel answers no exact question about a socket")


@dataclass
class Two:
    """A connection with both of its ends in this process."""

    client: socket.socket
    server: socket.socket
    pair: Pair
    """The client's."""

    def ends(self) -> list[Socket | None]:
        return find([self.pair, self.pair.reversed])

    def states(self) -> list[str | None]:
        return [None if end is None else end.state for end in self.ends()]

    def until(self, client: str | None, server: str | None) -> list[Socket | None]:
        ends = time.monotonic() + PATIENCE
        while self.states() != [client, server]:
            assert time.monotonic() < ends, self.states()
            time.sleep(LOOK)
        assert _without_books(self.ends()) == _without_books(find_in_tables([self.pair, self.pair.reversed]))
        return self.ends()


def _without_books(ends: list[Socket | None]) -> list[Socket | None]:
    """Half open, a connection has no socket yet: netlink gives it nobody's user, the table the listener's."""
    return [end and replace(end, info=None, uid=0 if end.state == "SYN-RECV" else end.uid) for end in ends]


Connect = Callable[[str], Two]


@pytest.fixture
def connect() -> Iterator[Connect]:
    with contextlib.ExitStack() as stack:

        def make(kind: str) -> Two:
            """`mapped`: an IPv6 socket on an IPv4 connection, as Java makes them; `dual`: the server's is one."""
            family = socket.AF_INET6 if kind in ("ipv6", "dual") else socket.AF_INET
            host = {"ipv6": "::1", "dual": "::"}.get(kind, "127.0.0.1")
            listening = stack.enter_context(
                socket.create_server((host, 0), family=family, dualstack_ipv6=kind == "dual")
            )
            port = listening.getsockname()[1]
            mine = socket.AF_INET6 if kind in ("ipv6", "mapped") else socket.AF_INET
            client = stack.enter_context(socket.socket(mine, socket.SOCK_STREAM))
            client.connect(({"ipv6": "::1", "mapped": "::ffff:127.0.0.1"}.get(kind, "127.0.0.1"), port))
            server, _ = listening.accept()
            stack.enter_context(server)
            return Two(client, server, Pair(*client.getsockname()[:2], *client.getpeername()[:2]))

        yield make


@pytest.fixture(params=["exact", "text"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to the same answer."""
    if request.param == "text":
        monkeypatch.setattr(sock_diag, "answers", lambda: False)
    elif not sock_diag.answers():
        pytest.skip("this kernel answers no exact question about a socket")
    return str(request.param)


@pytest.mark.parametrize("kind", ["ipv4", "ipv6", "mapped", "dual"])
def test_a_connection_is_found_from_both_ends(connect: Connect, kind: str, way: str) -> None:
    two = connect(kind)
    client, server = two.until("ESTABLISHED", "ESTABLISHED")
    assert client is not None
    assert server is not None
    assert (client.inode, server.inode) == tuple(os.fstat(end.fileno()).st_ino for end in (two.client, two.server))
    assert client.uid == os.getuid()
    assert (client.info is None) == (way == "text")


@pytest.mark.parametrize("kind", ["ipv4", "ipv6", "mapped"])
def test_the_states_of_a_close(connect: Connect, kind: str, way: str) -> None:
    two = connect(kind)
    two.server.close()
    two.until("CLOSE-WAIT", "FIN-WAIT-2")
    two.client.close()
    two.until(None, "TIME-WAIT")


def test_a_reset_connection_is_gone_while_it_is_held(connect: Connect, way: str) -> None:
    two = connect("ipv4")
    two.server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    two.server.close()
    two.until(None, None)
    assert two.client.fileno() >= 0


def test_the_listener_is_not_taken_for_a_connection_that_is_gone(way: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert find([Pair("127.0.0.1", port, "127.0.0.1", 1)]) == [None]
        assert find([Pair("127.0.0.1", port, "0.0.0.0", 0)]) == [None]


def test_half_open_connections(way: str) -> None:
    """A listener that defers to accept keeps a connection in SYN-RECV until data comes; one without room lets wait."""
    with socket.socket() as listening, contextlib.ExitStack() as stack:
        listening.bind(("127.0.0.1", 0))
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 10)
        listening.listen(0)
        client = stack.enter_context(socket.create_connection(listening.getsockname()))
        assert _states(client, listening) == ("ESTABLISHED", "SYN-RECV")
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening, contextlib.ExitStack() as stack:
        seen = set()
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listening.getsockname())
            seen.add(_states(client, listening)[0])
        assert seen == {"ESTABLISHED", "SYN-SENT"}


def _states(client: socket.socket, listening: socket.socket) -> tuple[str | None, ...]:
    """Of both ends; the table says the same."""
    pair = Pair(*client.getsockname(), *listening.getsockname())
    found = find([pair, pair.reversed])
    assert _without_books(found) == _without_books(find_in_tables([pair, pair.reversed]))
    return tuple(None if end is None else end.state for end in found)


@exact
def test_what_the_kernel_has_in_its_books(connect: Connect) -> None:
    two = connect("ipv4")
    two.client.sendall(b"x" * 1000)
    client, server = two.until("ESTABLISHED", "ESTABLISHED")
    assert client is not None
    assert server is not None
    assert client.info is not None
    assert server.info is not None
    assert (server.unread_bytes, server.info.bytes_received, client.unacked_bytes) == (1000, 1000, 0)
    assert client.info.bytes_acked >= 1000
    assert (client.info.retransmits, client.info.probes) == (0, 0)
    assert server.info.segments_received >= 2
    time.sleep(SINCE_MS / 1000)
    (later,) = find([two.pair])
    assert later is not None
    assert later.describe()["last_data_sent_ms"] >= SINCE_MS
    assert set(later.describe()) == {
        *("unacked_bytes", "retransmits", "probes", "last_data_sent_ms", "last_data_received_ms")
    }


@exact
def test_an_exact_question_costs_next_to_nothing(connect: Connect) -> None:
    two = connect("ipv4")
    began = time.process_time()
    for _ in range(100):
        assert find([two.pair])[0]
    assert time.process_time() - began < 0.1, "a millisecond each, a hundred times what it takes"


def test_netlink_refused(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """As under seccomp and gVisor: the table answers, and the refusal is found out once."""
    two = connect("ipv4")
    tried = []

    def refuse(*_: object, **__: object) -> list[Socket | None]:
        tried.append(1)
        raise OSError(errno.EPROTONOSUPPORT, "no netlink here")

    monkeypatch.setattr(sock_diag, "_ask", refuse)
    sock_diag.answers.cache_clear()
    try:
        assert two.states() == ["ESTABLISHED", "ESTABLISHED"]
        assert two.states() == ["ESTABLISHED", "ESTABLISHED"]
        assert len(tried) == 1
    finally:
        sock_diag.answers.cache_clear()


def test_no_address(way: str) -> None:
    with pytest.raises(OSError, match="illegal IP"):
        find([Pair("localhost", 1, "127.0.0.1", 1)])
    assert find([]) == []
