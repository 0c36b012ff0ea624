"""Reads one bomb under a limit on memory: `python -m tests.integration.hostile.bounded NAME`. Prints what became of it.

The bombs are made while they are read, so that only what the reader holds counts.
"""

import io
import itertools
import json
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from connectors.sources.posts import Reject
from connectors.sources.registry import SOURCES
from deploy.wiring.data import read_policy
from streams.codec import Failed, RecordCodec
from streams.contracts.errors import KallanError
from streams.keys import MemoryKeyRing
from tests.integration.hostile.bad_records import plain
from tests.integration.hostile.doors import Door, person_post, subject
from tests.unit.hostile.test_source_files import CONTEXT

LIMIT = 600 * 2**20
"""Bytes of address space; the programs themselves take about a third of it."""


class Endless(io.BufferedIOBase):
    """A stream of parts that are made when they are asked for."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._held = b""

    def read(self, size: int | None = -1, /) -> bytes:
        most = 65_536 if size is None or size < 0 else size
        while len(self._held) < most and (part := next(self._parts, b"")):
            self._held += part
        found, self._held = self._held[:most], self._held[most:]
        return found

    def readline(self, size: int | None = -1, /) -> bytes:
        most = 2**62 if size is None or size < 0 else size
        while (end := self._held.find(b"\n")) < 0 and len(self._held) < most and (part := next(self._parts, b"")):
            self._held += part
        cut = min(most, end + 1 if end >= 0 else len(self._held))
        found, self._held = self._held[:cut], self._held[cut:]
        return found


def _file(source: str, *parts: Iterator[bytes]) -> str:
    """The codes of a file's rejects, each once, and why it was refused."""
    found: list[str] = []
    try:
        for item in SOURCES[source].read(Endless(itertools.chain(*parts)), CONTEXT):  # type: ignore[arg-type]  # it reads
            if isinstance(item, Reject) and item.code not in found:
                found.append(item.code)
    except KallanError as error:
        found.append(error.code)
    return " ".join(found)


def _repeated(part: bytes, megabytes: int) -> Iterator[bytes]:
    return itertools.repeat(part * (65_536 // len(part) + 1), megabytes * 16)


def _head(source: str) -> Iterator[bytes]:
    name = {"hr": "hr-export.v1", "organisation": "org-export.v1"}[source]
    line = {"format": name, "extractedAt": "2026-01-15T07:00:00Z", "total": False}
    return iter([json.dumps(line).encode() + b"\n"])


def _swollen(source: str, rows: int) -> Iterator[bytes]:
    """Rows of 90 kB that would be two megabytes each as objects."""
    key = {"hr": "employmentId", "organisation": "orgId"}[source]
    for one in range(rows):
        yield f'{{"{key}": "E{one}", "x": [{"[]," * 30_000}[]]}}\n'.encode()


def _yaml() -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.yml"
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{one}: &a{one} [{', '.join([f'*a{one - 1}'] * 10)}]" for one in range(1, 12)]
        path.write_text("\n".join(lines), encoding="utf-8")
        try:
            read_policy(path)
        except KallanError as error:
            return error.code
    return ""


def _record(content: bytes) -> str:
    keys = MemoryKeyRing()
    from streams.sealing import KeyClass

    door = Door("source.person.v1", lambda _: None, keys, person_post, subject, KeyClass.INNER, "")
    (found,) = RecordCodec(keys).decode([plain(content)(door, 1)])
    return found.error.code if isinstance(found, Failed) else "taken in"


BOMBS: dict[str, tuple[Callable[[], str], str]] = {
    "navet: a gigabyte of elements in one post": (
        lambda: _file("navet", iter([b"<Navetavisering><Folkbokforingspost>"]), _repeated(b"<a/>", 1000)),
        "input.too-large",
    ),
    "navet: a gigabyte of text in one post": (
        lambda: _file("navet", iter([b"<Navetavisering><Folkbokforingspost><a>"]), _repeated(b"x", 1000)),
        "input.too-large|input.not-decodable",
    ),
    "navet: a gigabyte of attributes": (
        lambda: _file(
            "navet", iter([b"<Navetavisering><Folkbokforingspost "]), (b'a%d="x" ' % n for n in range(10**8))
        ),
        "input.too-large|input.not-decodable",
    ),
    "navet: a gigabyte of elements between posts": (
        lambda: _file("navet", iter([b"<Navetavisering>"]), _repeated(b"<b></b>", 1000)),
        "input.too-large",
    ),
    "hr: a line of a gigabyte": (
        lambda: _file("hr", _head("hr"), _repeated(b"x", 1000)),
        "input.too-large load.incomplete",
    ),
    "hr: 400 rows that swell to twenty times their size": (
        lambda: _file("hr", _head("hr"), _swollen("hr", 400)),
        "input.missing load.incomplete|load.incomplete",
    ),
    "organisation: 400 rows that swell to twenty times their size": (
        lambda: _file("organisation", _head("organisation"), _swollen("organisation", 400)),
        "input.missing load.incomplete|load.incomplete",
    ),
    "policy: aliases that grow to a million million": (_yaml, "settings.invalid"),
    "topic: a record of a megabyte of brackets": (
        lambda: _record(b"[[]," * 240_000),
        "input.invalid|input.not-decodable",
    ),
    "topic: a record of a megabyte of claims": (
        lambda: _record(
            b'{"source":"n","source_key":"k","version":"1","subject":"s","claims":[' + b"{}," * 300_000 + b"{}]}"
        ),
        "input.invalid",
    ),
}
"""By name: how it is read, and what may be said of it."""


def main(name: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    print(BOMBS[name][0]())


if __name__ == "__main__":
    main(sys.argv[1])
