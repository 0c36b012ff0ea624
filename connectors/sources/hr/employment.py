"""The rows of one employment: one for each contract change (`empRowId`)."""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.sources.jsonlines import number, word
from connectors.sources.roles import RoleRows, Span, span_of
from streams.contracts.claims import Absent, AgreedName, Claim, Employment, Leave, Name, Segment, WorkContact
from streams.contracts.errors import Rejected


class EmploymentRows(RoleRows):
    """All rows of one employment in one file."""

    __slots__ = ()
    named = "employment"

    def _claims(
        self, segments: tuple[Segment, ...], newest: Mapping[str, Any], *, cancelled: bool, lenient: bool
    ) -> Iterator[Claim]:
        leaves = self._leaves(lenient=lenient)
        yield Claim(Employment(self.key.employer, self.key.source_id, segments, leaves, cancelled))
        try:
            yield from list(_person_claims(newest))
        except Rejected as error:
            self.forgive(error, lenient=lenient)

    def _segment(self, values: Mapping[str, Any], span: Span) -> Segment:
        return Segment(
            valid_from=span[0],
            valid_to=span[1],
            unit=self.unit(values, "orgId"),
            title=word(values, "title"),
            aid=_aid(values),
            aid_responsibility=word(values, "aidResponsibility"),
            extent_percent=_extent(values),
            form=word(values, "formOfEmploymentId"),
            manager=self._manager(values),
        )

    def _manager(self, values: Mapping[str, Any]) -> str:
        """The manager's subject; a number that cannot be read leaves the employee without one, and an alarm."""
        try:
            return self.subject(values, "manager")
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
                self.forgive(error, lenient=lenient)
        return tuple(sorted(found, key=lambda one: (one.valid_from, one.code)))


def _leave(values: Mapping[str, Any]) -> Leave:
    try:
        valid_from, valid_to = span_of(values, "fromDate", "toDate")
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
