"""The pupil register: enrolments of pupils and adult students, placements of children. Field names are SS 12000's."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from connectors.sources.jsonlines import word
from connectors.sources.register import RegisterReader
from connectors.sources.roles import RoleRows, Span
from streams.catalogue import SOURCE_ENROLMENT
from streams.contracts.claims import (
    ENROLMENT_TYPES,
    PLACEMENT_TYPES,
    Absent,
    Claim,
    Enrolment,
    Placement,
    Protection,
    Segment,
)
from streams.contracts.errors import Rejected

_MARKINGS: Mapping[object, Protection] = MappingProxyType(
    {
        None: Protection(),
        "Ingen": Protection(),
        "Sekretessmarkering": Protection(sekretessmarkering=True),
        "Skyddad folkbokföring": Protection(skyddad_folkbokforing=True),
    }
)
"""*securityMarking* of SS 12000; whatever else stands there counts as raised."""


class _SchoolRows(RoleRows):
    __slots__ = ()
    number_field = "civicNo"
    marking_field = "securityMarking"

    def _marking(self, value: object) -> Protection | None:
        return _MARKINGS.get(value) if value is None or isinstance(value, str) else None

    def _school_type(self, types: frozenset[str]) -> str:
        """The same in every row: it decides what kind of role this is. Raises `Rejected`."""
        found = {word(row.values, "schoolType") for row in self.rows}
        if "" in found:
            raise Rejected("input.missing", "schoolType")
        if len(found) > 1:
            raise Rejected("input.invalid", f"schoolType: two in one {self.named}")
        if not found <= types:
            raise Rejected("code.unknown", "schoolType")
        return found.pop()

    def _over(self, error: Rejected, kind: str, *, lenient: bool) -> Claim:
        """That a role which is over is there no more: what kind of role it was is guessed by nobody."""
        self.forgive(error, lenient=lenient)
        return Claim(Absent(of=kind))


class EnrolmentRows(_SchoolRows):
    """A pupil or an adult student in a school; a new school year, or another school, is a new row."""

    __slots__ = ()
    named = "enrolment"

    def _claims(
        self, segments: tuple[Segment, ...], newest: Mapping[str, Any], *, cancelled: bool, lenient: bool
    ) -> Iterator[Claim]:
        try:
            school_type = self._school_type(ENROLMENT_TYPES)
        except Rejected as error:
            yield self._over(error, "enrolment", lenient=lenient)
        else:
            yield Claim(Enrolment(self.key.employer, self.key.source_id, school_type, segments, cancelled))

    def _segment(self, values: Mapping[str, Any], span: Span) -> Segment:
        return Segment(*span, unit=self.unit(values, "enroledAt"), school_year=_school_year(values))


class PlacementRows(_SchoolRows):
    """A child's place in preschool or a leisure-time centre."""

    __slots__ = ()
    named = "placement"

    def _claims(
        self, segments: tuple[Segment, ...], newest: Mapping[str, Any], *, cancelled: bool, lenient: bool
    ) -> Iterator[Claim]:
        try:
            school_type = self._school_type(PLACEMENT_TYPES)
        except Rejected as error:
            yield self._over(error, "placement", lenient=lenient)
        else:
            yield Claim(Placement(self.key.employer, self.key.source_id, school_type, segments, cancelled))

    def _segment(self, values: Mapping[str, Any], span: Span) -> Segment:
        return Segment(*span, unit=self.unit(values, "placedAt"))


def _school_year(values: Mapping[str, Any]) -> int | None:
    year = values.get("schoolYear")
    if year is None:
        return None
    if isinstance(year, bool) or not isinstance(year, int) or not 0 <= year <= 10:
        raise Rejected("input.invalid", "schoolYear")
    return year


SCHOOL = RegisterReader(
    name="school",
    format="school-export.v1",
    topic=SOURCE_ENROLMENT,
    roles=MappingProxyType(
        {"enrolmentId": ("enrolment", EnrolmentRows), "placementId": ("placement", PlacementRows)},
    ),
    absence_kinds=("enrolment", "placement"),
)
