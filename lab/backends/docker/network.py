"""The internal network that the containers of one lab share."""

import ipaddress
import os
import socket
from typing import Self

from docker.models.networks import Network

from lab.backends.docker.engine import LABEL, Engine
from lab.cleanup.procfs import IN_CONTAINER


class LabNetwork:
    """A bridge that lets nothing out; removed with everything else that bears the lab's mark."""

    def __init__(self, name: str, own_address: str) -> None:
        self.name = name
        self.own_address = own_address
        """Where sandboxes find this process."""

    def __repr__(self) -> str:
        return f"<LabNetwork {self.name} lab at {self.own_address}>"

    @classmethod
    async def create(cls, engine: Engine) -> Self:
        """Make the lab's network; a lab that runs in a container joins it."""
        name = f"thawlab-{engine.mark.replace('.', '-')}"
        network = await engine.call(
            engine.client.networks.create, name, driver="bridge", internal=True, labels={LABEL: engine.mark}
        )
        return cls(name, await _own_address(engine, network, name))


async def _own_address(engine: Engine, network: Network, name: str) -> str:
    """The network's gateway or, if this process is in a container, an address of that container in the network."""
    if os.environ.get(IN_CONTAINER):
        me = await engine.call(engine.client.containers.get, socket.gethostname())
        await engine.call(network.connect, me)
        return await engine.address(me, name)
    await engine.call(network.reload)
    settings = network.attrs["IPAM"]["Config"][0]
    first = next(ipaddress.ip_network(settings["Subnet"]).hosts())  # what a bridge takes if none is stated
    return str(settings.get("Gateway") or first)
