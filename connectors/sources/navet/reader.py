"""The Navet source: files in, source records out."""

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from lxml import etree

from connectors.sources.dates import local_stamp
from connectors.sources.lanes import with_claims
from connectors.sources.navet.post import PostReader
from connectors.sources.navet.writer import FileHeader, file_bytes
from connectors.sources.navet.xml import FILE_INFORMATION, child, elements, local, text
from connectors.sources.posts import Alarm, Context, Header, Item, NativeRecord, Post, Reject
from streams.catalogue import SOURCE_PERSON
from streams.contracts.claims import Claim, Protection, SourceRecord
from streams.contracts.errors import Rejected

SOURCE = "navet"


class NavetReader:
    """Navetavisering XML. A file is a total load if its order says so (*Bestallningstyp* or *Filtyp* holds "total")."""

    name = SOURCE
    topic = SOURCE_PERSON
    dataclass = "personal"
    absence_kinds: tuple[str, ...] = ("registration", "special-address", "custody")
    own_versions = True

    def read(self, stream: BinaryIO, context: Context) -> Iterator[Item]:
        header: Header | None = None
        position = 0
        for element in elements(stream):
            if local(element) == FILE_INFORMATION:
                if header is None:
                    header = _header(element, context)
                    yield header
                else:
                    yield Alarm("input.invalid", f"{FILE_INFORMATION} after the first post")
                continue
            if header is None:
                header = Header()
                yield header
            position += 1
            yield from _post(element, position, header, context)
        if header is None:
            yield Header()

    def write(self, records: Sequence[NativeRecord], context: Context, number: int, total: bool) -> bytes:
        return file_bytes(records, FileHeader(number=number, total=total), context.now)


def _header(element: Any, context: Context) -> Header:
    """The stamp is the first second of *Effektueringsdatum*: what a total load lacks was gone by then at the latest.

    Raises `Rejected("input.invalid")` for a number that is none.
    """
    information = child(element, "Filinformation")
    out = None if information is None else child(information, "Utfil")
    kind = f"{text(information, 'Bestallningstyp')} {text(information, 'Filtyp')}".casefold()
    day = text(out, "Effektueringsdatum")
    effective = local_stamp(day + "000000")
    file, files = _number(out, "FilNr") or 1, _number(out, "AntalFiler") or 1
    if file > files:
        raise Rejected("input.invalid", "FilNr")
    return Header(
        total="total" in kind,
        stamp=f"{effective:%Y%m%d%H%M%S}" if effective is not None and effective <= context.now else "",
        declared=_number(out, "AntalPoster"),
        declared_total=_number(out, "AntalPosterTotalt"),
        file=file,
        files=files,
        number=_number(out, "LopNr"),
        series=f"{text(information, 'BestallningsId')}/{text(out, 'JobbId')}/{day}",
    )


def _number(element: Any | None, name: str) -> int | None:
    found = text(element, name)
    if not found:
        return None
    if not (found.isascii() and found.isdigit() and len(found) <= 9):
        raise Rejected("input.invalid", name)
    return int(found)


def _post(element: Any, position: int, header: Header, context: Context) -> Iterator[Item]:
    """Protection first, then the identity, a death, and the rest: what fails takes nothing before it along."""
    reader = PostReader(element, context)
    protection = reader.protection()
    stamp = reader.stamp()
    version = f"{stamp}|{header.number or 0:05d}.{header.file:03d}|{position:08d}" if stamp else ""
    record: SourceRecord | None = None
    first: tuple[Claim, ...] = () if protection is None else (Claim(protection),)
    spoken = first
    try:
        identifier = reader.identifier()
        subject = context.subject_of(identifier)
        record = SourceRecord(SOURCE, subject, version, subject, first, identifier, reader.total)
        spoken = first + reader.death()
        claims = tuple(reader.claims())
    except Rejected as error:
        key = record.source_key if record else ""
        raw = etree.tostring(element, encoding="utf-8", with_tail=False)
        yield Reject(
            position, error.code, error.detail, raw, key, with_claims(record, spoken) if record and spoken else None
        )
        if record is None and _raised(protection):
            yield Alarm("identifier.invalid", "a marked post names no person")
    else:
        yield Post(position, with_claims(record, first + claims))
    for code, detail in reader.alarms:
        yield Alarm(code, detail)


def _raised(protection: Protection | None) -> bool:
    return protection is not None and protection != Protection()
