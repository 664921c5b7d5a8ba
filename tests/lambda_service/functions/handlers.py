"""Functions for the tests; what one does is in its event."""

import os
import signal
import sys
import threading
import time
import traceback
from typing import Any

_invocations = 0


def handler(event: Any, context: Any) -> Any:
    """Do what the event says, then tell who did it."""
    global _invocations
    _invocations += 1
    event = event if isinstance(event, dict) else {"event": event}
    if "print" in event:
        print(event["print"])
    if "complain" in event:
        print(event["complain"], file=sys.stderr)
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "exit" in event:
        os._exit(event["exit"])
    if "signal" in event:
        os.kill(os.getpid(), getattr(signal, event["signal"]))
    if _invocations <= event.get("fail_first", 0):
        raise ValueError(f"failure {_invocations}")
    if "answer_bytes" in event:
        return "x" * (event["answer_bytes"] - 2)  # two quotes in JSON
    client = context.client_context
    return {
        "pid": os.getpid(),
        "count": _invocations,
        "event": event.get("event"),
        "size": len(str(event.get("padding", ""))),
        "request_id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "function": context.function_name,
        "memory": context.memory_limit_in_mb,
        "remaining_ms": context.get_remaining_time_in_millis(),
        "client_context": client.custom if client else None,
        "trace_id": os.environ.get("_X_AMZN_TRACE_ID"),
    }


def leaves_once_answered(event: Any, context: Any) -> None:
    """Ends the process when the answer is on its way and the runtime client would ask for the next event."""
    if event.get("stay"):
        return
    from awslambdaric.lambda_runtime_client import LambdaRuntimeClient

    def leave(client: Any) -> None:
        os._exit(event["status"])

    LambdaRuntimeClient.wait_next_invocation = leave


def ends_at_the_thaw(event: Any, context: Any) -> None:
    """Ends the process with a traceback when it is continued, as an error that nobody handles does."""
    if not event.get("arm"):
        time.sleep(60)  # whether it gets as far as this is chance
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCONT})
    threading.Thread(target=_end_when_continued, daemon=True).start()


def _end_when_continued() -> None:
    signal.sigwait({signal.SIGCONT})
    try:
        raise ConnectionResetError("no handler for this")
    except ConnectionResetError:
        traceback.print_exc()
    os._exit(1)
