"""urllib3: the pool below requests and botocore."""

from typing import ClassVar

from urllib3.exceptions import ProtocolError

from lambda_app.python.outcome import Kinds
from lambda_app.python.over_http_client import OverHttpClient


def ended_in_chunks(error: BaseException) -> bool:
    """The end of file where a chunk should begin: the ProtocolError without a cause."""
    return isinstance(error, ProtocolError) and len(error.args) == 1


class Urllib3(OverHttpClient):
    distribution = "urllib3"
    kinds: ClassVar[Kinds] = ((ended_in_chunks, "truncated"),)
    body_option = "body"


CLIENT = Urllib3
