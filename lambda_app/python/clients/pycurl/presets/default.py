"""default: handles kept in a list, as libcurl makes them.

A handle keeps its connection. libcurl does not use one that was idle for 118 seconds,
and not one whose end has arrived; what breaks when it is used again is sent once more.
"""

import sys
from typing import Any

import pycurl

idle: list[pycurl.Curl] = []  # kept from invocation to invocation


def take() -> pycurl.Curl:
    try:
        curl = idle.pop()
    except IndexError:
        return pycurl.Curl()
    curl.reset()  # its options; the connection is kept
    return curl


def send(method: str, url: str, headers: Any = None, data: bytes = b"") -> int:
    curl = take()
    curl.setopt(pycurl.URL, url)
    if method == "POST" or data:
        curl.setopt(pycurl.POSTFIELDS, data)
    curl.setopt(pycurl.CUSTOMREQUEST, method)
    curl.setopt(pycurl.HTTPHEADER, [f"{k}: {v}" for k, v in (headers or {}).items()])
    curl.setopt(pycurl.WRITEFUNCTION, len)  # reads the answer to its end
    try:
        curl.perform()
        return int(curl.getinfo(pycurl.RESPONSE_CODE))
    finally:
        idle.append(curl)


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
