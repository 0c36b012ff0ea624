"""`derive_place`: a place (*plats*) with its address and the units that are housed there."""

import datetime as dt
from collections.abc import Sequence

from mmd.domain.candidates import designated, of_system
from mmd.domain.claims import LoggedClaim, stamp_of
from mmd.domain.dated import dated_names, merged
from mmd.domain.heads import winners
from mmd.domain.register import SourceRegister
from streams.contracts.claims import Place
from streams.contracts.documents import PlaceDocument, PlaceUnitEntry


def derive_place(key: str, claims: Sequence[LoggedClaim], register: SourceRegister) -> PlaceDocument:
    """The document of the place `key` (see `streams.contracts.claims.place_key`). Claims as for `derive_person`.

    `restricted` is never lowered by which source is believed: any version of any designated source that still stands and
    says so, makes it so. Depends on the set of claims and the register alone.
    """
    candidates = designated((w for w in winners(claims) if w.subject == key), register, {}).get("place", [])
    best = of_system(candidates)
    if best is None or not isinstance(body := best.claim.body, Place):
        return PlaceDocument(id=key)
    stamp = stamp_of(best)
    restricted = any(
        isinstance(one.logged.claim.body, Place) and one.logged.claim.body.restricted for one in candidates
    )
    housed = {
        (one.unit, one.valid_from, one.valid_to)
        for one in body.units
        if one.unit and _real(one.valid_from, one.valid_to)
    }
    return PlaceDocument(
        id=key,
        stamp=stamp,
        periods=merged(body.periods),
        names=dated_names(body.names, stamp),
        place_type=body.place_type,
        address=body.address,
        municipality_code=body.municipality_code,
        property_designation=body.property_designation,
        units=tuple(
            PlaceUnitEntry(*one) for one in sorted(housed, key=lambda one: (one[1], one[0], one[2] or dt.date.max))
        ),
        restricted=restricted,
    )


def _real(start: dt.date, end: dt.date | None) -> bool:
    return end is None or start <= end
