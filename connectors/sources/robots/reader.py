"""The register of software robots: what each is set to do, who owns it, until when."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from connectors.sources.ids import ID, plain
from connectors.sources.jsonlines import word
from connectors.sources.register import RegisterReader
from connectors.sources.roles import RoleRows, Span
from streams.catalogue import SOURCE_ROBOT
from streams.contracts.claims import Claim, RobotDuty, Segment
from streams.contracts.errors import Rejected
from streams.contracts.identifiers import Identifier, IdentifierType


class DutyRows(RoleRows):
    """One thing that a robot is set to do; a prolongation is a new row."""

    __slots__ = ()
    number_field = "robotId"
    named = "duty"

    def _parsed(self, number: str) -> Identifier:
        """A robot has no personnummer: it is known by its id in the register of its employer."""
        if not ID.fullmatch(number):
            raise Rejected("identifier.invalid", "form")
        return Identifier(IdentifierType.ROBOT, plain(number, self.context), issuer=self.key.employer)

    def _claims(
        self, segments: tuple[Segment, ...], newest: Mapping[str, Any], *, cancelled: bool, lenient: bool
    ) -> Iterator[Claim]:
        yield Claim(RobotDuty(self.key.employer, self.key.source_id, segments, cancelled))

    def _segment(self, values: Mapping[str, Any], span: Span) -> Segment:
        if span[1] is None:
            raise Rejected("input.missing", "endDate")
        owner = self.subject(values, "owner")
        if not owner:
            raise Rejected("input.missing", "owner.personNumber")
        return Segment(*span, unit=self.unit(values, "orgId"), title=word(values, "title"), manager=owner)


ROBOTS = RegisterReader(
    name="robots",
    format="robot-export.v1",
    topic=SOURCE_ROBOT,
    roles=MappingProxyType({"dutyId": ("robot", DutyRows)}),
    absence_kinds=("robot",),
)
