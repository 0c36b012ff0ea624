"""The HR source: `hr-export.v1` files in, one source record an employment out."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from connectors.sources.grouped import Groups, grouped
from connectors.sources.hr.employment import EmploymentKey, EmploymentRows
from connectors.sources.ids import ID, plain
from connectors.sources.jsonlines import Row, word, write
from connectors.sources.posts import Alarm, Context, Item, NativeRecord, Post, Reject
from streams.catalogue import SOURCE_EMPLOYMENT
from streams.contracts.claims import Claim, SourceRecord
from streams.contracts.errors import Rejected

SOURCE = "hr"
FORMAT = "hr-export.v1"


class HrReader:
    """Of a file that breaks off nothing is published but the markings in it, see `Groups.broken`."""

    name = SOURCE
    topic = SOURCE_EMPLOYMENT
    dataclass = "personal"
    absence_kinds: tuple[str, ...] = ("employment", "agreed-name", "work-contact")
    own_versions = False

    def read(self, stream: BinaryIO, context: Context) -> Iterator[Item]:
        found = yield from grouped(stream, FORMAT, context, lambda row, employer: _key(row, employer, context))
        for key, rows in found.opened():
            yield from _employment(EmploymentRows(key, rows, context), found)
        found.check()

    def write(self, records: Sequence[NativeRecord], context: Context, number: int, total: bool) -> bytes:
        head = {"extractedAt": context.now, "total": total, "sequence": number, "employer": "kommun"}
        return write(FORMAT, records, head)


def _key(row: Row, employer: str, context: Context) -> EmploymentKey:
    """Raises `Rejected`. An employment id that holds a personnummer, as some systems have it, is hashed."""
    if row.twice & {"companyId", "employmentId"}:
        raise Rejected("input.invalid", "a field twice")
    company, employment_id = word(row.values, "companyId") or employer, word(row.values, "employmentId")
    if not employment_id:
        raise Rejected("input.missing", "employmentId")
    if not ID.fullmatch(company):
        raise Rejected("input.invalid", "companyId")
    return EmploymentKey(plain(company, context), plain(employment_id, context))


def _employment(rows: EmploymentRows, found: Groups[EmploymentKey]) -> Iterator[Item]:
    protection, header = rows.protection(), found.header
    if found.broken is not None and protection is None:
        return
    line, raw = rows.rows[0].line, b"".join(row.raw for row in rows.rows)
    record: SourceRecord | None = None
    try:
        identifier = rows.identifier()
        first = () if protection is None else (Claim(protection),)
        subject = rows.context.subject_of(identifier)
        record = SourceRecord(SOURCE, rows.key.text, header.stamp, subject, first, identifier, total=True)
        found.check()
        claims = tuple(rows.claims())
    except Rejected as error:
        spoken = record if protection is not None else None
        yield Reject(line, error.code, error.detail, raw, rows.key.text, spoken, len(rows.rows))
        if record is None and protection is not None:
            yield Alarm("identifier.invalid", "a marked employment names no person")
    else:
        whole = SourceRecord(SOURCE, rows.key.text, header.stamp, subject, first + claims, identifier, total=True)
        yield Post(line, whole, len(rows.rows))
    for code, detail in rows.alarms:
        yield Alarm(code, detail)
