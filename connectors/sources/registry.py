"""The sources that are connected, and how a file of one is loaded."""

import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from connectors.sources import state, totals
from connectors.sources.companies.reader import COMPANIES
from connectors.sources.consultants.reader import CONSULTANTS
from connectors.sources.deltas import Progress, load_delta
from connectors.sources.edge import Edge
from connectors.sources.groups.reader import GROUPS
from connectors.sources.hr.reader import HrReader
from connectors.sources.navet.reader import NavetReader
from connectors.sources.organisation.reader import OrganisationReader
from connectors.sources.places.reader import PLACES
from connectors.sources.politicians.reader import POLITICIANS
from connectors.sources.posts import Context, Header, Item, NativeRecord, Post, Reject, SourceReader
from connectors.sources.report import LoadReport, LoadState
from connectors.sources.robots.reader import ROBOTS
from connectors.sources.school.reader import SCHOOL
from streams.contracts.errors import Rejected

_ROLES: tuple[SourceReader, ...] = (SCHOOL, CONSULTANTS, POLITICIANS, ROBOTS)
_THINGS: tuple[SourceReader, ...] = (PLACES, GROUPS, COMPANIES)
_READERS: tuple[SourceReader, ...] = (NavetReader(), HrReader(), OrganisationReader(), *_ROLES, *_THINGS)
_OTHER_FORMAT = frozenset({"input.unknown-schema", "input.not-decodable"})
SOURCES: Mapping[str, SourceReader] = MappingProxyType({reader.name: reader for reader in _READERS})


def reader_of(source_name: str) -> SourceReader:
    """Raises `Rejected("resource.unknown")` for a source that is not connected."""
    reader = SOURCES.get(source_name)
    if reader is None:
        raise Rejected("resource.unknown", f"source; there are {', '.join(SOURCES)}")
    return reader


def load(source_name: str, path: Path, edge: Edge, progress: Progress | None = None) -> LoadReport:
    """Feed one native file through its connector: a delta, or a file of a total load (settled with its last file).

    A file that cannot be read (further) is told in the report, never raised; what comes before is published. Raises
    `Unavailable` and the database's own transient errors: run it again, the same ids are sent.
    """
    reader = reader_of(source_name)
    try:
        stream = _Told(io.FileIO(path))
    except OSError as error:
        refused = _unreadable(error)
        return LoadReport(reader.name, state=LoadState.ABORTED, reason=refused.code, detail=refused.detail)
    with stream:
        return load_stream(source_name, stream, edge, progress)


class _Told(io.BufferedReader):
    """A file of which it is told, as of any other bad one, that it cannot be read any further."""

    def read(self, size: int | None = -1, /) -> bytes:
        try:
            return super().read(size)
        except OSError as error:
            raise _unreadable(error) from None

    def readline(self, size: int | None = -1, /) -> bytes:
        try:
            return super().readline(size)
        except OSError as error:
            raise _unreadable(error) from None


def _unreadable(error: OSError) -> Rejected:
    return Rejected("input.unreadable", error.strerror or type(error).__name__)


def load_records(source_name: str, records: Sequence[NativeRecord], edge: Edge, *, total: bool = False) -> LoadReport:
    """Records in the source's own field names, as a scenario has them inline.

    They are written as a native file and read like any other. Raises `Rejected("scenario.invalid")`.
    """
    last = state.source_state(edge.pool, source_name).last_number
    content = reader_of(source_name).write(records, edge.context(), (last or 0) + 1, total)
    return load_stream(source_name, io.BytesIO(content), edge)


def subjects_in(stream: BinaryIO, context: Context) -> Iterator[str]:
    """The subjects of the persons that a native file of any connected source speaks of, in its order, repeated as there.

    Raises `Rejected("input.unknown-schema")` for a file that no source can read, and what its reader raises.
    """
    for item in _read_by_any(stream, context):
        record = item.record if isinstance(item, Post) else item.spoken if isinstance(item, Reject) else None
        if record is not None and record.identifier is not None:
            yield record.subject


def _read_by_any(stream: BinaryIO, context: Context) -> Iterator[Item]:
    """The items of the first reader whose format this is: one that does not refuse the file as of another format."""
    refusals: list[str] = []
    for reader in _READERS:
        stream.seek(0)
        items = reader.read(stream, context)
        try:
            first = next(items)
        except Rejected as error:
            if error.code not in _OTHER_FORMAT:
                raise
            refusals.append(f"{reader.name}: {error.code}")
        else:
            yield first
            yield from items
            return
    raise Rejected("input.unknown-schema", "; ".join(refusals))


def load_stream(source_name: str, stream: BinaryIO, edge: Edge, progress: Progress | None = None) -> LoadReport:
    """As `load`, from an open stream. One file of a source at a time, over all processes. What a crash left of an earlier
    load is taken up first, and what was rejected and kept long enough goes, of any source."""
    reader = reader_of(source_name)
    state.purge_rejected(edge.pool, edge.now())
    with state.exclusive(edge.pool, reader.name):
        totals.resume(edge, reader)
        items = reader.read(stream, edge.context())
        try:
            first = next(items, Header())
        except Rejected as error:
            return LoadReport(reader.name, state=LoadState.ABORTED, reason=error.code, detail=error.detail)
        header = first if isinstance(first, Header) else Header()
        rest = items if isinstance(first, Header) else chain([first], items)
        run = totals.load_total if header.total else load_delta
        return run(edge, reader, header, rest, progress or _silent)


def resume_all(edge: Edge) -> list[LoadReport]:
    """Take up total loads that a crash left unpublished or uncommitted, of every source."""
    reports = []
    for reader in SOURCES.values():
        with state.exclusive(edge.pool, reader.name):
            reports += totals.resume(edge, reader)
    return reports


def _silent(done: int, declared: int | None) -> None:
    """No progress is shown."""
