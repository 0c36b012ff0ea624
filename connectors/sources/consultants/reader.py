"""The register of consultants: whom a company has sent, to which unit, who answers for them, until when."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from connectors.sources.jsonlines import word
from connectors.sources.register import RegisterReader
from connectors.sources.roles import RoleRows, Span
from streams.catalogue import SOURCE_CONSULTANCY
from streams.contracts.claims import CONSULTANCY_MONTHS, Claim, Consultancy, Segment
from streams.contracts.errors import Rejected
from streams.contracts.identifiers import parse_organisation_number
from streams.contracts.time import months_after


class ConsultancyRows(RoleRows):
    """A consultant's assignment; a prolongation is a new row."""

    __slots__ = ()
    named = "consultancy"

    def _claims(
        self, segments: tuple[Segment, ...], newest: Mapping[str, Any], *, cancelled: bool, lenient: bool
    ) -> Iterator[Claim]:
        company = ""
        try:
            company = self._company()
        except Rejected as error:
            self.forgive(error, lenient=lenient)
        yield Claim(Consultancy(self.key.employer, self.key.source_id, company, segments, cancelled))

    def _company(self) -> str:
        """Ten digits. The number of a sole trader (*enskild firma*) is a person's own and is not taken in."""
        found = {word(row.values, "organisationNumber") for row in self.rows}
        if "" in found:
            raise Rejected("input.missing", "organisationNumber")
        if len(found) > 1:
            raise Rejected("input.invalid", "organisationNumber: two in one consultancy")
        return parse_organisation_number(found.pop()).value

    def _segment(self, values: Mapping[str, Any], span: Span) -> Segment:
        start, end = span
        if end is None:
            raise Rejected("input.missing", "endDate")
        if end > months_after(start, CONSULTANCY_MONTHS):
            raise Rejected("input.invalid", f"endDate: more than {CONSULTANCY_MONTHS} months")
        sponsor = self.subject(values, "sponsor")
        if not sponsor:
            raise Rejected("input.missing", "sponsor.personNumber")
        return Segment(start, end, unit=self.unit(values, "orgId"), title=word(values, "title"), manager=sponsor)


CONSULTANTS = RegisterReader(
    name="consultants",
    format="consultant-export.v1",
    topic=SOURCE_CONSULTANCY,
    roles=MappingProxyType({"consultancyId": ("consultancy", ConsultancyRows)}),
    absence_kinds=("consultancy",),
)
