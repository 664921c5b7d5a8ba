"""http.client: the standard library's connections, kept by their user."""

import http.client
import platform

from lambda_app.python.over_http_client import OverHttpClient


class HttpClient(OverHttpClient):
    distribution = http.client.__name__
    body_option = "body"
    json_option = None

    @property
    def version(self) -> str:
        return f"{self.distribution} {platform.python_version()}"


CLIENT = HttpClient
