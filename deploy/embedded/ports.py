"""Free loopback ports for servers, outside the range from which the kernel takes the ports of outgoing connections.

A server that is killed and started again must get its port back. Inside the ephemeral range any client's outgoing
connection may take it meanwhile, the server's own waiting clients included (TCP even connects to itself there).
"""

import os
import secrets
import socket
from collections import deque
from collections.abc import Callable
from pathlib import Path

from streams.contracts.errors import Unavailable

LOOPBACK = "127.0.0.1"
_LOWEST = 15000
_MOST = 256
_HOLDERS: deque[int] = deque()
"""File descriptors of sockets that hold a port and do not listen."""
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port(draw: Callable[[], int] | None = None) -> int:
    """A port on which nobody listens, and that nobody else is given while this process lives (the last 256 of them). What
    listens on it must be able to do so while a connection to the one before is still being closed, as servers are.

    `draw` gives the ports to look at; by itself it draws them.
    """
    first_ephemeral = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32768
    if draw is None and first_ephemeral < _LOWEST + 1000:
        return _held(0)
    for _ in range(200):
        port = _LOWEST + secrets.randbelow(first_ephemeral - _LOWEST) if draw is None else draw()
        try:
            return _held(port)
        except OSError:
            continue
    raise Unavailable("service.unavailable", "no free port on 127.0.0.1")


def is_open(port: int) -> bool:
    """Somebody listens on this loopback port."""
    with socket.socket() as client:
        client.settimeout(1.0)
        return client.connect_ex((LOOPBACK, port)) == 0


def _held(port: int) -> int:
    """Taken without sharing, which fails where anybody has it; then held in the way that lets one server listen on it."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, port))
        found = int(probe.getsockname()[1])
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind((LOOPBACK, found))
    _HOLDERS.append(holder.detach())
    if len(_HOLDERS) > _MOST:
        os.close(_HOLDERS.popleft())
    return found
