"""A TCP proxy before a server: away, slow, or cutting the line after the server has acted and before it could say so."""

import contextlib
import random
import socket
import threading
import time
from types import TracebackType
from typing import Self

_CHUNK = 65536


class Proxy:
    """Listens on a free loopback port and passes on to `upstream`; refuses everybody until that is set.

    `away`   every connection is closed at once, those that exist too
    `delay`  seconds that each answer is held back
    `cut`    the share of answers, 0 to 1, that are thrown away together with their connection
    `cuts`   how many were thrown away so far
    """

    def __init__(self, seed: int) -> None:
        self.upstream: tuple[str, int] | None = None
        self.delay = 0.0
        self.cut = 0.0
        self.cuts = 0
        self._away = False
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self._close_all()

    @property
    def away(self) -> bool:
        return self._away

    @away.setter
    def away(self, value: bool) -> None:
        self._away = value
        if value:
            self._close_all()

    def behave(self) -> None:
        """From now on as if it were not there."""
        self.away, self.delay, self.cut = False, 0.0, 0.0

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed: the test is over
                return
            server = self._connect()
            if server is None:
                client.close()
                continue
            with self._lock:
                self._open |= {client, server}
            for source, sink, answers in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pass_on, args=(source, sink, answers), daemon=True).start()

    def _connect(self) -> socket.socket | None:
        if self._away or self.upstream is None:
            return None
        try:
            return socket.create_connection(self.upstream, 3)
        except OSError:  # the server itself is away: as seen without a proxy
            return None

    def _pass_on(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        try:
            while data := source.recv(_CHUNK):
                if answers:
                    time.sleep(self.delay)
                    if self._chance.random() < self.cut:
                        self.cuts += 1
                        break
                sink.sendall(data)
        except OSError:  # one of the two has hung up; so does the other now
            pass
        finally:
            self._close(source, sink)

    def _close(self, *sockets: socket.socket) -> None:
        with self._lock:
            self._open -= set(sockets)
        for one in sockets:
            with contextlib.suppress(OSError):  # it was closed from the other side
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _close_all(self) -> None:
        with self._lock:
            sockets = tuple(self._open)
        self._close(*sockets)
