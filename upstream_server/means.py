"""What a listener may use to carry out its close mode and to see what comes after."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Means:
    """What this process is permitted to do, as far as this listener is to use it."""

    tap: bool
    """A packet socket sees what clients send to connections that are closed (CAP_NET_RAW)."""

    repair: bool
    """The kernel can be told to forget a connection without a packet (CAP_NET_ADMIN)."""

    filter: bool
    """A socket can be made deaf (CAP_NET_ADMIN)."""

    tls: bool = False
    """Whether it speaks HTTPS, where late bytes can be a goodbye."""
