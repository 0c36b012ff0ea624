"""The register of elected representatives (*förtroendevalda*): who has which office in which nämnd, and when."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from connectors.sources.jsonlines import word
from connectors.sources.register import RegisterReader
from connectors.sources.roles import RoleRows, Span
from streams.catalogue import SOURCE_MANDATE
from streams.contracts.claims import Claim, Mandate, Segment
from streams.contracts.errors import Rejected


class MandateRows(RoleRows):
    """One mandate; another office in the same nämnd is a new row."""

    __slots__ = ()
    named = "mandate"

    def _claims(
        self, segments: tuple[Segment, ...], newest: Mapping[str, Any], *, cancelled: bool, lenient: bool
    ) -> Iterator[Claim]:
        yield Claim(Mandate(self.key.employer, self.key.source_id, segments, cancelled))

    def _segment(self, values: Mapping[str, Any], span: Span) -> Segment:
        office = word(values, "office")
        if not office:
            raise Rejected("input.missing", "office")
        return Segment(*span, unit=self.unit(values, "orgId"), title=office)


POLITICIANS = RegisterReader(
    name="politicians",
    format="mandate-export.v1",
    topic=SOURCE_MANDATE,
    roles=MappingProxyType({"mandateId": ("mandate", MandateRows)}),
    absence_kinds=("mandate",),
)
