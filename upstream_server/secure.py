"""The same connection over TLS: its handshake and its close_notify."""

import h11
from uvicorn.protocols.http.flow_control import FlowControl

from upstream_server.protocol import FaultProtocol


class SecureFaultProtocol(FaultProtocol):
    """HTTPS. The connection is accepted first and then secured, so that TCP's moments come before those of TLS.

    asyncio's TLS lies between `wire` and `transport`. What ends a connection acts on the wire, below it.
    """

    _secured = False
    _early = b""

    def ready(self) -> None:
        task = self.loop.create_task(self._secure())
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    async def _secure(self) -> None:
        context = self.listener.tls_context
        assert context is not None
        try:
            transport = await self.loop.start_tls(self.wire, self, context, server_side=True)
        except (OSError, RuntimeError):  # RuntimeError: asyncio noticed too late that the connection was lost
            transport = None
        if transport is None or self.wire.is_closing():
            if self in self.connections:  # asyncio does not report an end during the handshake
                self.connection_lost(None)
            return
        self.transport = transport
        self.flow = FlowControl(transport)
        self.scheme = "https"
        self._secured = True
        super().ready()
        if self._early:
            self.data_received(self._early)

    def data_received(self, data: bytes) -> None:
        if self._secured or self.conn.silent:
            super().data_received(data)
        else:
            # The first request can come with the end of the handshake, before start_tls answers.
            self._early += data

    def connection_lost(self, exc: Exception | None) -> None:
        # asyncio reports no end of file if the client ends TLS with a bare FIN. An end without an error that
        # HTTP did not announce was the client's.
        if exc is None and self.conn.our_state not in (h11.MUST_CLOSE, h11.CLOSED):
            self._client_ended = True
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing() and not self.wire.is_closing() and not self.transport.get_write_buffer_size():
            # asyncio would wait for the client's close_notify; servers send theirs, and the FIN behind it.
            self.wire.close()

    def say_goodbye(self) -> None:
        if self._secured and self.listener.tls == "close-notify":
            self.transport.close()  # sends the close_notify at once; the wire is still open

    def _buffered(self) -> int:
        inner = self.transport.get_write_buffer_size() if self._secured else 0
        return inner + self.wire.get_write_buffer_size()
