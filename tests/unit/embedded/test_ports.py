"""Ports are free and outside the range of outgoing connections."""

import socket
from pathlib import Path

import pytest

from deploy.embedded.ports import LOOPBACK, free_port, is_open


def test_a_free_port_can_be_bound() -> None:
    with socket.socket() as server:
        server.bind((LOOPBACK, free_port()))


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
