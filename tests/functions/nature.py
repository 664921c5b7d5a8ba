"""Where a client is not like the others, by its library's nature: each definition says so, and is held to just that."""

from lab.functions import DEFINITIONS
from tests.functions.contract import Answer
from tests.functions.support import Door, Warm

ONCE = 1


def _clients(word: str) -> frozenset[str]:
    return frozenset(client for client, defined in DEFINITIONS.items() if defined.contract.get(word))


KNOWS_ITS_OWN_METHODS = _clients("own_methods")
"""An SDK has calls, and those of its service are GET and POST."""

RAISES_FOR_A_STATUS = _clients("raises_for_a_status")
"""An answer that says no is an exception, as its users know it; its status is told all the same."""

TAKES_A_PART_FOR_THE_WHOLE = _clients("takes_a_part_for_the_whole")
"""An answer that ends too early is taken as complete."""

FREES_A_CONNECTION_LATER = _clients("frees_a_connection_later")
"""Its pool has a connection back in a later turn of the event loop than the answer's end: a request that is sent at
once gets another one, then the two in turn."""

TELLS_NO_ATTEMPTS = _clients("tells_no_attempts")
"""It has no way to say which connection it took."""

ENDS_ITS_PROCESS = {
    preset for defined in DEFINITIONS.values() for preset in defined.contract.get("ends_its_process", ())
}
"""Presets that a reset between two invocations is fatal to, whichever door it comes from."""

WITHOUT_ERRNO = {"java"}
"""Languages that keep no errno."""


def sends(warm: Warm, end: str) -> int:
    """How often a POST is sent that ends in this way each time."""
    return int(warm.defined.contract.get("sends", {}).get(end, ONCE))


def assert_told_as_seen(warm: Warm, answer: Answer, door: Door) -> None:
    """What the client reports about its connections is what the upstream saw, if each request came once."""
    seen = {event["request"]: (event["connection"], event["number"]) for event in door.of("request")}
    for told in answer.requests:
        connection, number = seen[told.id]
        attempts = [(attempt.local_port, attempt.reused) for attempt in told.attempts]
        nothing = warm.defined.client in TELLS_NO_ATTEMPTS
        assert attempts[-1:] == ([] if nothing else [(door.port_of(connection), number > 1)])
