"""What can happen to one listener of an upstream, whatever kind of sandbox calls it."""

from dataclasses import dataclass

from lab.scenario.steps import Standing
from lab.upstream.client import UpstreamClient


@dataclass(frozen=True, slots=True)
class ListenerHandle:
    """The listener of one experiment; a kind of sandbox adds what is different there."""

    client: UpstreamClient
    name: str

    async def standing(self) -> Standing:
        """What it is at."""
        return await self.client.standing(self.name)

    async def advance(self, by: float) -> Standing:
        """Let its clock jump on. Returns when everything that is due by then has happened."""
        return Standing((await self.client.advance(self.name, by)).next)

    async def restart(self, how: str) -> None:
        """Its process dies and comes back: its connections end with `fin` or `rst`. Returns when it listens again."""
        await self.client.restart(self.name, how)

    async def drain(self) -> None:
        """Its open connections end after their next answer. Returns when a successor takes the new ones."""
        await self.client.drain(self.name)
        await self.client.listen(self.name)

    async def ask(self, action: str) -> None:
        """Anything else that the control API can do to a listener."""
        await self.client.ask(self.name, action)
