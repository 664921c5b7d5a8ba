"""httpx2, the maintained continuation of httpx: its blocking client."""

import functools
from typing import Any, ClassVar
from weakref import WeakSet

import h11
import httpcore2
import httpx2

from lambda_app.python.client import Blocking
from lambda_app.python.outcome import Kinds


def ended_in_the_body(error: BaseException) -> bool:
    """h11 met the end of file in a body: its error that a body's reader raised."""
    if not isinstance(error, h11.RemoteProtocolError) or error.__traceback__ is None:
        return False
    at = error.__traceback__
    while at.tb_next is not None:
        at = at.tb_next
    return at.tb_frame.f_code.co_name == "read_eof"


def ended_before_an_answer(error: BaseException) -> bool:
    """httpcore2's own error for it: what h11 complains of is made of h11's error."""
    return isinstance(error, httpcore2.RemoteProtocolError) and not isinstance(
        error.args[0], h11.RemoteProtocolError
    )


class Httpx2(Blocking):
    distribution = "httpx2"
    kinds: ClassVar[Kinds] = (
        (ended_in_the_body, "truncated"),
        (ended_before_an_answer, "eof"),
        (httpx2.HTTPStatusError, "http-error"),
        (httpx2.TimeoutException, "timeout"),
    )
    body_option = "content"

    def watch(self) -> None:
        self._connections: WeakSet[httpcore2.HTTP11Connection] = WeakSet()
        handle = httpcore2.HTTP11Connection.handle_request

        @functools.wraps(handle)
        def handle_request(connection: httpcore2.HTTP11Connection, request: Any) -> Any:
            if not self.observer.watching:
                return handle(connection, request)
            self._connections.add(connection)
            port = connection._network_stream.get_extra_info("client_addr")[1]
            attempt = self.observer.note(connection, port)
            try:
                return handle(connection, request)
            except (
                httpcore2.ConnectionNotAvailable
            ):  # another thread was faster, and the pool gives another one
                self.observer.forget(attempt)
                raise

        httpcore2.HTTP11Connection.handle_request = handle_request  # type: ignore[method-assign, assignment]

    async def close(self) -> None:
        for connection in list(self._connections):
            connection.close()


CLIENT = Httpx2
