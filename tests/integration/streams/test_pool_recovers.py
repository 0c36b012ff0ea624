"""A pool whose database was away finds it again soon after it is back, however long that was."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg_pool
import pytest

from streams.database import open_pool

AWAY_SECONDS = 8.0
"""The pool's own pauses double; the default would be in one of eight seconds now."""
SOON_SECONDS = 4.5


@contextmanager
def door(to: tuple[str, int], port: int) -> Iterator[None]:
    """Connections to this port reach the server."""
    open_sockets: list[socket.socket] = []

    def carry(a: socket.socket, b: socket.socket) -> None:
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            return

    def serve() -> None:
        while True:
            try:
                inside, _ = listening.accept()
            except OSError:
                return
            outside = socket.create_connection(to)
            open_sockets.extend((inside, outside))
            for pair in ((inside, outside), (outside, inside)):
                threading.Thread(target=carry, args=pair, daemon=True).start()

    with socket.create_server(("127.0.0.1", port)) as listening:
        server = threading.Thread(target=serve)
        server.start()
        try:
            yield
        finally:
            for one in open_sockets:
                one.close()
            listening.shutdown(socket.SHUT_RDWR)
            server.join()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_database_that_was_away_is_found_soon_after_it_is_back(database_url: str) -> None:
    there = urlsplit(database_url)
    assert there.hostname
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    login = there.netloc.rpartition("@")[0]
    url = there._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()
    pool = open_pool(url, size=2, name="away")
    try:
        end = time.monotonic() + AWAY_SECONDS
        while time.monotonic() < end:
            with pytest.raises(psycopg_pool.PoolTimeout), pool.connection(timeout=0.3):
                pass
        with door((there.hostname, there.port or 5432), port):
            began = time.monotonic()
            with pool.connection(timeout=30.0) as connection:
                assert connection.execute("select 1").fetchone() == (1,)
            assert time.monotonic() - began < SOON_SECONDS
            pool.close()
    finally:
        pool.close()
