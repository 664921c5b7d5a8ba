"""close_after: no connection survives the handler. Call `finish` last.

It must be done before the handler returns: the runtime asks for the next event then,
and the sandbox may be frozen. A client whose connections are closed opens new ones.
"""

import sys
import threading
from typing import Any

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config

config = Config(
    signature_version=UNSIGNED,
)
client: Any = None
lock = threading.Lock()


def get_client(url: str) -> Any:
    global client
    with lock:
        if client is None:  # made once, kept from invocation to invocation
            endpoint = url.partition("/orders")[0]
            client = botocore.session.get_session().create_client(
                "outposts", "us-east-1", endpoint_url=endpoint, config=config
            )
    return client


def send(method: str, url: str) -> int:
    client = get_client(url)
    if method == "GET":
        answer = client.get_order(OrderId="any")
    else:
        order = {"OutpostIdentifier": "op-1", "PaymentOption": "ALL_UPFRONT"}
        answer = client.create_order(**order)
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])


def finish() -> None:
    if client is not None:
        client.close()


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
    finish()
