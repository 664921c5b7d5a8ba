"""pycurl: libcurl's connections, which are its own; no socket of Python's is involved.

Before each try, its own retries too, libcurl calls back with the addresses of the
connection that it took (`PREREQFUNCTION`), and for each socket that it opens
(`SOCKOPTFUNCTION`). A handle with both callbacks stands in for `pycurl.Curl`.
"""

import os
from typing import Any, ClassVar
from weakref import WeakSet

import pycurl

from lambda_app.python.client import Blocking
from lambda_app.python.observe import Observer
from lambda_app.python.outcome import Kinds


def says(*codes: int) -> Any:
    """Whether an error of libcurl's has one of these codes."""
    return lambda error: isinstance(error, pycurl.error) and error.args[0] in codes


def ended_over_tls(error: BaseException) -> bool:
    """The end of file where an answer should begin: OpenSSL has no errno for it."""
    return says(pycurl.E_RECV_ERROR)(error) and "unexpected eof" in str(error)


class Connection:
    """Stands for one of libcurl's, as long as its handle has it."""


class WatchedCurl(pycurl.Curl):
    """A handle that tells what it takes; its errors say which errno they had."""

    observer: ClassVar[Observer]
    handles: ClassVar["WeakSet[WatchedCurl]"] = WeakSet()

    def __init__(self) -> None:
        super().__init__()
        self.handles.add(self)
        self.connections: dict[int, Connection] = {}
        self.opened = False

    def perform(self) -> None:
        self.setopt(pycurl.SOCKOPTFUNCTION, self.opens)
        self.setopt(pycurl.PREREQFUNCTION, self.takes)
        if "THAWLAB_CA_PEM" in os.environ:
            self.setopt(pycurl.CAINFO_BLOB, os.environ["THAWLAB_CA_PEM"])
        try:
            super().perform()
        except pycurl.error as error:
            if number := self.getinfo(pycurl.OS_ERRNO):
                raise error from OSError(number, os.strerror(number))
            raise

    def opens(self, descriptor: int, purpose: int) -> int:
        self.opened = True
        return int(pycurl.SOCKOPT_OK)

    def takes(self, to: str, own: str, to_port: int, own_port: int) -> int:
        if self.opened or own_port not in self.connections:
            self.connections[own_port] = Connection()
        self.opened = False
        if self.observer.watching:
            self.observer.note(self.connections[own_port], own_port)
        return int(pycurl.PREREQFUNC_OK)


class Pycurl(Blocking):
    distribution = "pycurl"
    kinds: ClassVar[Kinds] = (
        (says(pycurl.E_PARTIAL_FILE), "truncated"),
        (says(pycurl.E_GOT_NOTHING), "eof"),
        (says(pycurl.E_OPERATION_TIMEDOUT), "timeout"),
        (ended_over_tls, "eof"),
    )
    json_option = None

    def watch(self) -> None:
        WatchedCurl.observer = self.observer
        pycurl.Curl = WatchedCurl

    async def close(self) -> None:
        for handle in list(WatchedCurl.handles):
            handle.close()


CLIENT = Pycurl
