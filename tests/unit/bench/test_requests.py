"""The load client counts answers, and takes no other status for one."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from deploy.bench.requests import load, read_head
from streams.contracts.errors import Unavailable


@contextmanager
def server(status: str) -> Iterator[int]:
    """Answers every request alike, in a thread of its own. It ends when every connection is closed."""
    ready, loop = threading.Event(), asyncio.new_event_loop()
    port: list[int] = []
    open_now: set[asyncio.Task[None] | None] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        open_now.add(task)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nok".encode())
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        open_now.discard(task)

    async def serve(end: asyncio.Event) -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as found:
            port.append(found.sockets[0].getsockname()[1])
            ready.set()
            await end.wait()
            while open_now:
                await asyncio.sleep(0.01)

    end = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(end),))
    thread.start()
    ready.wait(5)
    try:
        yield port[0]
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()
        loop.close()


def test_answers_are_counted_by_the_second() -> None:
    with server("200 OK") as port:
        assert load(port, ["/a", "/b"], {"Authorization": "Bearer x"}, 0.1) > 10


def test_a_refusal_is_no_answer() -> None:
    with server("401 Unauthorized") as port, pytest.raises(Unavailable, match="401"):
        load(port, ["/a"], {}, 0.1)


def test_the_length_of_the_body_is_read_whatever_the_case_of_its_header() -> None:
    assert read_head(b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\nx: y\r\n\r\n") == (200, 17)
    assert read_head(b"HTTP/1.1 304 Not Modified\r\n\r\n") == (304, 0)
