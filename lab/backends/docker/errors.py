"""What the SDK of the Docker Engine raises, in the lab's words."""

import contextlib
import errno
from collections.abc import Iterator

from docker.errors import APIError, DockerException

from lab.errors import EnvironmentLacks, LabLost


@contextlib.contextmanager
def engine_errors() -> Iterator[None]:
    """What the SDK raises becomes EnvironmentLacks, with the SDK's error as its cause.

    Only calls of the SDK belong in here: any OSError would be taken for the engine's.
    """
    try:
        yield
    except APIError as error:
        raise EnvironmentLacks(f"the Docker Engine refused: {error.explanation or reason(error)}") from error
    except (DockerException, OSError) as error:
        kernel = _kernel_error(error)
        gone = kernel is not None and kernel.errno in (errno.ECONNREFUSED, errno.ENOENT)
        raise (LabLost if gone else EnvironmentLacks)(
            f"the Docker Engine does not answer any more ({reason(error)}); when it does: thawlab clean"
        ) from error


def reason(error: BaseException) -> str:
    """What the kernel said, else the first line of the SDK's error."""
    kernel = _kernel_error(error)
    said = kernel.strerror if kernel else None
    return said or (str(error).splitlines() or [type(error).__name__])[0]


def _kernel_error(error: BaseException) -> OSError | None:
    """The error with the kernel's words, which is at the bottom of the SDK's chain of errors."""
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, OSError) and below.strerror:
            return below
        below = below.__cause__ or below.__context__
    return None
