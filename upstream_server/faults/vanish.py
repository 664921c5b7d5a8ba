"""`vanish`: the state is dropped without a packet."""

from upstream_server.faults import Mode, Way, register
from upstream_server.means import Means

VANISH = Mode(
    "vanish",
    sends=None,
    client_state="ESTABLISHED",
    late_bytes="reset",
    ways={
        "tcp-repair": "TCP_REPAIR: nothing sent",
        "deferred-reset": "nothing sent; a reset on the next bytes",
    },
    in_matrix="whole",
)


@register(VANISH)
def vanish(means: Means) -> Way:
    """The upstream forgets the idle connection.

    On the wire: nothing; bytes that come later draw a RST.
    The client sees: nothing. Its socket is ESTABLISHED and looks healthy; the send succeeds, then the
    answer is ECONNRESET. In the middle of a request everything that came is acknowledged first, as by a server
    that works on it: the client has nothing to send again and waits for an answer that cannot come, without an
    error, until its own timeout, or until a TCP keepalive probe draws the RST (from `tcp-repair` only).
    Faithful to: a NAT gateway, network load balancer or VPC endpoint after 350 idle seconds, a server that
    was replaced under its address, and any close whose FIN was lost.

    With CAP_NET_ADMIN, and a tap to see what follows, the kernel drops the state (`tcp-repair`). Otherwise
    the socket stays open and silent until bytes come, and resets then (`deferred-reset`): the client cannot
    tell the two apart by its calls. On the wire it can (docs/evidence.md, Closing connections): the late RST carries an
    acknowledgement of the late bytes, which may also come just before it, and the socket answers TCP
    keepalive probes until then.
    """
    from upstream_server import sockets
    from upstream_server.held import Silent

    if means.repair:
        settle = sockets.mute_and_acknowledge if means.filter else sockets.acknowledge
        # An acknowledgement would draw a RST from a kernel that has forgotten, and clients delay theirs.
        return Way("tcp-repair", sockets.forget, after_acknowledgement=True, settle=settle)
    return Way("deferred-reset", Silent, settle=sockets.acknowledge)
