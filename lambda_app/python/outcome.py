"""Outcome classes: what happened to a request, decided by errno and cause down the exception chain.

Never by a class name or a message alone: aiohttp 3.14 raises a subclass of ConnectionResetError, without an
errno, when it refuses to write to a transport that it closed itself. Nothing was sent and nothing was reset.
"""

import asyncio
import errno
import http.client
from collections.abc import Iterator
from typing import Any

import aiohttp

BY_ERRNO = {
    errno.ECONNRESET: "reset",
    errno.EPIPE: "epipe",
    errno.ETIMEDOUT: "timeout",
    errno.ECONNREFUSED: "refused",
}


def chain_of(error: BaseException, *, contexts: bool = True) -> Iterator[BaseException]:
    """The exception, then its causes (or, where there are none and they are not suppressed, contexts), outermost first.

    Each once: causes may go round in a circle, through a group too when one of its members is raised again.
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
        if isinstance(link, BaseExceptionGroup):
            waiting.extend(reversed(link.exceptions))


def classify(error: BaseException) -> str:
    """The outcome class of a failed request (a glossary word).

    Contexts are asked only where the exception and its causes say nothing: the second try of a retry has the first
    one's failure as its context, and that is not what ended it.
    """
    found = _class_of(list(chain_of(error, contexts=False)))
    return found if found != "other" else _class_of(list(chain_of(error)))


def _class_of(chain: list[BaseException]) -> str:
    for link in chain:
        if isinstance(link, OSError) and link.errno in BY_ERRNO:
            return BY_ERRNO[link.errno]
    if any(isinstance(link, aiohttp.ClientPayloadError | http.client.IncompleteRead) for link in chain):
        return "truncated"
    if any(isinstance(link, aiohttp.ClientResponseError) for link in chain):
        return "http-error"
    if any(isinstance(link, TimeoutError | asyncio.TimeoutError) for link in chain):
        return "timeout"
    # The peer's end of file where an answer should begin: aiohttp has an exception of its own for it, and
    # http.client's RemoteDisconnected is a ConnectionResetError too, so it is asked about before that.
    if any(isinstance(link, aiohttp.ServerDisconnectedError | http.client.RemoteDisconnected) for link in chain):
        return "eof"
    if any(isinstance(link, ConnectionError) and link.errno is None for link in chain):
        return "closed-locally"
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
