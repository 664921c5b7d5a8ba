"""Events of the upstream: what it got, what it did, and how its connections ended.

The upstream writes them itself, in a stream of its own, and the lab copies them. Connections are numbered from 1 in
the order in which they were accepted; those of the second address that a name moves to, from 101.
"""

from dataclasses import dataclass
from typing import Annotated

from lab.journal.fields import NEW, Bytes, Count, Flag, LabSeconds, Port, Seconds, Text, Whole
from lab.journal.vocabulary import Happening, event_of


@dataclass(frozen=True, slots=True)
class KeepAliveHint:
    """What answers advertise in `Keep-Alive`."""

    timeout: Seconds | None
    max: Count | None
    """Requests that a connection may carry."""


@dataclass(frozen=True, slots=True)
class StatedFault:
    """A rule by which a fault strikes connections in use; a condition that is null holds always."""

    at: Text
    """The moment of a request."""
    do: Text
    """A close mode, or `stall`."""
    after_bytes: Bytes
    """Bytes of the body that pass before it."""
    requests: tuple[Count, ...] | None
    """Numbers of requests on their connection."""
    min_request: Count | None
    connections: tuple[Count, ...] | None
    first: Count | None
    """It strikes so many times at most."""


@event_of("upstream")
class ListenerOpened(Happening):
    """The upstream listens at an address, and behaves so. Durations are on its own clock, as the scenario states
    them; an older lab divided them by a speed."""

    host: Text
    port: Port
    idle_timeout: Seconds | None
    """How long it keeps an unused connection; null is for ever."""
    close: Text
    """The close mode by which it gives a connection up."""
    advertise: KeepAliveHint
    gateway_timeout: Seconds | None
    """After how long a gateway in between forgets an unused connection; null without one."""
    gateway_refresh: Annotated[Text | None, NEW]
    """What the gateway counts as use: `requests`, or `probes` as well."""
    max_age: Annotated[Seconds | None, NEW]
    """The age beyond which a connection ends when it is next idle; null means no limit."""
    announce_close: Flag
    """Whether every answer says `Connection: close`."""
    faults: tuple[StatedFault, ...]
    how: Text
    """How the close mode is carried out on this machine."""
    tap: Flag
    """Whether packets are watched, so that late ones are seen on connections that are forgotten."""
    tls: Text
    """`off`, `close-notify` or `no-close-notify`."""


@event_of("upstream")
class BehaviourChanged(Happening):
    """From now on the listener behaves so; fields as in `listener-opened`."""

    idle_timeout: Seconds | None
    close: Text
    advertise: KeepAliveHint
    gateway_timeout: Seconds | None
    gateway_refresh: Annotated[Text | None, NEW]
    max_age: Annotated[Seconds | None, NEW]
    announce_close: Flag
    faults: tuple[StatedFault, ...]
    how: Text
    idle_unchanged: tuple[Count, ...]
    """Connections that were idle, and keep the behaviour under which they became so."""


@event_of("upstream", was="listener-down")
class ListenerStopped(Happening):
    """The upstream restarts: its listening socket is gone, and every connection ends."""

    how: Text
    """How idle connections end: `fin` or `rst`."""
    down: Seconds
    """The time until it listens again."""


@event_of("upstream", was="listener-draining")
class ListenerDrained(Happening):
    """It takes no new connection, and each open one ends after its next answer."""

    open: tuple[Count, ...]
    """Those that were told so."""


@event_of("upstream", was="listener-refusing")
class ListenerRefused(Happening):
    """It takes no new connection; those that exist stay."""


@event_of("upstream", was="listener-up")
class ListenerResumed(Happening):
    """It takes new connections again."""


@event_of("upstream")
class ListenerClosed(Happening):
    """It is gone; the last event of its listener."""

    tap_lost: Count = 0
    """Packets that the tap could not keep up with: with any, nobody can say that nothing came."""


@event_of("upstream")
class ClockMoved(Happening):
    """The clock of the listener was moved on, up to the next deadline on it; what was due then follows."""

    by: LabSeconds
    """How far."""
    total: LabSeconds
    """How far in all since the listener was opened, this time included."""


@event_of("upstream")
class NameMoved(Happening):
    """The upstream's name was moved to another address."""

    name: Text
    to: Text
    """The address."""


@event_of("upstream")
class BalancerStarted(Happening):
    """A balancer stands before the upstream."""

    server: Text
    version: Text | None
    """As it says itself; null if it does not."""


@event_of("upstream")
class ConnectionOpened(Happening):
    """A connection was accepted."""

    connection: Count
    peer: Text
    """Host and port of the client's end."""
    peer_port: Port


@event_of("upstream", was="idle")
class ConnectionIdled(Happening):
    """An answer is complete, no further request waits, and the idle timeout begins."""

    connection: Count


@event_of("upstream")
class GatewayRefreshed(Happening):
    """The gateway saw an idle connection used."""

    connection: Count
    by: Text
    """`probe`: a TCP keepalive probe."""


@event_of("upstream")
class UpstreamGaveUp(Happening):
    """The upstream ended an idle connection, while the client's pool may still believe in it."""

    connection: Count
    mode: Text
    """The close mode."""
    how: Text
    """How it was carried out."""
    idle_s: Seconds
    """How long it had been idle, by the clock of the listener; 0 for one that was not."""
    why: Annotated[Text | None, NEW]
    """What ended it: `idle timeout`, `gateway`, `max age`, `restart` or `asked`."""


@event_of("upstream", was="late-data")
class LateDataReceived(Happening):
    """Bytes came on a connection that was given up before: the client used it. Written once a connection."""

    connection: Count
    bytes: Bytes | None
    """How many; null if the kernel refused them and nobody counted."""
    seen_by: Text
    """`tap` or `socket`."""


@event_of("upstream", was="late-close")
class LateCloseReceived(Happening):
    """The client closed a connection that was given up before. Written once a connection."""

    connection: Count
    seen_by: Text
    """`tap` or `socket`."""
    how: Text
    """`fin`, `rst`, or `close-notify`, which is TLS's goodbye."""


@event_of("upstream")
class ConnectionClosed(Happening):
    """A connection came to an ordinary end."""

    connection: Count
    by: Text
    """`client` or `upstream`."""


@event_of("upstream", was="request")
class RequestReceived(Happening):
    """The head of a request was parsed."""

    connection: Count
    number: Count
    """Which request of its connection it is, counted from 1."""
    request: Text | None
    """The logical request's name; null if the client sent none."""
    method: Text
    path: Text
    """With the query."""
    key: Annotated[Text | None, NEW]
    """Its `Idempotency-Key`; null without one."""
    via: Annotated[Text | None, NEW]
    """Its `Via`, which a balancer adds; null without one."""
    tls: Annotated[Flag | None, NEW]
    """Whether it came over TLS."""


@event_of("upstream")
class UpstreamExecuted(Happening):
    """The upstream carried a request out."""

    connection: Count
    request: Text
    """The logical request's name."""
    order: Text
    """What was done."""
    executions: Count
    """How often the logical request was carried out, this time included."""
    body_bytes: Annotated[Bytes | None, NEW]
    """Of the request's body."""
    content_type: Annotated[Text | None, NEW]
    """Of the request's body; null if it did not say."""
    address: Annotated[Text | None, NEW] = None
    """`new` if it came to the address that the upstream's name was moved to."""


@event_of("upstream")
class UpstreamReplayed(Happening):
    """The upstream knew the request's key, and answered from its record without carrying it out again."""

    connection: Count
    request: Text
    """The logical request's name."""
    order: Text
    """What had been done."""
    body_bytes: Annotated[Bytes | None, NEW]
    """Of the request's body."""
    content_type: Annotated[Text | None, NEW]
    """Of the request's body; null if it did not say."""


@event_of("upstream", was="response")
class ResponseSent(Happening):
    """The last byte of an answer was handed to the kernel."""

    connection: Count
    request: Text | None
    """The logical request's name."""
    status: Whole
    bytes: Annotated[Bytes | None, NEW]
    """Of the answer's body."""
    chunked: Annotated[Flag | None, NEW]
    """Whether it was framed in chunks."""
    keep_alive: Annotated[Text | None, NEW]
    """Its `Keep-Alive`; null without one."""
    announced_close: Annotated[Flag | None, NEW]
    """Whether it said `Connection: close`."""


@event_of("upstream", was="fault")
class FaultStruck(Happening):
    """A stated fault ended a connection in use, or silenced it."""

    connection: Count
    at: Text
    """The moment of the request."""
    do: Text
    """The close mode, or `stall`."""
    how: Text
    """How it was carried out."""
    request: Text | None
    """The logical request's name; null if none had come."""
    number: Count
    """Which request of its connection it was, counted from 1; 0 if none had come."""
    delivered: Count
    """How often this rule has struck, this time included."""
    rule: Count
    """Which of the stated faults it is, counted from 0."""
