"""How long the lab waits for a function, in real seconds, and how often it tries.

Their order matters. Before a function counts as settled, its runtimes may still be starting, or may go on after their
answer until their time limit ends them. So `settle_bound` must be longer than both limits; otherwise a slow function
would be reported as trouble of the lab.
"""

from lab.lambda_service.spec import FunctionSpec

ATTEMPTS = 3
"""How often a run, or a cell of the matrix, is tried before it stays inconclusive: load may disturb one attempt, hardly
three in a row."""
INIT_TIMEOUT = 30.0
"""From the start of a sandbox until it first asks for an event."""
FUNCTION_TIMEOUT = 30.0
"""From one event until the runtime asks for the next, if the scenario states no limit. It is longer than any client's
own timeout (at most 900s of lab time)."""
SETTLING = 10.0
"""To end or freeze a sandbox whose time is over: milliseconds, more on a busy machine."""
EVENT_BOUND = 60.0
"""For an asynchronous event with both of its retries: three minutes of lab time, at any usual speed."""


def settle_bound(spec: FunctionSpec) -> float:
    """Until every runtime of a function has asked for its next event and, if the policy says so, is frozen."""
    return max(spec.init_timeout, spec.timeout) + SETTLING
