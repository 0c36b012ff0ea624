"""Pools: one whose database was away finds it again when it is back, and what every connection is told."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg_pool
import pytest

from streams.database import open_pool
from tests.waiting import HANGS_SECONDS


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
def test_a_database_that_was_away_is_found_by_the_next_who_asks(database_url: str) -> None:
    there = urlsplit(database_url)
    assert there.hostname
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    login = there.netloc.rpartition("@")[0]
    pool = open_pool(there._replace(netloc=f"{login}@127.0.0.1:{port}").geturl(), size=2, name="away")
    try:
        for _ in range(5):
            with pytest.raises(psycopg_pool.PoolTimeout), pool.connection(timeout=0.3):
                pass
        with door((there.hostname, there.port or 5432), port):
            with pool.connection(timeout=HANGS_SECONDS) as connection:
                assert connection.execute("select 1").fetchone() == (1,)
            pool.close()
    finally:
        pool.close()


def test_a_pool_gives_its_attempts_up_before_their_pauses_are_long(database_url: str) -> None:
    """They double; by default they go on for five minutes, and then a database that is back waits for minutes
    (docs/decisions/0102)."""
    with open_pool(database_url) as pool:
        assert pool.reconnect_timeout <= 10.0
        assert pool.timeout <= 10.0


def test_a_connection_of_a_pool_keeps_the_options_of_its_url_and_compiles_no_statement(database_url: str) -> None:
    with (
        open_pool(f"{database_url}?options=-c%20search_path%3D/unused%20-c%20jit%3Don") as pool,
        pool.connection() as one,
    ):
        found = [one.execute(f"show {name}").fetchone() for name in ("search_path", "jit")]
    assert found == [("/unused",), ("off",)]
