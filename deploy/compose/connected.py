"""Health of a worker's container: it holds a connection to each server that it needs. `python -m deploy.compose.connected
HOST:PORT...`; exit 1 names those that are missing.

It looks at the kernel's list of this container's connections, so that a look every few seconds costs next to nothing.
That work moves is not told by it.
"""

import socket
import sys
from collections.abc import Sequence
from pathlib import Path

_ESTABLISHED = "01"


def missing(places: Sequence[str], table: str) -> list[str]:
    """Those of `places` (`host:port`) to which `table` (the content of /proc/net/tcp) has no established connection."""
    rows = [line.split() for line in table.splitlines()[1:]]
    held = {row[2] for row in rows if row[3] == _ESTABLISHED}
    return [place for place in places if not held & _addresses(place)]


def _addresses(place: str) -> set[str]:
    """As the kernel writes them: the address's bytes as a number of this machine, a colon, the port."""
    host, _, port = place.rpartition(":")
    try:
        found = socket.getaddrinfo(host, int(port), socket.AF_INET, socket.SOCK_STREAM)
    except socket.gaierror:
        return set()
    return {
        f"{int.from_bytes(socket.inet_aton(str(one[4][0])), sys.byteorder):08X}:{int(one[4][1]):04X}" for one in found
    }


if __name__ == "__main__":
    away = missing(sys.argv[1:], Path("/proc/net/tcp").read_text(encoding="ascii"))
    if away:
        sys.exit(f"not connected to {', '.join(away)}")
