"""Trusts the upstream's own certificate authority, for every library that asks OpenSSL's defaults or has a variable.

Environment: THAWLAB_CA_PEM (the authority's certificate; absent without TLS). aiohttp makes its TLS context while it is
imported, so this must be done before.
"""

import os

VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE")
"""Of OpenSSL; of requests and botocore, which bring authorities of their own."""


def trust_upstream() -> None:
    """Point OpenSSL to the authority, in memory: a file would be left behind when the sandbox is stopped."""
    if "THAWLAB_CA_PEM" not in os.environ:
        return
    memory = os.memfd_create("authority")
    os.write(memory, os.environ["THAWLAB_CA_PEM"].encode())
    for variable in VARIABLES:
        os.environ[variable] = f"/proc/self/fd/{memory}"
