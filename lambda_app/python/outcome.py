"""Outcome classes: what happened to a request, decided by errno and cause down the exception chain.

Never by a class name or a message alone: aiohttp 3.14 raises a subclass of ConnectionResetError, without an
errno, when it refuses to write to a transport that it closed itself. Nothing was sent and nothing was reset.
"""

import errno
import http.client
import ssl
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

Kinds = Sequence[tuple[type[BaseException] | Callable[[BaseException], bool], str]]
"""What a library's own exceptions mean, asked in this order after the errnos: a class or a test, and its outcome."""

BY_ERRNO = {
    errno.ECONNRESET: "reset",
    errno.EPIPE: "epipe",
    errno.ETIMEDOUT: "timeout",
    errno.ECONNREFUSED: "refused",
}


def chain_of(error: BaseException, *, contexts: bool = True) -> Iterator[BaseException]:
    """The exception, then its causes (or, where there are none and they are not suppressed, contexts), outermost first.

    An exception that another was made of is a cause of it: urllib3 names none else, and httpcore2 takes the causes of
    its errors away (`raise ... from None`). Each comes once: causes may go round in a circle, through a group too when
    one of its members is raised again.
    """
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        link = waiting.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        context = link.__context__ if contexts and not link.__suppress_context__ else None
        waiting.append(link.__cause__ or context)
        waiting.extend(part for part in reversed(link.args) if isinstance(part, BaseException))
        if isinstance(link, BaseExceptionGroup):
            waiting.extend(reversed(link.exceptions))


def classify(error: BaseException, kinds: Kinds = ()) -> str:
    """The outcome class of a failed request (a glossary word); `kinds` are those of the library.

    Contexts are asked only where the exception and its causes say nothing: the second try of a retry has the first
    one's failure as its context, and that is not what ended it.
    """
    found = _class_of(list(chain_of(error, contexts=False)), kinds)
    return found if found != "other" else _class_of(list(chain_of(error)), kinds)


STANDARD: Kinds = (
    (http.client.IncompleteRead, "truncated"),
    (TimeoutError, "timeout"),
    # The peer's end of file where an answer should begin: a ConnectionResetError too, so it is asked about before that.
    (http.client.RemoteDisconnected, "eof"),
    # TLS met the end of file while it wrote, with or without the peer's close_notify.
    (ssl.SSLEOFError, "eof"),
    # The same while it read; some Pythons (3.11.2) have no class for it.
    (lambda link: getattr(link, "reason", None) == "UNEXPECTED_EOF_WHILE_READING", "eof"),
    (ssl.SSLZeroReturnError, "eof"),
    (lambda link: isinstance(link, ConnectionError) and link.errno is None, "closed-locally"),
)
"""What the standard library's exceptions mean, after the errnos and the library's own."""


def _class_of(chain: list[BaseException], kinds: Kinds) -> str:
    for link in chain:
        if isinstance(link, OSError) and not isinstance(link, ssl.SSLError) and link.errno in BY_ERRNO:
            return BY_ERRNO[link.errno]
    for meaning, outcome in (*kinds, *STANDARD):
        if any(isinstance(link, meaning) if isinstance(meaning, type) else meaning(link) for link in chain):
            return outcome
    return "other"


def describe(error: BaseException) -> list[dict[str, Any]]:
    """The exception chain as data: type, errno, message."""
    return [
        {
            "type": f"{type(link).__module__}.{type(link).__qualname__}",
            "errno": link.errno if isinstance(link, OSError) else None,
            "message": str(link),
        }
        for link in chain_of(error)
    ]


def headline(error: BaseException) -> str:
    """The error as a log would show it: `ClientOSError: [Errno 104] Connection reset by peer`."""
    return f"{type(error).__name__}: {error}".rstrip(": ")


HOME = Path(__file__).parents[2]


def where(error: BaseException) -> str | None:
    """File and line of the innermost frame outside libraries: where a preset went wrong, or asked for what did."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if HOME in Path(frame.filename).parents and "site-packages" not in frame.filename]
    if not frames:
        return None
    innermost = (own or frames)[-1]
    file = Path(innermost.filename)
    return f"{file.relative_to(HOME) if own else file}:{innermost.lineno}"
