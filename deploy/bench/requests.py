"""A client of HTTP/1.1 that costs little: keeps its connections, reads answers by their length, checks nothing but 200."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from streams.contracts.errors import Unavailable

CONNECTIONS = 8


def load(port: int, paths: Sequence[str], headers: Mapping[str, str], seconds: float) -> float:
    """Answers per second from 127.0.0.1 over `CONNECTIONS` connections that each ask again as soon as they have an answer.

    Raises `Unavailable` for any answer but 200.
    """
    return asyncio.run(_load(port, paths, headers, seconds))


async def _load(port: int, paths: Sequence[str], headers: Mapping[str, str], seconds: float) -> float:
    extra = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    requests = [f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{extra}\r\n".encode() for path in paths]
    began = time.perf_counter()
    end = began + seconds
    done = await asyncio.gather(
        *(_ask(port, requests[start:] + requests[:start], end) for start in range(min(CONNECTIONS, len(requests))))
    )
    return sum(done) / (time.perf_counter() - began)


async def _ask(port: int, requests: Sequence[bytes], end: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = 0
    try:
        while time.perf_counter() < end:
            writer.write(requests[count % len(requests)])
            head = await reader.readuntil(b"\r\n\r\n")
            status, length = read_head(head)
            await reader.readexactly(length)
            if status != 200:
                raise Unavailable("service.unavailable", f"bench: an answer {status}")
            count += 1
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    return count


def read_head(head: bytes) -> tuple[int, int]:
    """Status and length of the body."""
    first, *lines = head.decode("latin-1").split("\r\n")
    length = next((line.partition(":")[2] for line in lines if line.lower().startswith("content-length:")), "0")
    return int(first.split(" ")[1]), int(length)
