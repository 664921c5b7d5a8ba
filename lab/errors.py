"""Errors that a user can cause, each with its exit status; the command line prints them without a traceback."""


class LabError(Exception):
    """An error that a user can fix: one or two lines that say what, where and what to do."""

    exit_status = 3


class UsageError(LabError):
    """A bad option or a bad scenario file."""

    exit_status = 2


class EnvironmentLacks(LabError):
    """A part that this machine does not have, a port that is taken, a process that did not start."""

    exit_status = 3


class LabLost(EnvironmentLacks):
    """Something that all runs need has ended, the upstream or the engine, so the lab ends."""


def leaves(error: BaseException) -> list[BaseException]:
    """The errors that a group is made of, however deep, in their order; a plain error is its own."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for part in error.exceptions for leaf in leaves(part)]
    return [error]
