"""One invocation: what goes in, what comes out, how it can fail, and how its log reads."""

import asyncio
import json
import math
import signal
from dataclasses import dataclass, field
from typing import Any

EXECUTED_VERSION = "$LATEST"

MAX_RESPONSE = 6 * 1024 * 1024 + 100
"""Largest answer of a function in bytes, as in AWS's runtime interface emulator (MaxPayloadSize)."""


class NotDelivered(Exception):
    """The sandbox ended before it got the event; another one can have it."""


class RuntimeFailure(Exception):
    """An invocation failed in a way that the function's own code did not report.

    `error_type` and the text are those of AWS: Runtime.ExitError, Sandbox.Timedout,
    Function.ResponseSizeTooLarge, Sandbox.Failure.
    """

    def __init__(self, error_type: str, text: str) -> None:
        super().__init__(text)
        self.error_type = error_type

    def payload(self, request_id: str) -> bytes:
        """What the invoker gets."""
        message = f"RequestId: {request_id} Error: {self}"
        return json.dumps({"errorType": self.error_type, "errorMessage": message}, separators=(",", ":")).encode()

    def log_line(self, request_id: str) -> str:
        """How the failure reads in the invocation's log."""
        return f"RequestId: {request_id} Error: {self}\n{self.error_type}\n"


class RuntimeExited(RuntimeFailure):
    """The process ended; `status` is negative for a signal, None if it is unknown."""

    def __init__(self, status: int | None) -> None:
        super().__init__("Runtime.ExitError", _exit_text(status))
        self.status = status


class TimedOut(RuntimeFailure):
    """The function did not end in time. The message's shape is the live service's."""

    def __init__(self, timeout: float) -> None:
        super().__init__("Sandbox.Timedout", f"Task timed out after {timeout:.2f} seconds")


class ResponseTooLarge(RuntimeFailure):
    """The function's answer is larger than an invoker may get."""

    def __init__(self, size: int) -> None:
        super().__init__(
            "Function.ResponseSizeTooLarge",
            f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({MAX_RESPONSE} bytes).",
        )

    def payload(self, request_id: str) -> bytes:
        return json.dumps({"errorType": self.error_type, "errorMessage": str(self)}, separators=(",", ":")).encode()


class ReportedError(RuntimeFailure):
    """The runtime client reported the error itself; its own document goes to the invoker."""

    def __init__(self, document: bytes, error_type: str) -> None:
        parsed = read_json(document)
        members: dict[str, Any] = parsed if isinstance(parsed, dict) else {}
        super().__init__(str(members.get("errorType") or error_type), str(members.get("errorMessage") or ""))
        self._document = document

    @property
    def trace(self) -> str:
        """The document as text, with the stack that the runtime client sent."""
        return self._document.decode(errors="replace")

    def payload(self, request_id: str) -> bytes:
        return self._document

    def log_line(self, request_id: str) -> str:
        return ""  # The runtime client has written it to its own log already.


def _exit_text(status: int | None) -> str:
    if not status:
        return "Runtime exited without providing a reason"
    if status > 0:
        return f"Runtime exited with error: exit status {status}"
    name = signal.strsignal(-status) or f"signal {-status}"
    return f"Runtime exited with error: signal: {name.lower()}"


@dataclass(frozen=True, slots=True)
class InvokeResult:
    """The result of an invocation."""

    request_id: str
    payload: bytes
    function_error: str | None
    """`Unhandled` if the function failed in any way; None if it answered."""
    cold: bool
    sandbox: str
    log_tail: str
    """The last 4 KB of the invocation's log, from START to REPORT."""
    executed_version: str = EXECUTED_VERSION

    def __repr__(self) -> str:
        start = "cold" if self.cold else "warm"
        return f"<InvokeResult {self.function_error or 'ok'} {len(self.payload)} bytes, {start} in {self.sandbox}>"


@dataclass(frozen=True, slots=True, eq=False)
class Invocation:
    """An event on its way to a sandbox; `answer` is where its result will be."""

    request_id: str
    payload: bytes
    arn: str
    trace_id: str
    client_context: str | None = None
    """One line of JSON."""
    answer: asyncio.Future[InvokeResult] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


LOG_TAIL = 4096
"""Bytes of X-Amz-Log-Result before base64."""


def log_of(request_id: str, output: str, failure: str, duration: float, init: float | None, memory: int) -> str:
    """The end of an invocation's log as Lambda writes it; durations in seconds, memory in MB.

    The line of `Max Memory Used` is left out: nobody measured it.
    """
    if output and not output.endswith("\n"):
        output += "\n"
    report = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {duration * 1000:.2f} ms",
        f"Billed Duration: {math.ceil(duration * 1000)} ms",
        f"Memory Size: {memory} MB",
    ]
    if init is not None:
        report.append(f"Init Duration: {init * 1000:.2f} ms")
    text = (
        f"START RequestId: {request_id} Version: {EXECUTED_VERSION}\n{output}{failure}"
        f"END RequestId: {request_id}\n" + "\t".join(report) + "\t\n"
    )
    return text.encode()[-LOG_TAIL:].decode(errors="ignore")


def read_json(document: bytes) -> Any:
    """The parsed document, None if it is not JSON."""
    try:
        return parse_json(document)
    except ValueError:
        return None


def parse_json(document: bytes) -> Any:
    """Parse strict JSON in UTF-8; raises ValueError for anything else, NaN and Infinity included."""
    try:
        return json.loads(document.decode(), parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
