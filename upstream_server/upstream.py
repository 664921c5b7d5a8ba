"""The upstream: every listener of this process, and the one stream of their events."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from upstream_server.app import orders_app
from upstream_server.behaviour import ListenerSpec
from upstream_server.errors import Conflict, NoSuchListener
from upstream_server.events import EventLog
from upstream_server.listener import Listener, open_listener
from upstream_server.tls import Authority


class Upstream:
    """Opens and closes listeners by name, in the running loop."""

    def __init__(self, tls_names: tuple[str, ...] = ()) -> None:
        """`tls_names` are further names of this machine, for the certificates of its HTTPS listeners."""
        self.authority = Authority(tls_names)
        self.events = EventLog()
        self._app = orders_app()
        self._listeners: dict[str, Listener] = {}
        self._opening = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<Upstream {len(self._listeners)} listeners, {self.events!r}>"

    @property
    def listeners(self) -> Mapping[str, Listener]:
        return MappingProxyType(self._listeners)

    def listener(self, name: str) -> Listener:
        """The listener of a name; raises NoSuchListener."""
        try:
            return self._listeners[name]
        except KeyError:
            raise NoSuchListener(f"no listener is called {name!r}") from None

    async def open(self, spec: ListenerSpec) -> Listener:
        """Open a listener; raises Conflict for a name or a port that is taken, Refused for what is not possible."""
        async with self._opening:
            if spec.name in self._listeners:
                raise Conflict(f"a listener is already called {spec.name!r}: choose another name, or delete that one")
            listener = await open_listener(spec, self._app, self.events, self.authority)
            self._listeners[spec.name] = listener
            return listener

    async def close_listener(self, name: str) -> None:
        """Close a listener and forget it; raises NoSuchListener."""
        listener = self.listener(name)
        del self._listeners[name]
        await listener.close()

    async def close(self) -> None:
        """Close every listener, then the stream of events."""
        for name in tuple(self._listeners):
            await self.close_listener(name)
        self.events.close()
