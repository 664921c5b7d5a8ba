"""The words of scenario files and results: closed sets, each as the glossary of the design has it."""

from typing import Literal

CloseMode = Literal["fin", "rst", "vanish", "blackhole"]
Link = Literal["delivered", "lost"]
Shape = Literal["sync", "loop", "one-loop"]
Wake = Literal["interrupted", "uninterrupted"]
Clock = Literal["runs", "stalls"]
BalancerServer = Literal["nginx", "haproxy"]
Need = Literal["compiler", "net-admin", "nginx", "haproxy", "go", "node", "java"]
WakeOrder = Literal["event-first", "thaw-first"]
SandboxKind = Literal["process", "docker"]
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
