"""The tap by itself: which packets it lets through, and what it makes of them."""

import socket
from collections.abc import Iterator

import pytest

from tests.upstream_server.support import IDLE, Bench, needs_tap
from upstream_server.tap import Segment, Tap

pytestmark = needs_tap

FIN, SYN, RST = 0x01, 0x02, 0x04
HOSTS = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]


@pytest.fixture(params=HOSTS, ids=["ipv4", "ipv6"])
def server(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    family, host = request.param
    try:
        server = socket.create_server((host, 0), family=family)
    except OSError as reason:
        pytest.skip(f"no {host} here: {reason}")
    with server:
        yield server


async def test_data_and_ends_pass_once_and_nothing_else(server: socket.socket) -> None:
    host, port = server.getsockname()[:2]
    tap = Tap(server.family, port)
    with socket.create_connection((host, port)) as client, server.accept()[0] as accepted:
        source = client.getsockname()[1]
        client.sendall(b"x" * 300)
        accepted.sendall(b"an answer, which the client acknowledges")
        assert client.recv(100)
        client.shutdown(socket.SHUT_WR)
        segments = [Segment.parse(packet) for packet in tap.packets()]
    assert [(segment.payload, segment.flags & (FIN | SYN | RST)) for segment in segments] == [
        (0, SYN),
        (300, 0),
        (0, FIN),
    ]
    assert {(segment.flow.peer_ip, segment.flow.peer_port) for segment in segments} == {(host, source)}
    assert {(segment.flow.local_ip, segment.flow.local_port) for segment in segments} == {(host, port)}
    assert tap.lost() == 0
    tap.close()


async def test_other_ports_stay_out(server: socket.socket) -> None:
    host, port = server.getsockname()[:2]
    with socket.create_server((host, 0), family=server.family) as other:
        tap = Tap(server.family, other.getsockname()[1])
        with socket.create_connection((host, port)) as client, server.accept()[0]:
            client.sendall(b"not for the tap")
            assert list(tap.packets()) == []
        tap.close()


async def test_what_came_before_is_not_late_however_late_the_tap_is_read(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=IDLE, close="fin")
    assert listener._tap is not None
    client = await bench.client(listener)
    await client.request()
    listener.drain_tap()  # the SYN is read, so only the order of reading protects the second request
    listener._tap._loop.remove_reader(listener._tap._sock)
    await client.request()
    await bench.event("gave-up")
    await bench.upstream.close_listener("one")  # reads the tap
    assert not bench.events("late-data")
