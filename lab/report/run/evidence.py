"""Events prepared for a story: each at the earliest time that the journal proves.

The lab notes some things a few milliseconds after the fact: late bytes when the tap has read them, a request
when the function reports it. Told at those times, a story would have effects before their causes.
"""

from collections.abc import Sequence
from dataclasses import replace

from lab.journal import Event, History
from lab.journal.vocabulary import KINDS


def is_outcome(event: Event) -> bool:
    """Whether the event is a request's end as the function reports it."""
    return event.source == "client" and event.kind == "request"


def settled(events: Sequence[Event]) -> tuple[Event, ...]:
    """The same events in the order in which they can have happened.

    A request stands at its end, and carries the lab's name of its sandbox. Late bytes come no later than the end
    of the request that sent them. Events that are damaged, or of a kind that this version does not know, are left out.
    """
    events = [event for event in History(events).sound if (event.source, event.kind) in KINDS]
    names = _sandbox_names(events)
    outcomes = [_at_its_end(event, names) for event in events if is_outcome(event)]
    others = [replace(event, t=_proven(event, events, outcomes)) for event in events if not is_outcome(event)]
    return tuple(sorted([*others, *outcomes], key=lambda event: (event.t, is_outcome(event))))


def began(outcome: Event) -> float:
    """When a request began, on the journal's clock."""
    return float(outcome.get("started") or outcome.t)


def _sandbox_names(events: Sequence[Event]) -> dict[object, object]:
    """The lab's name of a sandbox, by the id that the function chose; an answer has both."""
    answers = [event for event in events if event.kind == "returned" and isinstance(event.get("payload"), dict)]
    return {event["payload"].get("sandbox"): event.get("sandbox") for event in answers}


def _at_its_end(outcome: Event, names: dict[object, object]) -> Event:
    own = outcome.get("sandbox")
    return replace(
        outcome, t=float(outcome.get("ended") or outcome.t), data={**outcome.data, "sandbox": names.get(own, own)}
    )


def _proven(event: Event, events: Sequence[Event], outcomes: Sequence[Event]) -> float:
    match event.kind:
        case "late-data":
            own = [e for e in events if e.get("connection") == event.get("connection")]
            ports = {e.get("peer_port") for e in own if e.kind == "connection-opened"}
            since = max((e.t for e in own if e.kind in ("gave-up", "fault")), default=event.t)
            ends = [e.t for e in outcomes if began(e) >= since and ports & set(_ports(e))]
            return min([event.t, *ends])
        case _:
            return event.t


def _ports(outcome: Event) -> list[object]:
    return [attempt.get("local_port") for attempt in outcome.get("attempts") or ()]
