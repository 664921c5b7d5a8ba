"""How long the lab waits for a function, in real seconds unless it says otherwise, and how often it tries.

Their order matters. Before a function counts as settled, its runtimes may still be starting, or may go on after their
answer until their time limit ends them. So `settle_bound` must be longer than both limits; otherwise a slow function
would be reported as trouble of the lab.
"""

from lab.lambda_service.spec import FunctionSpec
from lab.scenario.timeline import REAL_TIME

ATTEMPTS = 3
"""How often a run, or a cell of the matrix, is tried before it stays inconclusive: load may disturb one attempt, hardly
three in a row."""
INIT_TIMEOUT = 30.0
"""From the start of a sandbox until it first asks for an event."""
FUNCTION_TIMEOUT = 1200.0
"""Lab seconds from one event until the runtime asks for the next, if the scenario states no limit. It is longer than
any client's own timeout (at most 900s)."""
WORK = 30.0
"""From one event until the runtime asks for the next, while the clocks jump over all that it waits for."""
SETTLING = 10.0
"""To end or freeze a sandbox whose time is over: milliseconds, more on a busy machine."""
EVENT_TIME, EVENT_WORK = 180.0, 60.0
"""For an asynchronous event with both of its retries: lab seconds between its tries, and real seconds for the rest."""


def settle_bound(spec: FunctionSpec, pace: float | None) -> float:
    """Until every runtime of a function has asked for its next event and, if the policy says so, is frozen."""
    return max(spec.init_timeout, spec.timeout if pace == REAL_TIME else WORK) + SETTLING


def event_bound(pace: float | None) -> float:
    """Until the platform is done with an asynchronous event."""
    return EVENT_WORK + (EVENT_TIME if pace == REAL_TIME else 0.0)
