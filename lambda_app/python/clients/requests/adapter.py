"""requests: a session over urllib3's pool."""

from typing import ClassVar

import requests

from lambda_app.python.clients.urllib3.adapter import Urllib3
from lambda_app.python.outcome import Kinds


class Requests(Urllib3):
    distribution = "requests"
    kinds: ClassVar[Kinds] = (*Urllib3.kinds, (requests.HTTPError, "http-error"))
    body_option = "data"


CLIENT = Requests
