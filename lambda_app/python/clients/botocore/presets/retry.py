"""retry: the SDK's own retry, with an idempotency key.

A second try dials afresh, so two are enough. The key (many operations have a parameter
for one) matters: the SDK tries again whatever the method is, and without a key a server
that did execute the request executes it twice.
"""

import sys
import threading
import uuid
from typing import Any

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config

config = Config(
    signature_version=UNSIGNED,
    retries={"mode": "standard", "total_max_attempts": 2},
)
client: Any = None
lock = threading.Lock()


def add_key(params: dict[str, Any], **_: Any) -> None:
    params["headers"]["Idempotency-Key"] = str(uuid.uuid4())


def get_client(url: str) -> Any:
    global client
    with lock:
        if client is None:  # made once, kept from invocation to invocation
            endpoint = url.partition("/orders")[0]
            client = botocore.session.get_session().create_client(
                "outposts", "us-east-1", endpoint_url=endpoint, config=config
            )
            client.meta.events.register("before-call.outposts", add_key)
    return client


def send(method: str, url: str) -> int:
    client = get_client(url)
    if method == "GET":
        answer = client.get_order(OrderId="any")
    else:
        order = {"OutpostIdentifier": "op-1", "PaymentOption": "ALL_UPFRONT"}
        answer = client.create_order(**order)
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
