"""sane: a connection that was idle for 50 s is not used again. The fix.

MAXAGE_CONN is looked at when a connection is taken, so a freeze does not get in the
way. Keep it below every idle timeout on the path, such as a load balancer's 60 s. And
every request has timeouts.
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
    curl.setopt(pycurl.MAXAGE_CONN, 50)  # seconds, as the others
    curl.setopt(pycurl.CONNECTTIMEOUT, 5)
    curl.setopt(pycurl.TIMEOUT, 30)
    try:
        curl.perform()
        return int(curl.getinfo(pycurl.RESPONSE_CODE))
    finally:
        idle.append(curl)


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
