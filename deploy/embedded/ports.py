"""Free loopback ports for servers, outside the range from which the kernel takes the ports of outgoing connections.

A server that is killed and started again must get its port back. Inside the ephemeral range any client's outgoing
connection may take it meanwhile, the server's own waiting clients included (TCP even connects to itself there).
"""

import secrets
import socket
from pathlib import Path

from streams.contracts.errors import Unavailable

LOOPBACK = "127.0.0.1"
_LOWEST = 15000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port that nobody listens on now. Two callers at once may, very rarely, get the same: starting a server retries."""
    first_ephemeral = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32768
    if first_ephemeral < _LOWEST + 1000:
        return _bind(0)
    for _ in range(200):
        port = _LOWEST + secrets.randbelow(first_ephemeral - _LOWEST)
        try:
            return _bind(port)
        except OSError:
            continue
    raise Unavailable("service.unavailable", "no free port on 127.0.0.1")


def is_open(port: int) -> bool:
    """Somebody listens on this loopback port."""
    with socket.socket() as client:
        client.settimeout(1.0)
        return client.connect_ex((LOOPBACK, port)) == 0


def _bind(port: int) -> int:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((LOOPBACK, port))
        return int(server.getsockname()[1])
