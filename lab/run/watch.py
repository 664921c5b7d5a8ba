"""What the kernels say about one experiment: its sockets just before each wake, and what its sandboxes have loaded."""

from collections.abc import Collection

from lab.backends.base import KernelView
from lab.journal import Event, Recorder
from lab.journal.events import ConnectionsCounted, OpenConnection, SandboxWitnessed, SocketExamined
from lab.plan.experiment import Experiment

ANSWERS = ("returned", "failed")
"""Events by which an invocation ends."""
OPEN = ("ESTABLISHED", "CLOSE-WAIT")
"""States of a socket that its client has not closed."""


class KernelWatch:
    """Asks the kernels and records their answers."""

    def __init__(self, experiment: Experiment, kernel: KernelView, recorder: Recorder) -> None:
        self._experiment = experiment
        self._kernel = kernel
        self._recorder = recorder
        self._wakes = 0
        self._witnessed: set[str] = set()

    async def before_wake(self, sandbox: str) -> None:
        """Record what the kernels say about each connection."""
        if self._experiment.setting.by_chance:
            return  # looking takes time, and here time alone decides
        self._wakes += 1
        if any(event.kind in ANSWERS for event in self._recorder.events):
            await self.witness([sandbox])  # one that served another experiment had no connection of this one before
        connections = self._connections()
        ends = await self._kernel.ends(connections)
        for event, end in zip(connections, ends, strict=True):
            client, upstream = end.states
            self._recorder.record(
                SocketExamined(
                    wake=self._wakes,
                    sandbox=sandbox,
                    connection=event["connection"],
                    client=client,
                    upstream=upstream,
                    info=end.books,
                )
            )

    async def witness(self, sandboxes: Collection[str]) -> None:
        """Record once what the kernel shows of each sandbox, while it is idle and its connection is still unharmed."""
        if set(sandboxes) <= self._witnessed:
            return
        seen = await self._kernel.witness(self._connections())
        for sandbox, witness in seen.items():
            if sandbox not in self._witnessed:
                self._witnessed.add(sandbox)
                self._recorder.record(
                    SandboxWitnessed(
                        sandbox=sandbox,
                        preloaded=None if witness.preloaded is None else tuple(witness.preloaded),
                        loop=witness.loop,
                        wake=witness.wake,
                    )
                )

    async def count_connections_left(self) -> None:
        """Record which connections the client still has at the end of the story."""
        connections = self._connections()
        ends = await self._kernel.ends(connections)
        # Several connections may have used a port one after the other: the socket belongs to the last one.
        last = {
            event["peer"]: (event["connection"], end.states[0]) for event, end in zip(connections, ends, strict=True)
        }
        left = tuple(OpenConnection(number, state) for number, state in last.values() if state in OPEN)
        self._recorder.record(ConnectionsCounted(open=left))

    def _connections(self) -> list[Event]:
        return [event for event in self._recorder.events if event.kind == "connection-opened"]
