"""`blackhole`: the state is dropped, and what comes later is swallowed."""

from upstream_server.errors import Refused
from upstream_server.faults import Mode, Way, register
from upstream_server.means import Means

BLACKHOLE = Mode(
    "blackhole",
    sends=None,
    client_state="ESTABLISHED",
    late_bytes="swallowed",
    ways={"drop-filter": "nothing sent; later bytes are swallowed"},
    needs=frozenset({"net-admin"}),
)


@register(BLACKHOLE)
def blackhole(means: Means) -> Way:
    """The upstream stops hearing the idle connection.

    On the wire: nothing, ever again: no data, no acknowledgement, no reset.
    The client sees: nothing. Its socket is ESTABLISHED, the send succeeds, its kernel retransmits, and the
    answer never comes: its own timeout ends the wait (the kernel's after some 15 minutes, with ETIMEDOUT).
    In the middle of a request everything that came is acknowledged first, so the client has nothing to send
    again, its kernel gives up nothing, and the wait has no end but the client's own.
    Faithful to: a firewall that drops what it no longer tracks, a host that lost its power, a route that
    is gone.

    A packet filter on the accepted socket drops everything (`drop-filter`); a socket that is merely not read
    would not do, its kernel still acknowledges. The filter is on the socket, not on the address: new
    connections work. When the listener is deleted, the socket is freed with RST.
    """
    from upstream_server import sockets
    from upstream_server.held import Muted, MutedAndCounted

    if not means.filter:
        raise Refused("close mode blackhole needs a packet filter on a TCP socket: run with CAP_NET_ADMIN")
    return Way("drop-filter", Muted if means.tap else MutedAndCounted, settle=sockets.mute_and_acknowledge)
