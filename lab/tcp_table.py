"""The kernel's table of TCP connections: which state each end is in, as the kernel sees it.

A socket that is CLOSE is absent from the table, even while its process still holds it.
"""

from dataclasses import dataclass
from pathlib import Path

STATES = {
    "01": "ESTABLISHED",
    "02": "SYN-SENT",
    "03": "SYN-RECV",
    "04": "FIN-WAIT-1",
    "05": "FIN-WAIT-2",
    "06": "TIME-WAIT",
    "07": "CLOSE",
    "08": "CLOSE-WAIT",
    "09": "LAST-ACK",
    "0A": "LISTEN",
    "0B": "CLOSING",
    "0C": "SYN-RECV",
}
TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
"""A runtime may use IPv6 sockets for IPv4 connections, as Java does: they are in the second one."""
ABSENT = "CLOSE"


@dataclass(frozen=True, slots=True)
class TcpTable:
    """States by (local port, remote port), at one moment, in one network namespace."""

    rows: dict[tuple[int, int], str]

    @classmethod
    def parse(cls, text: str, port: int | None = None) -> "TcpTable":
        """Read the text of a `/proc/net/tcp`, of a `tcp6` or of one after the other.

        With a `port`, only rows in which it occurs: a busy machine's table has thousands of rows, most of
        them of connections that have long ended.
        """
        rows = {}
        mark = "" if port is None else f":{port:04X} "
        for line in text.splitlines():
            if mark not in line or line.lstrip().startswith("sl "):
                continue
            fields = line.split()
            local, remote = (int(address.rpartition(":")[2], 16) for address in fields[1:3])
            rows[local, remote] = STATES.get(fields[3], fields[3])
        return cls(rows)

    @classmethod
    def here(cls, port: int | None = None) -> "TcpTable":
        """The table of this process's network namespace, or its rows in which a port occurs."""
        return cls.parse("".join(table.read_text() for table in TABLES if table.exists()), port)

    def state(self, local_port: int, remote_port: int) -> str:
        """The state of the end at `local_port`; `CLOSE` where the kernel has no such row."""
        return self.rows.get((local_port, remote_port), ABSENT)
