"""The rows of one role of one person (an employment, an enrolment, a mandate ...) to one source record.

A role has one row for each of its periods. Whoever has ended must never stay because a row has a slip in a field that
does not matter for the end: then the bare dates are sent.
"""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from connectors.sources.dates import iso_date
from connectors.sources.grouped import Groups
from connectors.sources.ids import ID, plain
from connectors.sources.jsonlines import Row, word
from connectors.sources.posts import Alarm, Context, Item, Post, Reject
from streams.contracts.claims import Claim, Protection, Segment, SourceRecord, persona_key, unit_key
from streams.contracts.errors import Rejected
from streams.contracts.identifiers import Identifier, parse_identifier

Span = tuple[dt.date, dt.date | None]
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class RoleKey:
    """Information set, employer and id of a role in its source."""

    kind: str
    employer: str
    source_id: str

    @property
    def text(self) -> str:
        return persona_key(self.kind, self.employer, self.source_id)


@dataclass(slots=True)
class RoleRows(ABC):
    """All rows of one role in one file. What a source has of its own is a subclass: names of fields, segment, claims."""

    key: RoleKey
    source_key: str
    rows: Sequence[Row]
    context: Context
    alarms: list[tuple[str, str]] = field(default_factory=list)

    number_field: ClassVar[str] = "personNumber"
    marking_field: ClassVar[str] = "isClassified"
    named: ClassVar[str] = "role"

    def identifier(self) -> Identifier:
        """Raises `Rejected`: input.missing, identifier.invalid, identifier.ambiguous (ten digits), or input.invalid
        where the rows name two persons."""
        if any(self.number_field in row.twice for row in self.rows):
            raise Rejected("input.invalid", "a field twice")
        numbers = {word(row.values, self.number_field) for row in self.rows}
        if "" in numbers:
            raise Rejected("input.missing", self.number_field)
        found = {self._parsed(number) for number in numbers}
        if len(found) > 1:
            raise Rejected("input.invalid", f"{self.number_field}: two in one {self.named}")
        return found.pop()

    def _parsed(self, number: str) -> Identifier:
        """Of whom the role is."""
        return self._of_person(number)

    def _of_person(self, number: str) -> Identifier:
        """TF and interim numbers are the employer's (or school organiser's) own: another one's are other persons."""
        return parse_identifier(number, self.context.today, issuer=self.key.employer)

    def protection(self) -> Protection | None:
        """Such a source can raise and never lower: only a raise is a claim. Never raises an error."""
        values = [
            None if self.marking_field in row.twice else (row.values.get(self.marking_field),) for row in self.rows
        ]
        markings = [None if value is None else self._marking(value[0]) for value in values]
        known = [marking for marking in markings if marking is not None]
        if len(known) < len(markings):
            self.alarms.append(("code.unknown", self.marking_field))
        raised = Protection(any(m.sekretessmarkering for m in known), any(m.skyddad_folkbokforing for m in known))
        if raised != Protection():
            return raised
        return Protection(unknown_token=True) if len(known) < len(markings) else None

    def _marking(self, value: object) -> Protection | None:
        """What a token raises, `Protection()` for nothing; None for one that is not known."""
        if value is None or value is False:
            return Protection()
        return Protection(sekretessmarkering=True) if value is True else None

    def claims(self) -> Iterator[Claim]:
        """Every claim but protection. Raises `Rejected` naming the field."""
        spans = [span_of(row.values) for row in self.rows]
        ended = all(end is not None and end <= self.context.today for _, end in spans)
        cancelled = self._cancelled(lenient=ended)
        over = cancelled or ended
        self._told_once(lenient=over)
        segments = {self._segment_of(row.values, span, over) for row, span in zip(self.rows, spans, strict=True)}
        ordered = tuple(sorted(segments, key=lambda one: (one.valid_from, one.unit, one.title)))
        newest = max(zip(spans, self.rows, strict=True), key=lambda one: (one[0][0], one[1].line))[1].values
        yield from self._claims(ordered, newest, cancelled=cancelled, lenient=over)

    @abstractmethod
    def _claims(
        self, segments: tuple[Segment, ...], newest: Mapping[str, Any], *, cancelled: bool, lenient: bool
    ) -> Iterator[Claim]:
        """The role's own claim and what else there is. `newest`: the row that starts last. `lenient`: it is over."""

    @abstractmethod
    def _segment(self, values: Mapping[str, Any], span: Span) -> Segment:
        """Raises `Rejected`."""

    def _segment_of(self, values: Mapping[str, Any], span: Span, lenient: bool) -> Segment:
        try:
            return self._segment(values, span)
        except Rejected as error:
            self.forgive(error, lenient=lenient)
            return Segment(valid_from=span[0], valid_to=span[1])

    def forgive(self, error: Rejected, *, lenient: bool) -> None:
        """An alarm where the role is over, else the error again."""
        if not lenient:
            raise error
        self.alarms.append((error.code, error.detail))

    def unit(self, values: Mapping[str, Any], name: str) -> str:
        """The key of the unit that a field names. Raises `Rejected`."""
        unit = word(values, name)
        if not unit:
            raise Rejected("input.missing", name)
        if not ID.fullmatch(unit):
            raise Rejected("input.invalid", name)
        return unit_key(self.key.employer, plain(unit, self.context))

    def subject(self, values: Mapping[str, Any], name: str) -> str:
        """The subject of another person, `{"personNumber": ...}`; empty where none is named. Raises `Rejected`."""
        other = values.get(name)
        found = word(other, "personNumber") if isinstance(other, dict) else ""
        return self.context.subject_of(self._of_person(found)) if found else ""

    def _told_once(self, *, lenient: bool) -> None:
        """A field that stands twice in a row is guessed by nobody. Of who has ended only the dates matter."""
        twice = frozenset[str]().union(*(row.twice for row in self.rows))
        if twice and (not lenient or twice & {"startDate", "endDate", "cancelled"}):
            raise Rejected("input.invalid", "a field twice")
        if twice:
            self.alarms.append(("input.invalid", "a field twice"))

    def _cancelled(self, *, lenient: bool) -> bool:
        """Whether a row says so. Anything but true, false and null is not read as "not cancelled"."""
        tokens = [row.values.get("cancelled") for row in self.rows]
        if any(token is True for token in tokens):
            return True
        if not all(token is None or token is False for token in tokens):
            self.forgive(Rejected("input.invalid", "cancelled"), lenient=lenient)
        return False


def role_key(row: Row, employer: str, context: Context, kind: str, id_field: str) -> RoleKey:
    """Raises `Rejected`. An id that holds a personnummer, as some systems have it, is hashed."""
    if row.twice & {"companyId", id_field}:
        raise Rejected("input.invalid", "a field twice")
    company, source_id = word(row.values, "companyId") or employer, word(row.values, id_field)
    if not source_id:
        raise Rejected("input.missing", id_field)
    if not ID.fullmatch(company):
        raise Rejected("input.invalid", "companyId")
    return RoleKey(kind, plain(company, context), plain(source_id, context))


def items_of(rows: RoleRows, found: Groups[Key], source: str) -> Iterator[Item]:
    """The post of one role, or its reject with what it says of protection. Of a file that breaks off only markings."""
    protection, header = rows.protection(), found.header
    if found.broken is not None and protection is None:
        return
    line, raw = rows.rows[0].line, b"".join(row.raw for row in rows.rows)
    record: SourceRecord | None = None
    try:
        identifier = rows.identifier()
        first = () if protection is None else (Claim(protection),)
        subject = rows.context.subject_of(identifier)
        record = SourceRecord(source, rows.source_key, header.stamp, subject, first, identifier, total=True)
        found.check()
        claims = tuple(rows.claims())
    except Rejected as error:
        spoken = record if protection is not None else None
        yield Reject(line, error.code, error.detail, raw, rows.source_key, spoken, len(rows.rows))
        if record is None and protection is not None:
            yield Alarm("identifier.invalid", f"a marked {rows.named} names no person")
    else:
        whole = SourceRecord(source, rows.source_key, header.stamp, subject, first + claims, identifier, total=True)
        yield Post(line, whole, len(rows.rows))
    for code, detail in rows.alarms:
        yield Alarm(code, detail)


def span_of(values: Mapping[str, Any], start: str = "startDate", end: str = "endDate") -> Span:
    """Inclusive dates; None: until further notice. Raises `Rejected`."""
    valid_from, valid_to = iso_date(values.get(start), start), iso_date(values.get(end), end)
    if valid_from is None:
        raise Rejected("input.missing", start)
    if valid_to is not None and valid_to < valid_from:
        raise Rejected("input.end-before-start", end)
    return valid_from, valid_to
