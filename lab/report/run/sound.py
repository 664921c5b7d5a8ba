"""Events that can be told: a damaged journal may hold some that lack what a report is made from.

A verdict says what it thinks of a damaged journal; a report tells the rest of the story, and how much it left out.
"""

from collections.abc import Callable, Mapping, Sequence

from lab.journal import Event

LONGEST = 1e9
"""Seconds, on any clock that reports draw: thirty years. A number beyond it is damage."""
LARGEST = 2**53

Check = Callable[[object], bool]


def sound(events: Sequence[Event]) -> tuple[Event, ...]:
    """The events that have what the reports need of their kind."""
    return tuple(event for event in events if is_sound(event))


def is_sound(event: Event) -> bool:
    """Whether each field that reports use is there where it must be, and is of the right kind."""
    if not _seconds(event.t) or not all(check(event.data[name]) for name, check in _ANY.items() if name in event.data):
        return False
    needed = _NEEDED.get((event.source, event.kind), {})
    return all(name in event.data and check(event.data[name]) for name, check in needed.items())


def _seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LONGEST


def _maybe(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST


def _text(value: object) -> bool:
    return isinstance(value, str)


def _duration(value: object) -> bool:
    return _seconds(value) and isinstance(value, int | float) and value >= 0


def _attempts(value: object) -> bool:
    """What a function tells of the connections that it took, in turn."""
    return isinstance(value, list) and all(
        isinstance(part, dict) and _maybe(_whole)(part.get("local_port")) for part in value
    )


def _payload(value: object) -> bool:
    """Of an answer only the function's id of itself is used."""
    return not isinstance(value, dict) or _maybe(_text)(value.get("sandbox"))


def _info(value: object) -> bool:
    """What the kernels say of a connection's two ends."""
    if not isinstance(value, dict):
        return False
    return all(
        end is None or (isinstance(end, dict) and all(_number(part) for part in end.values())) for end in value.values()
    )


def _number(value: object) -> bool:
    return value is None or isinstance(value, int | float)


_ANY: Mapping[str, Check] = {
    "connection": _maybe(_whole),
    "sandbox": _maybe(_text),
    "peer_port": _maybe(_whole),
    "started": _maybe(_seconds),
    "ended": _maybe(_seconds),
    "real": _maybe(_duration),
    "executions": _whole,
    "attempts": _maybe(_attempts),
    "request": _maybe(_text),
    "payload": _payload,
    "info": _maybe(_info),
}
"""Wherever one of these stands, it is of this kind."""

_NEEDED: Mapping[tuple[str, str], Mapping[str, Check]] = {
    ("lab", "gap-started"): {"duration": _duration},
    ("invocation", "retry-planned"): {"duration": _duration, "attempt": _whole},
    ("upstream", "connection-opened"): {"connection": _whole},
    ("upstream", "connection-closed"): {"connection": _whole},
}
"""What must be there, beyond."""
