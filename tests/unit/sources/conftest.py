"""What readers are given, and small helpers to read one record."""

import datetime as dt
import io
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from connectors.sources.posts import Context, Item, SourceReader
from connectors.sources.registry import SOURCES
from streams.contracts.time import local_date
from streams.hashing import keyed_digest, subject_of

SECRET = b"s" * 32
NOW = dt.datetime(2026, 1, 15, 8, tzinfo=dt.UTC)


@pytest.fixture
def context() -> Context:
    return Context(
        NOW, local_date(NOW), lambda one: subject_of(SECRET, one), lambda one: keyed_digest(SECRET, "id", one)
    )


Read = Callable[..., list[Item]]


@pytest.fixture
def read(context: Context) -> Read:
    """Reads bytes, or records in the source's own field names, with the reader of a source."""

    def run(source: str, native: bytes | Sequence[dict[str, Any]], total: bool = False) -> list[Item]:
        reader: SourceReader = SOURCES[source]
        content = native if isinstance(native, bytes) else reader.write(native, context, 1, total)
        return list(reader.read(io.BytesIO(content), context))

    return run
