"""Watches the connections between function and balancer, which the upstream cannot see, in the function's kernel.

A balancer closes a client's connection that is unused for longer than its `client_timeout`. The function's kernel is
the witness: the socket was ESTABLISHED after the gap began (and the sandbox was frozen), and had received the
balancer's FIN before the wake.
"""

from lab.backends.base import BalancerHandle
from lab.backends.waiting import poll
from lab.journal import Recorder, now
from lab.journal.events import BalancerGaveUp
from lab.plan.experiment import Experiment
from lab.scenario.timeline import Idle

PATIENCE_BOUND = 10.0
"""Real seconds beyond its timeout within which a balancer must close an unused connection."""
LOOK_S = 0.005
"""Real seconds between two looks: the kernel does not announce a FIN for a socket of another process."""


class FrontWatch:
    """Watches during one idle period; does nothing unless the scenario states a balancer's `client_timeout`."""

    def __init__(
        self, experiment: Experiment, period: Idle, balancer: BalancerHandle | None, recorder: Recorder
    ) -> None:
        self._experiment = experiment
        self._period = period
        self._balancer = balancer
        self._recorder = recorder
        self._watched: dict[int, float] = {}
        """The function's ports that were open at the beginning, and when each was last seen open."""

    def __repr__(self) -> str:
        return f"<FrontWatch of {self._experiment.scope}: {len(self._watched)} connections>"

    @property
    def _states_patience(self) -> bool:
        balancer = self._experiment.setting.balancer
        return balancer is not None and balancer.client_timeout is not None

    async def begin(self) -> None:
        """Note which of the function's connections are open now."""
        if self._states_patience:
            t, ports = now(), list(self._numbers())
            states = await self._states(ports)
            self._watched = {port: t for port, state in states.items() if state == "ESTABLISHED"}

    async def end(self) -> None:
        """Record which of them the balancer has closed; if it must close all, wait for that. Raises BarrierTimeout."""

        async def seen() -> bool:
            left_open = bool(self._watched) and await self._look()
            return not (left_open and self._experiment.setting.front_ends(self._period))

        what = "the balancer to give up the function's connection"
        await poll(seen, every=LOOK_S, within=PATIENCE_BOUND, what=what)

    async def _look(self) -> bool:
        """Whether any is still open. Record those that are not."""
        t = now()
        for port, state in (await self._states(list(self._watched))).items():
            if state == "ESTABLISHED":
                self._watched[port] = t
                continue
            self._recorder.record(
                BalancerGaveUp(
                    connection=self._numbers()[port],
                    local_port=port,
                    mode="fin" if state == "CLOSE-WAIT" else "rst",
                    state=state,
                    open_at=self._watched.pop(port),
                )
            )
        return bool(self._watched)

    async def _states(self, ports: list[int]) -> dict[int, str]:
        assert self._balancer is not None, "a client_timeout is stated, so there is a balancer"
        states = await self._balancer.client_states(ports)
        return dict(zip(ports, states, strict=True))

    def _numbers(self) -> dict[int, int]:
        """The function's connections by their ports, numbered from 1 in the order of their first use."""
        requests = [event for event in self._recorder.events if (event.source, event.kind) == ("client", "request")]
        ports = dict.fromkeys(attempt["local_port"] for event in requests for attempt in event["attempts"])
        return {port: number for number, port in enumerate(ports, start=1)}
