"""The rows of one employment to one source record.

An employment has one row per contract change (`empRowId`). Whoever ended must never stay because a row has a slip in a
field that does not matter for the end: then the bare dates are sent.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.sources.dates import iso_date
from connectors.sources.ids import ID, plain
from connectors.sources.jsonlines import Row, number, word
from connectors.sources.posts import Context
from streams.contracts.claims import (
    Absent,
    AgreedName,
    Claim,
    Employment,
    Leave,
    Name,
    Protection,
    Segment,
    WorkContact,
    unit_key,
)
from streams.contracts.errors import Rejected
from streams.contracts.identifiers import Identifier, parse_identifier


@dataclass(frozen=True, slots=True)
class EmploymentKey:
    employer: str
    employment_id: str

    @property
    def text(self) -> str:
        return f"{self.employer}:{self.employment_id}"


@dataclass(slots=True)
class EmploymentRows:
    """All rows of one employment in one file."""

    key: EmploymentKey
    rows: Sequence[Row]
    context: Context
    alarms: list[tuple[str, str]] = field(default_factory=list)

    def identifier(self) -> Identifier:
        """Raises `Rejected`: input.missing, identifier.invalid, identifier.ambiguous (ten digits), or input.invalid
        where the rows name two persons."""
        if any("personNumber" in row.twice for row in self.rows):
            raise Rejected("input.invalid", "a field twice")
        numbers = {word(row.values, "personNumber") for row in self.rows}
        if "" in numbers:
            raise Rejected("input.missing", "personNumber")
        found = {parse_identifier(number, self.context.today) for number in numbers}
        if len(found) > 1:
            raise Rejected("input.invalid", "personNumber: two in one employment")
        return found.pop()

    def protection(self) -> Protection | None:
        """HR can raise and never lower: only a raise is a claim. Never raises an error."""
        tokens = {"?" if "isClassified" in row.twice else _token(row.values.get("isClassified")) for row in self.rows}
        if "?" in tokens:
            self.alarms.append(("code.unknown", "isClassified"))
        if "yes" in tokens:
            return Protection(sekretessmarkering=True)
        return Protection(unknown_token=True) if "?" in tokens else None

    def claims(self) -> Iterator[Claim]:
        """Every claim but protection. Raises `Rejected` naming the field."""
        spans = [_span(row.values) for row in self.rows]
        ended = all(end is not None and end <= self.context.today for _, end in spans)
        cancelled = self._cancelled(lenient=ended)
        over = cancelled or ended
        self._told_once(lenient=over)
        segments = tuple(
            self._segment(row.values, span, lenient=over) for row, span in zip(self.rows, spans, strict=True)
        )
        yield Claim(
            Employment(
                self.key.employer,
                self.key.employment_id,
                tuple(sorted(set(segments), key=lambda one: (one.valid_from, one.unit, one.title))),
                self._leaves(lenient=over),
                cancelled,
            )
        )
        newest = max(zip(spans, self.rows, strict=True), key=lambda one: (one[0][0], one[1].line))[1].values
        yield from self._of_the_person(newest, lenient=over)

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
            if not lenient:
                raise Rejected("input.invalid", "cancelled")
            self.alarms.append(("input.invalid", "cancelled"))
        return False

    def _of_the_person(self, values: Mapping[str, Any], *, lenient: bool) -> list[Claim]:
        try:
            return list(_person_claims(values))
        except Rejected as error:
            if not lenient:
                raise
            self.alarms.append((error.code, error.detail))
            return []

    def _segment(self, values: Mapping[str, Any], span: tuple[dt.date, dt.date | None], *, lenient: bool) -> Segment:
        try:
            unit = word(values, "orgId")
            if not unit:
                raise Rejected("input.missing", "orgId")  # noqa: TRY301
            if not ID.fullmatch(unit):
                raise Rejected("input.invalid", "orgId")  # noqa: TRY301
            return Segment(
                valid_from=span[0],
                valid_to=span[1],
                unit=unit_key(self.key.employer, plain(unit, self.context)),
                title=word(values, "title"),
                aid=_aid(values),
                aid_responsibility=word(values, "aidResponsibility"),
                extent_percent=_extent(values),
                form=word(values, "formOfEmploymentId"),
                manager=self._manager(values),
            )
        except Rejected as error:
            if not lenient:
                raise
            self.alarms.append((error.code, error.detail))
            return Segment(valid_from=span[0], valid_to=span[1])

    def _manager(self, values: Mapping[str, Any]) -> str:
        """The manager's subject; a number that cannot be read leaves the employee without one, and an alarm."""
        manager = values.get("manager")
        try:
            found = word(manager, "personNumber") if isinstance(manager, dict) else ""
            if not found:
                return ""
            return self.context.subject_of(parse_identifier(found, self.context.today))
        except Rejected as error:
            self.alarms.append((error.code, "manager.personNumber"))
            return ""

    def _leaves(self, *, lenient: bool) -> tuple[Leave, ...]:
        found: set[Leave] = set()
        for row in self.rows:
            entries = row.values.get("leave") or ()
            try:
                if not isinstance(entries, list | tuple) or not all(isinstance(one, dict) for one in entries):
                    raise Rejected("input.invalid", "leave")  # noqa: TRY301
                found |= {_leave(one) for one in entries}
            except Rejected as error:
                if not lenient:
                    raise
                self.alarms.append((error.code, error.detail))
        return tuple(sorted(found, key=lambda one: (one.valid_from, one.code)))


def _token(value: object) -> str:
    if value is None or value is False:
        return "no"
    return "yes" if value is True else "?"


def _span(values: Mapping[str, Any], start: str = "startDate", end: str = "endDate") -> tuple[dt.date, dt.date | None]:
    valid_from, valid_to = iso_date(values.get(start), start), iso_date(values.get(end), end)
    if valid_from is None:
        raise Rejected("input.missing", start)
    if valid_to is not None and valid_to < valid_from:
        raise Rejected("input.end-before-start", end)
    return valid_from, valid_to


def _leave(values: Mapping[str, Any]) -> Leave:
    try:
        valid_from, valid_to = _span(values, "fromDate", "toDate")
    except Rejected as error:
        raise Rejected(error.code, f"leave.{error.detail}") from None
    return Leave(valid_from, valid_to, word(values, "code"))


def _aid(values: Mapping[str, Any]) -> str:
    aid = word(values, "aid")
    if aid and not (aid.isascii() and aid.isdigit() and len(aid) == 6):
        raise Rejected("input.invalid", "aid")
    return aid


def _extent(values: Mapping[str, Any]) -> float | None:
    extent = number(values, "extentPercent")
    if extent is not None and not 0 <= extent <= 100:
        raise Rejected("input.invalid", "extentPercent")
    return extent


def _person_claims(values: Mapping[str, Any]) -> Iterator[Claim]:
    """What HR says of the person: its register name (sent so that the conflict shows), the agreed name, the telephone.
    A field that is null says that there is none; a field that the export lacks says nothing."""
    given, family = word(values, "givenname"), word(values, "lastname")
    if given or family:
        yield Claim(Name(given, word(values, "middlename"), family, word(values, "friendlyGivenname")))
    agreed = word(values, "agreedDisplayName") or word(values, "customFriendlyGivenname")
    if agreed:
        yield Claim(AgreedName(agreed))
    elif "agreedDisplayName" in values or "customFriendlyGivenname" in values:
        yield Claim(Absent(of="agreed-name"))
    phone = word(values, "workPhone")
    if phone:
        yield Claim(WorkContact(phone))
    elif "workPhone" in values:
        yield Claim(Absent(of="work-contact"))
