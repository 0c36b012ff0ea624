"""The HR source: `hr-export.v1` files in, one source record an employment out."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import BinaryIO

from connectors.sources.hr.employment import EmploymentKey, EmploymentRows
from connectors.sources.jsonlines import BadLine, Frame, Row, lines, word, write
from connectors.sources.posts import Alarm, Context, Header, Item, NativeRecord, Post, Reject
from streams.catalogue import SOURCE_EMPLOYMENT
from streams.contracts.claims import Claim, SourceRecord
from streams.contracts.errors import Rejected
from streams.contracts.identifiers import luhn_digit, parse_identifier

SOURCE = "hr"
FORMAT = "hr-export.v1"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TEN = re.compile(r"([0-9]{6})[-]?([0-9]{4})")


class HrReader:
    """Rows of one employment may stand anywhere in the file, so a file is held in memory (about 2 KB a row)."""

    name = SOURCE
    topic = SOURCE_EMPLOYMENT
    dataclass = "personal"
    absence_kinds: tuple[str, ...] = ("employment", "agreed-name", "work-contact")
    own_versions = False

    def read(self, stream: BinaryIO, context: Context) -> Iterator[Item]:
        rows: dict[EmploymentKey, list[Row]] = defaultdict(list)
        header, employer, failure = Header(), "", None
        try:
            for line in lines(stream, FORMAT, context.now + timedelta(days=1)):
                if isinstance(line, Frame):
                    header, employer = line.header, line.employer
                    yield header
                elif isinstance(line, BadLine):
                    yield Reject(line.line, line.code, line.detail, line.raw)
                else:
                    try:
                        rows[_key(line, employer, context)].append(line)
                    except Rejected as error:
                        yield Reject(line.line, error.code, error.detail, line.raw)
        except Rejected as error:
            if not employer:
                raise
            failure = error
        for key, found in rows.items():
            yield from _employment(EmploymentRows(key, found, context), header)
        if failure is not None:
            raise failure

    def write(self, records: Sequence[NativeRecord], context: Context, number: int, total: bool) -> bytes:
        head = {"extractedAt": context.now, "total": total, "sequence": number, "employer": "kommun"}
        return write(FORMAT, records, head)


def _key(row: Row, employer: str, context: Context) -> EmploymentKey:
    """Raises `Rejected`. An employment id that is itself a personnummer, as some systems have it, is hashed."""
    company, employment_id = word(row.values, "companyId") or employer, word(row.values, "employmentId")
    if not employment_id:
        raise Rejected("input.missing", "employmentId")
    if not _ID.fullmatch(company) or _is_number(company, context):
        raise Rejected("input.invalid", "companyId")
    if _is_number(employment_id, context) or not _ID.fullmatch(employment_id):
        employment_id = f"h{context.digest_of(employment_id)}"
    return EmploymentKey(company, employment_id)


def _is_number(text: str, context: Context) -> bool:
    """Whether a text is a person identifier, with or without century."""
    ten = _TEN.fullmatch(text)
    candidates = [text] if ten is None else [century + ten[1] + ten[2] for century in ("19", "20")]
    if ten is not None and luhn_digit(ten[1] + ten[2][:3]) != int(ten[2][3]):
        return False
    for candidate in candidates:
        try:
            parse_identifier(candidate, context.today)
        except Rejected:
            continue
        return True
    return False


def _employment(rows: EmploymentRows, header: Header) -> Iterator[Item]:
    protection = rows.protection()
    line, raw = rows.rows[0].line, b"".join(row.raw for row in rows.rows)
    record: SourceRecord | None = None
    try:
        identifier = rows.identifier()
        first = () if protection is None else (Claim(protection),)
        subject = rows.context.subject_of(identifier)
        record = SourceRecord(SOURCE, rows.key.text, header.stamp, subject, first, identifier, total=True)
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
