"""A worker's own small HTTP server: `/metrics`, `/health` (the process lives) and `/ready` (work moves)."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer

from deploy.operations.watch import Verdict
from streams.contracts.errors import TEXTS, KallanError
from streams.metrics import CONTENT_TYPE, Meter

JSON = "application/json"
PROBLEM = "application/problem+json"
Answer = tuple[int, str, bytes]


def answer(path: str, meter: Meter, verdict: Callable[[], Verdict]) -> Answer:
    """Status, content type and body. What was asked for is never repeated."""
    if path == "/health":
        return 200, JSON, b'{"status":"ok"}'
    if path == "/metrics":
        return 200, CONTENT_TYPE, meter.text()
    if path != "/ready":
        return _problem("resource.unknown", "")
    found = verdict()
    return (200, JSON, b'{"status":"ready"}') if found.ready else _problem(found.code, found.detail)


def _problem(code: str, detail: str) -> Answer:
    text = TEXTS[code]
    told = {"type": "about:blank", "title": text.en, "status": text.status, "code": code, "detail": detail}
    return text.status, PROBLEM, json.dumps(told, ensure_ascii=False).encode()


@contextmanager
def serving(host: str, port: int, meter: Meter, verdict: Callable[[], Verdict]) -> Iterator[str]:
    """Serves for as long as the block lasts; its address. Port 0 takes any.

    Raises `KallanError("settings.invalid")` where the address cannot be had.
    """

    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "kallan", ""
        timeout = 5

        def do_GET(self) -> None:
            status, kind, body = answer(self.path.partition("?")[0], meter, verdict)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the library
            """Nothing: a probe every few seconds is no news."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def server_bind(self) -> None:
            """Without asking a name server what this address is called."""
            TCPServer.server_bind(self)
            self.server_name, self.server_port = host, self.server_address[1]

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that left in the middle is no news either; the library would print a traceback."""

    try:
        server = Server((host, port), Handler)
    except OSError as error:
        raise KallanError("settings.invalid", f"KALLAN_METRICS_PORT: {error.strerror}") from None
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="metrics", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
