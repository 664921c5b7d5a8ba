"""Functions in warm processes, and upstreams whose own events say what really came."""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from lab.backends.process.backend import process_factory
from lab.backends.process.site import ProcessUpstream
from lab.backends.registry import lacking
from lab.backends.shims import compiled, preload
from lab.backends.variables import environment
from lab.cleanup.procfs import lab_mark
from lab.functions import definition
from lab.functions.definition import Definition
from lab.journal import Event, Journal, Recorder, Scope, now
from lab.lambda_service.invocation import InvokeResult
from lab.lambda_service.service import Function, FunctionSpec, LambdaService
from lab.plan.needs import lack_reason
from lab.run.lab_time import LabTime
from lab.scenario import parts
from lab.scenario.words import Shape
from lab.upstream.client import Listener, UpstreamClient
from tests.functions.contract import Answer
from tests.patience import PATIENCE

LONGEST = 6 * 3600.0
"""Lab seconds that an invocation may take: a request that hangs ends by its client's own limit, not by this."""

MARK = f"tests-{lab_mark(os.getpid())}"
"""Not this process's own: labs that other tests run in it kill at their end whatever bears that one."""

Json = dict[str, Any]


def lacks(defined: Definition) -> str | None:
    """Why this machine cannot run the function in a process, in the lab's words; None if it can."""
    return lack_reason(defined.needs, lacking("process"))


def sha256_of(client: str, preset: str) -> str:
    """Of the preset's file in this checkout."""
    return hashlib.sha256(definition(client).preset_path(preset).read_bytes()).hexdigest()


@dataclass(frozen=True, slots=True)
class Door:
    """A listener of the upstream, with a journal of its own."""

    client: UpstreamClient
    listener: Listener
    recorder: Recorder

    @property
    def url(self) -> str:
        return self.listener.url

    def of(self, kind: str, **about: Any) -> list[Event]:
        """The events of a kind with these data; all there will be once the door is closed."""
        return [event for event in self.recorder.events if _fits(event, kind, about)]

    async def wait_for(self, kind: str, **about: Any) -> Event:
        return await self.recorder.wait_for(lambda event: _fits(event, kind, about), f"{kind} {about}", PATIENCE)

    async def close(self) -> None:
        await self.client.close_listener(self.listener.name)

    @property
    def connections(self) -> int:
        return len(self.of("connection-opened"))

    @property
    def requests(self) -> list[tuple[int, int]]:
        """Of each request that came: its connection, and which one on that connection it was."""
        return [(event["connection"], event["number"]) for event in self.of("request")]

    @property
    def executed(self) -> list[str]:
        """The logical requests that were carried out, each as often as it was."""
        return [event["request"] for event in self.of("executed")]

    def port_of(self, connection: int) -> int:
        (opened,) = self.of("connection-opened", connection=connection)
        return int(opened["peer_port"])


def _fits(event: Event, kind: str, about: Mapping[str, Any]) -> bool:
    return event.kind == kind and about.items() <= dict(event.data).items()


@dataclass(frozen=True, slots=True)
class Warm:
    """A function that was initialised and answered its first event, which was empty."""

    defined: Definition
    function: Function
    home: Door
    """The upstream of its environment, closed by now; its events are those of the first invocation."""
    first: Answer

    async def invoke(self, *requests: Json, **event: Any) -> Answer:
        """An event with these requests; its answer, which is held to the contract."""
        return await invoke(self.function, {"requests": requests} | event if requests else event)

    async def fresh(self, door: Door | str, preset: str, *requests: Json, **event: Any) -> Answer:
        """The same, with a new client for another upstream."""
        url = door if isinstance(door, str) else door.url
        return await self.invoke(*requests, fresh={"upstream_url": url, "preset": preset}, **event)

    async def hang(self, door: Door, preset: str, *requests: Json) -> tuple[Answer, float]:
        """The same for requests that are not answered, with the lab seconds that went by: time jumps meanwhile."""
        upstream = ProcessUpstream(door.client, door.listener.name, loses_packets=False)
        lab_time = LabTime(upstream, self.function, door.recorder, None)
        began = lab_time.now()
        async with asyncio.timeout(PATIENCE):
            answer = await lab_time.until(self.fresh(door, preset, *requests))
        return answer, lab_time.now() - began

    async def fail(self, door: Door, on_error: str, *requests: Json) -> Json:
        """An event whose invocation fails; the error as the invoker gets it."""
        event = {"requests": requests, "on_error": on_error, "fresh": {"upstream_url": door.url, "preset": "seed"}}
        result = await self.function.invoke(json.dumps(event).encode())
        assert result.function_error == "Unhandled", result.payload
        document: Json = json.loads(result.payload)
        return document

    async def settle(self) -> None:
        """Until it waits for the next event: a runtime client that is just about to ask has limits of its own."""
        await asyncio.wait_for(self.function.settled(), PATIENCE)

    async def settle_frozen(self) -> None:
        """Freeze until the next event."""
        self.function.freeze_when_idle = True
        await asyncio.wait_for(self.function.settled(), PATIENCE)


async def invoke(function: Function, event: Json) -> Answer:
    """Invoke; the answer is held to the contract, and its times to the machine's clock."""
    began = now()
    async with asyncio.timeout(PATIENCE):
        result: InvokeResult = await function.invoke(json.dumps(event).encode())
    function.freeze_when_idle = False
    assert result.function_error is None, f"{result.payload!r}\n{result.log_tail}"
    answer = Answer.model_validate_json(result.payload)
    assert all(began <= told.started <= told.ended <= now() for told in answer.requests), (began, answer, now())
    return answer


@dataclass(slots=True)
class Hall:
    """What all tests share: a Lambda service, an upstream, and one warm function at a time."""

    upstream: UpstreamClient
    service: LambdaService
    folder: Path
    ca_pem: str = ""
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _warm: dict[tuple[str, Shape, bool, str], Warm] = field(default_factory=dict)

    @asynccontextmanager
    async def door(self, **behaviour: Any) -> AsyncIterator[Door]:
        """A listener; when the context ends, it is closed and all of its events are known."""
        name = f"door-{next(self._numbers)}"
        recorder = Recorder(Journal(), Scope("functions", name, 1))
        listener = await self.upstream.open(name, parts.Upstream.model_validate(behaviour), recorder)
        door = Door(self.upstream, listener, recorder)
        try:
            yield door
        finally:
            await door.close()

    async def warm(
        self, client: str, shape: Shape | None = None, *, preset: str = "seed", trusts_nobody: bool = False
    ) -> Warm:
        """The function for a client, in the process that it already has if it was the last one asked for.

        `preset` is the one that it is going to be used with. One that trusts nobody does not know the upstream's
        authority.
        """
        defined = definition(client)
        usual, *_ = defined.shapes
        first = preset if defined.one_preset else "seed"
        usual_key = (client, usual, False, "seed")
        key = (client, shape or usual, trusts_nobody, first)
        if key not in self._warm:
            for other in [known for known in self._warm if known != usual_key]:
                await self.service.remove(self._warm.pop(other).function)
            self._warm[key] = await self._start(defined, key[1], first, ca_pem="" if trusts_nobody else self.ca_pem)
        return self._warm[key]

    async def forget(self, warm: Warm) -> None:
        """Stop its sandbox; the next user of the function starts another one."""
        self._warm = {key: known for key, known in self._warm.items() if known is not warm}
        await self.service.remove(warm.function)

    async def _start(self, defined: Definition, shape: Shape, preset: str, ca_pem: str) -> Warm:
        built = await asyncio.to_thread(defined.program.here)
        async with self.door() as home:
            function = parts.Function(client=defined.client, preset=preset, shape=shape)
            variables = environment(function, home.listener) | ({"THAWLAB_CA_PEM": ca_pem} if ca_pem else {})
            variables |= preload(await asyncio.to_thread(compiled))
            spec = FunctionSpec(f"function-{next(self._numbers)}", timeout=LONGEST, freeze_when_idle=False)
            make = process_factory(function, built, spec.environment | variables, MARK, self.folder)
            added = self.service.add(spec, make, home.recorder.record)
            first = await invoke(added, {})
        return Warm(defined, added, home, first)
