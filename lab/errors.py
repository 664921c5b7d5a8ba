"""What a user can cause, each with its exit status; the command line prints them without a traceback."""


class LabError(Exception):
    """Something a user can mend: one or two lines that say what, where and what to do."""

    exit_status = 3


class UsageError(LabError):
    """A bad option or a bad scenario file."""

    exit_status = 2


class EnvironmentLacks(LabError):
    """A part that this machine does not have, a port that is taken, a process that did not start."""

    exit_status = 3
