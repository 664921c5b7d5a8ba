"""seed: handles kept for the sandbox's whole life, with no limit on a connection's age.

What people set to save handshakes. libcurl looks whether an end has arrived before it
uses a connection again; what is lost on its way it cannot see.
"""

import sys
from typing import Any

import pycurl

FOREVER = 2**31 - 1
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
    curl.setopt(pycurl.MAXAGE_CONN, FOREVER)
    try:
        curl.perform()
        return int(curl.getinfo(pycurl.RESPONSE_CODE))
    finally:
        idle.append(curl)


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
