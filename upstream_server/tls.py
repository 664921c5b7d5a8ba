"""HTTPS: certificates made in this process, and how to tell a client's close_notify from data.

Only TLS 1.3 is spoken. There every record of a client after the handshake looks the same from outside (type 23,
RFC 8446 section 5.2): a header of 5 bytes, the content, one byte of its true type, and 16 bytes of authentication
tag with each of the standard cipher suites. A close_notify is an alert of 2 bytes, so its record has exactly 24
(docs/evidence.md, Closing connections). Application data of so few bytes would be 2 bytes long,
and no HTTP request is. So at most 24 late bytes in total are a close_notify, and more are a use.
"""

import os
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import trustme

CLOSE_NOTIFY_BYTES = 24
"""A whole record with a close_notify, as it goes over the wire in TLS 1.3."""


class Authority:
    """A certificate authority that lives as long as the process; made when it is first asked for."""

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        """`names` are host names and addresses under which clients know this machine, beside its own."""
        self._names = names
        self._made: trustme.CA | None = None

    def __repr__(self) -> str:
        return f"<Authority {'made' if self._made else 'not needed yet'}, for {self._names or 'no further names'}>"

    @property
    def _ca(self) -> "trustme.CA":
        if self._made is None:
            import trustme  # loading its cryptography takes 0.1 s, which only HTTPS has to pay

            self._made = trustme.CA()
        return self._made

    @property
    def pem(self) -> str:
        """The certificate that clients must trust."""
        return self._ca.cert_pem.bytes().decode("ascii")

    def server_context(self, host: str) -> ssl.SSLContext:
        """TLS 1.3 with a certificate for localhost, 127.0.0.1, a listener's host, and the further names."""
        leaf = self._ca.issue_cert(*dict.fromkeys(("localhost", "127.0.0.1", host, *self._names)))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        # OpenSSL reads a certificate from a path only: this one is memory, so the key lies in no file system.
        memory = os.memfd_create("certificate", os.MFD_CLOEXEC)
        try:
            os.write(memory, leaf.private_key_and_cert_chain_pem.bytes())
            context.load_cert_chain(f"/proc/self/fd/{memory}")
        finally:
            os.close(memory)
        return context
