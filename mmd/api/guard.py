"""What stands around every request: a limit on its size, its measurements, and a net for what nobody expected."""

import logging
import time
import traceback
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import PurePath

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mmd.api.metrics import REQUESTS, SECONDS
from mmd.api.problems import UNEXPECTED, problem
from streams.metrics import Meter

logger = logging.getLogger(__name__)

BODY_BYTES = 16 * 1024
"""No request needs more."""


class Guard:
    """ASGI middleware inside the framework's own error page, which would pass the exception on to the server's log.

    Of an exception only its class and the line of code are logged: its text may hold what a person's document holds.
    Measurements are named by route template and by a closed list of methods, never by what was sent.
    """

    def __init__(self, app: ASGIApp, meter: Meter | None) -> None:
        self._app = app
        self._meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        answered: list[int] = []

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.append(message["status"])
            await send(message)

        try:
            body = await _body(scope, receive)
            if body is None:
                await problem("input.too-large", f"at most {BODY_BYTES} bytes")(scope, receive, sending)
            else:
                await self._app(scope, _again(body, receive), sending)
        except Exception as error:  # noqa: BLE001  # the outermost place: what nobody expected becomes an answer
            logger.error("unexpected error: %s at %s", type(error).__name__, _place(error))  # noqa: TRY400
            if not answered:
                await problem(UNEXPECTED)(scope, receive, sending)
        finally:
            self._measure(scope, answered, time.perf_counter() - started)

    def _measure(self, scope: Scope, answered: list[int], seconds: float) -> None:
        if self._meter is None:
            return
        route = getattr(scope.get("route"), "path", "")
        status = str(answered[0]) if answered else "none"
        self._meter.count(REQUESTS, route=route, method=scope["method"], status=status)
        self._meter.observe(SECONDS, seconds, route=route)


async def _body(scope: Scope, receive: Receive) -> bytes | None:
    """The whole body; None where it is larger than allowed, declared or not."""
    for name, value in scope["headers"]:
        if name == b"content-length" and not _allowed(value):
            return None
    found = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(found)  # the client has left
        found += message.get("body", b"")
        if len(found) > BODY_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(found)


def _allowed(length: bytes) -> bool:
    return length.isdigit() and len(length) < 10 and int(length) <= BODY_BYTES


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body that was read, and then what comes after it."""
    first: Iterator[Message | None] = chain([{"type": "http.request", "body": body, "more_body": False}], repeat(None))

    async def receiving() -> Message:
        return next(first) or await receive()

    return receiving


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
