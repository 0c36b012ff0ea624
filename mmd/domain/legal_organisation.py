"""`derive_legal_organisation`: a company of a consultant, a supplier: number, names, seat."""

from collections.abc import Callable, Sequence

from mmd.domain.candidates import designated, of_system
from mmd.domain.claims import LoggedClaim, stamp_of
from mmd.domain.dated import dated_names, merged
from mmd.domain.heads import winners
from mmd.domain.register import SourceRegister
from mmd.domain.timeline import Span, coalesce, without_overlap
from streams.contracts.claims import LegalOrganisation, Seat
from streams.contracts.documents import LegalOrganisationDocument, SeatEntry


def derive_legal_organisation(
    key: str, claims: Sequence[LoggedClaim], register: SourceRegister, person_id_of: Callable[[str], str]
) -> LegalOrganisationDocument:
    """The document of the legal organisation `key` (see `streams.contracts.claims.legal_organisation_key`). Claims and
    `person_id_of` as for `derive_person`; the owner's id may be an alias. Depends on the set of claims and the register
    alone."""
    candidates = designated((w for w in winners(claims) if w.subject == key), register, {})
    best = of_system(candidates.get("legal-organisation"))
    if best is None or not isinstance(body := best.claim.body, LegalOrganisation):
        return LegalOrganisationDocument(id=key)
    stamp = stamp_of(best)
    return LegalOrganisationDocument(
        id=key,
        stamp=stamp,
        number=body.number,
        owner=person_id_of(body.owner) if body.owner else "",
        periods=merged(body.periods),
        names=dated_names(body.names, stamp),
        seats=_seats(body.seats),
        form=body.form,
    )


def _seats(seats: Sequence[Seat]) -> tuple[SeatEntry, ...]:
    spans = [Span(one.valid_from, one.valid_to, one) for one in seats]
    cut = coalesce(without_overlap(spans, lambda one: one.seat), _same_seat)
    return tuple(SeatEntry(one.seat, start, end) for start, end, one in cut)


def _same_seat(a: Seat, b: Seat) -> bool:
    return a.seat == b.seat
