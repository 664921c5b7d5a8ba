"""Trusts the upstream's own certificate authority, for every TLS library that asks OpenSSL's defaults.

Environment: THAWLAB_CA_PEM (the authority's certificate; absent without TLS). aiohttp makes its TLS context while it is
imported, so this must be done before.
"""

import os


def trust_upstream() -> None:
    """Point OpenSSL to the authority, in memory: a file would be left behind when the sandbox is stopped."""
    if "THAWLAB_CA_PEM" not in os.environ:
        return
    memory = os.memfd_create("authority")
    os.write(memory, os.environ["THAWLAB_CA_PEM"].encode())
    os.environ["SSL_CERT_FILE"] = f"/proc/{os.getpid()}/fd/{memory}"
