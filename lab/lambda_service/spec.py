"""What a function is to the service."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.lambda_service.invocation import EXECUTED_VERSION
from lab.scenario.words import WakeOrder

REGION, ACCOUNT = "us-east-1", "123456789012"
"""What the ARNs of this service say; the account is the one of AWS's documentation."""


def arn_of(name: str) -> str:
    """The ARN of a function of this service, whether it is there or not."""
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """A function's settings, as AWS has them, and how the lab freezes and wakes it."""

    name: str
    timeout: float = 3.0
    """Real seconds from the event to the request of the next one."""
    init_timeout: float = 30.0
    """Real seconds from the start to the first request of an event. AWS gives 10 and tries again."""
    max_sandboxes: int = 1
    """How many invocations may run at once."""
    freeze_when_idle: bool = True
    wake_order: WakeOrder = "event-first"
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the function's own."""
    memory: int = 128
    """A label, in MB; nothing is limited by it."""
    may_fork: bool = False
    """Whether a sandbox may begin as the fork of a process that has imported all that the function needs."""

    @property
    def arn(self) -> str:
        return arn_of(self.name)

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that AWS gives a runtime, but for the address of the Runtime API."""
        return {
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": EXECUTED_VERSION,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": EXECUTED_VERSION,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            **self.variables,
        }
