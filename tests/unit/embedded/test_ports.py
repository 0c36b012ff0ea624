"""Ports are free, nobody else's, and outside the range of outgoing connections."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.embedded.ports import LOOPBACK, free_port, is_open

OTHERS = range(20000, 20200)
_IN_ANOTHER_PROCESS = """
import sys
from deploy.embedded.ports import free_port
wanted = [int(sys.argv[1])] + list(range(20000, 20200))
print(free_port(iter(wanted).__next__))
"""


def listening(port: int) -> socket.socket:
    """As every server does: a port of which a connection is still being closed can be listened on again."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((LOOPBACK, port))
    server.listen()
    return server


def test_a_free_port_can_be_listened_on() -> None:
    port = free_port()
    assert not is_open(port)
    with listening(port):
        assert is_open(port)


def test_a_port_is_given_once_though_nobody_listens_on_it_yet() -> None:
    first = free_port()
    assert free_port(iter([first, first, *OTHERS]).__next__) != first


def test_another_process_is_not_given_a_port_that_was_given_here() -> None:
    first = free_port()
    other = subprocess.run(
        [sys.executable, "-c", _IN_ANOTHER_PROCESS, str(first)], check=True, capture_output=True, text=True
    )
    assert int(other.stdout) != first


def test_a_port_on_which_somebody_listens_is_not_given() -> None:
    port = free_port()
    with listening(port):
        assert free_port(iter([port, *OTHERS]).__next__) != port


def test_a_free_port_is_outside_the_range_of_outgoing_connections() -> None:
    range_file = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if not range_file.exists():
        pytest.skip("this system does not tell its ephemeral port range")
    first, last = map(int, range_file.read_text().split())
    if first < 16000:
        pytest.skip(f"no room below the ephemeral range, which begins at {first}")
    assert all(not first <= free_port() <= last for _ in range(50))


def test_a_port_is_open_while_somebody_listens() -> None:
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        server.listen()
        port = server.getsockname()[1]
        assert is_open(port)
    assert not is_open(port)
