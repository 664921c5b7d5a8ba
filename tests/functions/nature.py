"""Where a client is not like the others, by its library's nature: each is stated here, and held to just that."""

from tests.functions.contract import Answer
from tests.functions.support import Door, Warm

ONCE = 1
SENDS: dict[str, dict[str, int]] = {
    # RetryAndFollowUpInterceptor: that a pooled connection failed is no reason to give up the address.
    "okhttp": {"reused": 2},
    # Three tries, whatever the method: its default, without a preset that asks for it.
    "botocore": {"reset": 3, "eof": 3, "chunked": 3, "reset in the body": 3, "timeout": 3, "reused": 2},
}
"""How often the library itself sends a plain POST that ends in a way, where that is more than once."""

KNOWS_ITS_OWN_METHODS = {"botocore"}
"""An SDK has calls, and those of its service are GET and POST."""

RAISES_FOR_A_STATUS = {"botocore"}
"""An answer that says no is an exception, as its users know it; its status is told all the same."""

TAKES_A_PART_FOR_THE_WHOLE = {"botocore"}
"""It reads with `enforce_content_length=False`: an answer that ends too early is one that is complete."""

FREES_A_CONNECTION_LATER = {"undici", "fetch", "fetch@node20"}
"""Its pool has a connection back in a later turn of the event loop than the answer's end: whoever sends at once gets
another one, then the two in turn."""

TELLS_NO_ATTEMPTS = {"jdk-http"}
"""It has no way to say which connection it took."""

ENDS_ITS_PROCESS = {"late_write", "raw_socket"}
"""Presets that a reset between two invocations is fatal to, whichever door it comes from."""

WITHOUT_ERRNO = {"java"}
"""Languages that keep no errno."""


def sends(warm: Warm, end: str) -> int:
    """How often a POST is sent that ends in this way each time."""
    return SENDS.get(warm.defined.client, {}).get(end, ONCE)


def assert_told_as_seen(warm: Warm, answer: Answer, door: Door) -> None:
    """What the client tells of its connections is what the upstream saw, where each request came once."""
    seen = {event["request"]: (event["connection"], event["number"]) for event in door.of("request")}
    for told in answer.requests:
        connection, number = seen[told.id]
        attempts = [(attempt.local_port, attempt.reused) for attempt in told.attempts]
        nothing = warm.defined.client in TELLS_NO_ATTEMPTS
        assert attempts[-1:] == ([] if nothing else [(door.port_of(connection), number > 1)])
