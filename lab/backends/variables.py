"""What a function reads from its environment."""

from lab.functions import shape_of
from lab.scenario.parts import Function
from lab.upstream.client import Listener


def environment(function: Function, listener: Listener) -> dict[str, str]:
    """What a function reads from its environment (see `docs/functions.md`)."""
    variables = {
        "UPSTREAM_URL": listener.url,
        "THAWLAB_CLIENT": function.client,
        "THAWLAB_PRESET": function.preset,
        "THAWLAB_SHAPE": shape_of(function),
        "THAWLAB_BACKGROUND": "1" if function.background else "0",
    }
    return variables | ({"THAWLAB_CA_PEM": listener.ca_pem} if listener.ca_pem else {})
