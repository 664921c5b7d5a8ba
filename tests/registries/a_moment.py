"""A moment that the lab does not have: the head of a POST was read, while a GET is let through."""

from upstream_server.moments import Moment, Seen, register


def _is_post(seen: Seen) -> bool:
    return seen.method == "POST"


POST_HEAD = register(
    Moment(
        "post-head",
        "The head of a POST was read, and the app never saw it. Faithful to: a server that is read-only for a while.",
        when="when the head of its order {number} came",
        point="request-head",
        fits=_is_post,
        in_request=True,
    )
)
