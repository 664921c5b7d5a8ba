"""sane: what is pooled is closed after 50 s without a request. The fix.

An SDK client has no idle limit of its own, so the function keeps the time. Keep the
limit below every idle timeout on the path, such as a load balancer's 60 s. Three tries
and ten connections are its own.
"""

import sys
import threading
import time
from typing import Any

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config

config = Config(
    signature_version=UNSIGNED,
    connect_timeout=5,
    read_timeout=30,
)
client: Any = None
lock = threading.Lock()
used = time.monotonic()


def get_client(url: str) -> Any:
    global client, used
    with lock:
        if client is None:  # made once, kept from invocation to invocation
            endpoint = url.partition("/orders")[0]
            client = botocore.session.get_session().create_client(
                "outposts", "us-east-1", endpoint_url=endpoint, config=config
            )
        if time.monotonic() - used > 50:
            client.close()  # its connections; the client can be used again
        used = time.monotonic()
    return client


def send(method: str, url: str) -> int:
    global used
    client = get_client(url)
    if method == "GET":
        answer = client.get_order(OrderId="any")
    else:
        order = {"OutpostIdentifier": "op-1", "PaymentOption": "ALL_UPFRONT"}
        answer = client.create_order(**order)
    used = time.monotonic()
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
