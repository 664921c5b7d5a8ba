"""botocore: AWS's SDK for Python (boto3 is a layer on it).

It has pool classes of its own over urllib3's, and its own retries. The upstream's API
is the one of AWS Outposts as far as it goes: `CreateOrder` is `POST /orders`,
`GetOrder` is `GET /orders/{id}`. So a real service client with `endpoint_url` does
what it does in production, but for the request's content: an SDK makes that itself,
so what the event asks for (headers, path, body) is put into what it is about to send,
for each of its tries.
"""

import functools
from contextvars import ContextVar
from types import ModuleType
from typing import Any, ClassVar
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from lambda_app.python.call import Call
from lambda_app.python.client import JSON_TYPE
from lambda_app.python.clients.urllib3.adapter import Urllib3
from lambda_app.python.outcome import Kinds


class Botocore(Urllib3):
    distribution = "botocore"
    kinds: ClassVar[Kinds] = (*Urllib3.kinds, (ClientError, "http-error"))

    def watch(self) -> None:
        super().watch()
        self._call: ContextVar[Call | None] = ContextVar("call", default=None)
        send_prepared = URLLib3Session.send

        @functools.wraps(send_prepared)
        def send(session: URLLib3Session, request: Any) -> Any:
            call = self._call.get()
            if call is not None:
                asked, made = urlsplit(call.url), urlsplit(request.url)
                request.url = made._replace(path=asked.path, query=asked.query).geturl()
                request.body = call.body or None
                request.headers["Content-Length"] = str(len(call.body))
                headers = (
                    call.headers if call.document is None else call.headers | JSON_TYPE
                )
                for name, value in headers.items():
                    request.headers[name] = value
            return send_prepared(session, request)

        URLLib3Session.send = send

    def status(self, preset: ModuleType, call: Call) -> int:
        try:
            return super().status(preset, call)
        except ClientError as error:  # an error that is an answer
            call.status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            raise

    def options(self, call: Call) -> dict[str, Any]:
        self._call.set(call)
        return {}


CLIENT = Botocore
