"""How long the lab waits for a function, in real seconds.

Their order matters. What settles a function waits for runtimes that may still be starting, or that have answered and
go on until their time limit ends them; so it must wait longer than both limits (`settle_bound`), or a slow function
would be reported as trouble of the lab.
"""

from lab.lambda_service.spec import FunctionSpec

INIT_TIMEOUT = 30.0
"""From the start of a sandbox to its first request of an event."""
FUNCTION_TIMEOUT = 30.0
"""From an event to the request of the next one, if the scenario states no limit. Clients' own timeouts, up to 900s of
lab time, end before it."""
SETTLING = 10.0
"""To end or freeze a sandbox whose time is over: milliseconds, but a machine may be busy."""
EVENT_BOUND = 60.0
"""For an asynchronous event with both of its retries: three minutes of lab time, at any usual speed."""


def settle_bound(spec: FunctionSpec) -> float:
    """For every runtime of a function to ask for its next event, and to be frozen if it is to be."""
    return max(spec.init_timeout, spec.timeout) + SETTLING
