"""Errors of the Invoke API, with the names, statuses and members of AWS's own service model.

The model is the one that botocore ships (lambda/2015-03-31/service-2.json); the tests hold this
table against it. Where the live service differs from its model, the model wins here, because it is
what clients are generated from: live, an oversized request answers `RequestEntityTooLargeException`,
a name that no client has a class for.
"""

from typing import ClassVar, Literal


class InvokeError(Exception):
    """An error answer of the Invoke API itself, not of the function."""

    status: ClassVar[int]
    message_member: ClassVar[Literal["message", "Message"]] = "message"
    fault: ClassVar[Literal["User", "Service"]] = "User"
    extra: ClassVar[dict[str, str]] = {}

    @property
    def code(self) -> str:
        """The error's name on the wire."""
        return type(self).__name__

    @property
    def members(self) -> dict[str, str]:
        """The JSON body."""
        return {"Type": self.fault, self.message_member: str(self), **self.extra}


class InvalidParameterValueException(InvokeError):
    """A header or a query parameter has a value that the API does not know."""

    status = 400


class InvalidRequestContentException(InvokeError):
    """The payload or the client context is not JSON."""

    status = 400


class ResourceNotFoundException(InvokeError):
    """No function has this name."""

    status = 404
    message_member = "Message"


class UnknownOperationException(InvokeError):
    """An operation of AWS Lambda that this service does not have; the model has no shape for it."""

    status = 404


class RequestTooLargeException(InvokeError):
    """The payload is above the limit of its invocation type."""

    status = 413


class TooManyRequestsException(InvokeError):
    """Every sandbox that the function may have is at work."""

    status = 429
    extra: ClassVar[dict[str, str]] = {"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded"}


class ServiceException(InvokeError):
    """The lab itself could not do it: no sandbox would start, or the service is closing."""

    status = 500
    message_member = "Message"
    fault = "Service"


class FunctionClosed(Exception):
    """The function was closed before the invocation had its answer."""
