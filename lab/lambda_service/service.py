"""A local AWS Lambda: functions behind the Invoke API, sandboxes behind the Runtime API."""

from collections.abc import Mapping
from types import MappingProxyType, TracebackType
from typing import Self

from lab.errors import EnvironmentLacks
from lab.lambda_service.events import EventQueue
from lab.lambda_service.function import Function
from lab.lambda_service.invoke_api import InvokeApi, Jump
from lab.lambda_service.runtime_api import RuntimeApi
from lab.lambda_service.sandbox import SandboxFactory
from lab.lambda_service.slot import BeforeWake, Record
from lab.lambda_service.spec import FunctionSpec
from lab.tasks import to_the_end

__all__ = ["Function", "FunctionSpec", "LambdaService"]


class LambdaService:
    """Holds the functions and both servers; use it as `async with`, or `start` and `close` it.

    `host` is where the Runtime API listens (a port for each sandbox); sandboxes in containers may
    need another name for it: `advertised_host`.
    """

    def __init__(self, host: str = "127.0.0.1", *, advertised_host: str | None = None) -> None:
        self._host = host
        self._functions: dict[str, Function] = {}
        self._runtime_api = RuntimeApi(host, advertised_host)
        self._events = EventQueue()
        self._invoke_api: InvokeApi | None = None
        self._invoke_url: str | None = None

    def __repr__(self) -> str:
        return f"<LambdaService {self._invoke_url or 'without Invoke API'}: {', '.join(self._functions) or 'empty'}>"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def functions(self) -> Mapping[str, Function]:
        return MappingProxyType(self._functions)

    @property
    def runtime_api(self) -> RuntimeApi:
        """The server that sandboxes ask for their events."""
        return self._runtime_api

    @property
    def events(self) -> EventQueue:
        """The asynchronous invocations that are not done."""
        return self._events

    @property
    def invoke_url(self) -> str:
        """What `--endpoint-url` takes; raises RuntimeError when the Invoke API was not started."""
        if self._invoke_url is None:
            raise RuntimeError("this service was started without the Invoke API")
        return self._invoke_url

    async def start(
        self, invoke_port: int | None = None, *, invoke_host: str | None = None, jump: Jump | None = None
    ) -> None:
        """Open the Runtime API and, if a port is given (0: any free one), the Invoke API.

        With `jump` that lets callers ask for a jump of time. Raises EnvironmentLacks when the port is taken.
        """
        await self._runtime_api.start()
        if invoke_port is None:
            return
        self._invoke_api = InvokeApi(self._functions, self._events, jump)
        host = invoke_host or self._host
        try:
            port = await self._invoke_api.start(host, invoke_port)
        except (OSError, UnicodeError) as error:
            await self.close()
            why = error.strerror if isinstance(error, OSError) else "not a name of a host"
            raise EnvironmentLacks(
                f"the Invoke API cannot listen on {host}:{invoke_port} ({why}): choose another port or host"
            ) from error
        self._invoke_url = f"http://{host}:{port}"

    def add(
        self,
        spec: FunctionSpec,
        factory: SandboxFactory,
        record: Record,
        before_wake: BeforeWake | None = None,
        before_first: BeforeWake | None = None,
    ) -> Function:
        """Make a function known; its sandboxes come from `factory`, its journal is `record`.

        `before_wake` is awaited with a sandbox's name just before an event wakes it, frozen or idle; `before_first`
        when it is initialised, just before its first event.
        Raises ValueError for a name that is taken.
        """
        if spec.name in self._functions:
            raise ValueError(f"there is a function {spec.name} already")
        function = Function(spec, factory, record, before_wake, self._runtime_api.open, before_first)
        self._functions[spec.name] = function
        return function

    async def remove(self, function: Function) -> None:
        """Close a function and forget it."""
        self._functions.pop(function.spec.name, None)
        await function.close()

    async def close(self) -> None:
        """Stop every sandbox and both servers; nothing is left even when this is cancelled half-way."""
        await to_the_end(self._close())

    async def _close(self) -> None:
        await self._events.close()
        for function in self._functions.values():
            await function.close()
        if self._invoke_api is not None:
            await self._invoke_api.close()
        await self._runtime_api.close()
