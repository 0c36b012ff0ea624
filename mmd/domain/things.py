"""Documents about no person: one way from claims to each, by what the document id names."""

from collections.abc import Callable, Sequence

from mmd.domain.claims import LoggedClaim
from mmd.domain.group import derive_group
from mmd.domain.legal_organisation import derive_legal_organisation
from mmd.domain.place import derive_place
from mmd.domain.register import SourceRegister
from mmd.domain.unit import derive_unit
from streams.contracts.claims import thing_of
from streams.contracts.documents import Thing


def derive_thing(
    key: str, claims: Sequence[LoggedClaim], register: SourceRegister, person_id_of: Callable[[str], str]
) -> Thing:
    """The document of a unit, place, group or legal organisation. Raises `ValueError` for the id of a person."""
    match thing_of(key):
        case "unit":
            return derive_unit(key, claims, register)
        case "place":
            return derive_place(key, claims, register)
        case "group":
            return derive_group(key, claims, register, person_id_of)
        case "legal-organisation":
            return derive_legal_organisation(key, claims, register, person_id_of)
        case _:
            raise ValueError("the id of a person")
