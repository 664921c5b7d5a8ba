"""urllib3: the pool below requests and botocore."""

from typing import ClassVar

from urllib3.exceptions import ProtocolError

from lambda_app.python.clients.over_http_client import OverHttpClient
from lambda_app.python.outcome import Kinds


def ended_in_chunks(error: BaseException) -> bool:
    """The end of file where a chunk should begin: a ProtocolError that names no error of the connection."""
    return isinstance(error, ProtocolError) and len(error.args) == 1


class Urllib3(OverHttpClient):
    distribution = "urllib3"
    kinds: ClassVar[Kinds] = ((ended_in_chunks, "truncated"),)
    body_option = "body"


CLIENT = Urllib3
