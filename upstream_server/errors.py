"""What a user of the upstream can cause; each message says what, where and what to do."""


class UpstreamError(Exception):
    """A listener that cannot be made or changed as asked."""


class Conflict(UpstreamError):
    """A name or an address that is taken."""


class Refused(UpstreamError):
    """A request that is invalid here, or that this process may not carry out."""


class NoSuchListener(UpstreamError):
    """A name that no listener has."""
