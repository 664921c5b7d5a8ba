"""The upstream as the lab drives it: a process of its own, spoken to over its control API.

One process serves a whole lab run; each run of an arm gets a listener of its own, with its own address,
behaviour, connections and ledger. Its events go into the journal of the arm they belong to.
"""

import asyncio
import errno
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp

from lab.errors import EnvironmentLacks, LabLost
from lab.journal import Recorder
from lab.scenario.parts import Upstream
from lab.scenario.steps import Standing
from upstream_server.clock import Advanced
from upstream_server.sock_diag import Pair, Socket, from_plain

MOVED_FROM = 101
"""Number of the first connection at the address that a name was moved to."""
START_BOUND = 30.0
"""Real seconds for the upstream's process to say that it is ready: it takes one, on a loaded machine more."""
CALL_BOUND = 30.0
"""Real seconds for an answer of the control API: it takes milliseconds, and on a machine that is busy a second."""
UNUSED = 60.0
"""Real seconds for which the lab keeps a connection to the control API."""
CLOSE_BOUND = 10.0
"""Real seconds for a listener's last event to arrive, and for the process to end."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One address of the upstream."""

    name: str
    host: str
    port: int
    how: str
    """How its close mode is made here, such as `tcp-repair`."""
    ca_pem: str | None = None
    """The authority that signed its certificate; None without TLS."""
    server_name: str | None = None
    """The name that functions call it by, if that is not its address."""
    behind: "Listener | None" = None
    """The upstream itself, if this address is that of a balancer in front of it."""

    @property
    def url(self) -> str:
        return f"{'https' if self.ca_pem else 'http'}://{self.server_name or self.host}:{self.port}"


class NoSuchListener(EnvironmentLacks):
    """The upstream has no listener of this name."""


class UpstreamClient:
    """Opens and closes listeners over the control API, and writes their events into the journal."""

    def __init__(self, control: str, token: str, address: str, first_connection: int = 1) -> None:
        """`control` is the API's URL, `address` the one that listeners are opened on.

        Connections are numbered from `first_connection`, so that those of two upstreams are told apart.
        """
        self._control = control
        self._address = address
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {token}"},
            timeout=aiohttp.ClientTimeout(total=None),
            # A connection for each call would cost most of it; the upstream keeps unused ones for far longer than this.
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=UNUSED),
        )
        self._recorders: dict[str, Recorder] = {}
        self._first_connection = first_connection
        self._events: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<UpstreamClient {self._control} {len(self._recorders)} listeners>"

    async def follow_events(self) -> None:
        """Begin to read the event stream, which has no time limit; call it once, before the first listener."""
        async with self._bounded("GET", "/events"):
            stream = await self._session.get(f"{self._control}/events", params={"since": 0})
        self._events = asyncio.create_task(self._read(stream))

    async def _read(self, stream: aiohttp.ClientResponse) -> None:
        async with stream:
            async for line in stream.content:
                event = json.loads(line)
                recorder = self._recorders.get(event.pop("listener", ""))
                if recorder is None:
                    continue  # of a listener whose run is over
                event.pop("seq")
                if "connection" in event:
                    event["connection"] += self._first_connection - 1
                if event["kind"] == "executed" and self._first_connection >= MOVED_FROM:
                    event["address"] = "new"
                recorder.copy("upstream", event.pop("kind"), event.pop("t"), event)

    async def open(self, name: str, upstream: Upstream, recorder: Recorder, port: int = 0) -> Listener:
        """Open a listener with this behaviour; its events go to the recorder.

        Raises EnvironmentLacks if the upstream refuses.
        """
        hint = upstream.advertise
        self._recorders[name] = recorder
        asked = {
            "name": name,
            "host": self._address,
            "port": port,
            "idle_timeout": upstream.idle_timeout,
            "close": upstream.close,
            "vanish": upstream.vanish,
            "advertise": {"timeout": hint.timeout, "max": hint.max},
            **_beyond_idle(upstream),
        }
        try:
            answer = await self._call("POST", "/listeners", asked)
        except EnvironmentLacks:
            del self._recorders[name]  # there is no listener to close
            raise
        ca_pem = await self.authority() if upstream.tls != "off" else None
        return Listener(name, answer["host"], answer["port"], answer["how"], ca_pem)

    async def authority(self) -> str:
        """The certificate of the authority that signs its listeners' certificates, as PEM text."""
        answer = await self._call("GET", "/tls")
        return str(answer["ca_pem"])

    async def close_listener(self, name: str) -> None:
        """Close it and wait until all of its events are in the journal."""
        recorder = self._recorders.get(name)
        if recorder is None:
            return
        try:
            await self._call("DELETE", f"/listeners/{name}")
        except NoSuchListener:
            return  # cancelled while it was being opened
        await recorder.wait_for(lambda event: event.kind == "listener-closed", "the upstream's last event", CLOSE_BOUND)
        del self._recorders[name]

    @asynccontextmanager
    async def listener(
        self, name: str, upstream: Upstream, recorder: Recorder, port: int = 0
    ) -> AsyncIterator[Listener]:
        """Open a listener as `open` does; it is closed with the context, also if that is cancelled meanwhile."""
        try:
            yield await self.open(name, upstream, recorder, port)
        finally:
            await self.close_listener(name)

    async def restart(self, name: str, how: str) -> None:
        """It dies and listens again at once; idle connections end with `fin` or `rst`."""
        await self._call("POST", f"/listeners/{name}/restart", {"how": how})

    async def standing(self, name: str) -> Standing:
        """What a listener is at."""
        told = await self._call("GET", f"/listeners/{name}")
        return Standing(told["next"], told["busy"])

    async def advance(self, name: str, by: float) -> Advanced:
        """Move the clock of a listener on by so many seconds; returns when all that was due on the way is done."""
        did = await self._call("POST", f"/listeners/{name}/advance", {"by": by})
        return Advanced(did["total"], did["next"], did["fired"])

    async def give_up_idle(self, name: str) -> None:
        """Idle connections end now, by its close mode."""
        await self._call("POST", f"/listeners/{name}/give-up")

    async def ask(self, name: str, action: str) -> None:
        """Anything else that the control API can do to a listener, such as `give-up`."""
        await self._call("POST", f"/listeners/{name}/{action}")

    async def drain(self, name: str) -> None:
        """It takes no new connection, and the next answer on each open one says `Connection: close` and is the last.

        Idle connections are not given up: they end after their next answer, or by their own timeouts.
        """
        await self._call("POST", f"/listeners/{name}/drain")

    async def listen(self, name: str) -> None:
        """It takes new connections again, at the same address; those that were told to end still do."""
        await self._call("POST", f"/listeners/{name}/listen")

    @property
    def address(self) -> str:
        """Where its listeners are."""
        return self._address

    async def sockets(self, pairs: Sequence[Pair]) -> list[Socket | None]:
        """What the kernel on the upstream's side says about these sockets; None for one that it does not have."""
        return from_plain(await self._call("POST", "/tcp", [asdict(pair) for pair in pairs]))

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | Sequence[Any] | None = None) -> Any:
        async with (
            self._bounded(method, path),
            self._session.request(method, self._control + path, json=body) as response,
        ):
            answer = await response.json()
        if response.status == 404:
            raise NoSuchListener(f"the upstream knows no {path}")
        if response.status >= 400:
            raise EnvironmentLacks(f"the upstream refused {method} {path}: {answer}")
        return answer

    @asynccontextmanager
    async def _bounded(self, method: str, path: str) -> AsyncIterator[None]:
        """Bound a call; raises LabLost if the upstream is gone or stands still, else EnvironmentLacks."""
        try:
            async with asyncio.timeout(CALL_BOUND):
                yield
        except TimeoutError as error:
            raise LabLost(
                f"the upstream at {self._control} did not answer {method} {path} within {CALL_BOUND:g} s: its process "
                "is stopped or the machine is overloaded; try again, with --jobs 1"
            ) from error
        except (aiohttp.ClientError, ValueError) as error:
            if isinstance(error, aiohttp.ClientOSError) and error.errno in (errno.ENETUNREACH, errno.EADDRNOTAVAIL):
                raise LabLost(
                    f"nothing reaches {self._control} here ({error.strerror}): is the loopback interface down? "
                    "try: ip link set lo up"
                ) from error
            gone = isinstance(error, aiohttp.ClientConnectionError)
            raise (LabLost if gone else EnvironmentLacks)(
                f"the upstream's control API at {self._control} is gone or is another server's: {error}; try again"
            ) from error

    async def close(self) -> None:
        """End the conversation; the upstream goes on."""
        if self._events:
            self._events.cancel()
            await asyncio.wait({self._events})
        await self._session.close()


def _beyond_idle(upstream: Upstream) -> dict[str, Any]:
    """What a listener is asked for beyond an idle timeout, where the scenario says so."""
    asked: dict[str, Any] = {}
    if upstream.gateway_timeout is not None:
        asked["gateway_timeout"] = upstream.gateway_timeout
        asked["gateway_refresh"] = upstream.gateway_refresh
    if upstream.max_age is not None:
        asked["max_age"] = upstream.max_age
    if upstream.faults:
        asked["faults"] = [rule.model_dump(exclude_none=True) for rule in upstream.faults]
    if upstream.announce_close:
        asked["announce_close"] = True
    if upstream.tls != "off":
        asked["tls"] = upstream.tls
    return asked
