"""The words of scenario files and results: closed sets, as docs/scenarios.md tells them.

Close modes and moments are registered with the upstream (`upstream_server.faults`, `upstream_server.moments`), kinds of
sandbox with the backends (`lab.scenario.kinds`).
"""

from typing import Annotated, Literal

from lab.scenario import kinds
from lab.scenario.kinds import Ability as Ability
from upstream_server.vocabulary import CloseMode as CloseMode
from upstream_server.vocabulary import OneOf

Link = Literal["delivered", "lost"]
Shape = Literal["sync", "loop", "one-loop"]
Wake = Literal["interrupted", "uninterrupted"]
Clock = Literal["runs", "stalls"]
BalancerServer = Literal["nginx", "haproxy"]
Need = str
"""What a machine must have: a name that `lab.plan.needs.LABELS` explains."""
WakeOrder = Literal["event-first", "thaw-first"]
SandboxKind = Annotated[str, OneOf("kind of sandbox", kinds.names)]
Role = Literal["bug", "contrast", "control", "fix", "non-fix"]
OutcomeClass = Literal[
    "ok",
    "eof",
    "epipe",
    "reset",
    "closed-locally",
    "timeout",
    "refused",
    "truncated",
    "http-error",
    "crashed",
    "other",
]
GatewayRefresh = Literal["requests", "probes"]
Rate = Literal["never", "sometimes", "always"]
TcpState = Literal["ESTABLISHED", "CLOSE-WAIT", "CLOSE"]
Reuse = Literal["used", "replaced", "not kept", "kept"]
"""What became of the connection that died, as the upstream saw it. `used`: the request went into it. `replaced`: the
client had kept it and took a new connection; a look at the socket and a try that sends nothing cannot be told apart.
`not kept`: the client had closed it before. `kept`: nothing died, and the request came on it."""
