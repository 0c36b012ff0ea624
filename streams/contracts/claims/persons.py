"""What is said of a person whatever the role (designated: the population register)."""

import datetime as dt
from enum import StrEnum

import msgspec

from streams.contracts.claims.body import ClaimBody
from streams.contracts.identifiers import Identifier
from streams.contracts.time import IncompleteDate


class Marking(StrEnum):
    """Protected identity, lowest first (SM2). UNVERIFIED: no source designated for protection has spoken yet."""

    UNVERIFIED = "unverified"
    NONE = "none"
    SEKRETESSMARKERING = "sekretessmarkering"
    SKYDDAD_FOLKBOKFORING = "skyddad-folkbokforing"

    @classmethod
    def _missing_(cls, value: object) -> "Marking | None":
        """A level that this version does not know is read as the highest that it knows: never as an open one."""
        return cls.SKYDDAD_FOLKBOKFORING if isinstance(value, str) else None

    @property
    def discloses_like_marked(self) -> bool:
        """Everything but an explicit NONE is handled as protected: fail closed."""
        return self is not Marking.NONE


class Protection(ClaimBody, frozen=True, tag="protection"):
    """Both markings as this post states them; a token that is not known counts as raised (`unknown_token`)."""

    sekretessmarkering: bool = False
    skyddad_folkbokforing: bool = False
    unknown_token: bool = False

    @property
    def marking(self) -> Marking:
        if self.skyddad_folkbokforing:
            return Marking.SKYDDAD_FOLKBOKFORING
        if self.sekretessmarkering or self.unknown_token:
            return Marking.SEKRETESSMARKERING
        return Marking.NONE


class Name(ClaimBody, frozen=True, tag="name"):
    """Registered name (*folkbokfört namn*). `call_name` is the *tilltalsnamn* as text, taken from the given names."""

    given: str = ""
    middle: str = ""
    family: str = ""
    call_name: str = ""


class Birth(ClaimBody, frozen=True, tag="birth"):
    date: IncompleteDate


class Registration(ClaimBody, frozen=True, tag="registration"):
    """Population-register status (SM1). `code` is the Avregistrering code; empty: registered. May be unknown to us."""

    code: str = ""
    date: IncompleteDate | None = None


class PostalAddress(msgspec.Struct, frozen=True, omit_defaults=True):
    care_of: str = ""
    street: str = ""
    street2: str = ""
    postal_code: str = ""  # text: a leading zero or a foreign code must survive
    locality: str = ""
    country: str = ""


class RegisteredAddress(ClaimBody, frozen=True, tag="registered-address"):
    """*Folkbokföringsadress* with municipality code (county + municipality, four digits). `since`: *Folkbokforingsdatum* as
    the register wrote it where it is incomplete; the claim holds from the first day that it can mean."""

    address: PostalAddress
    municipality_code: str = ""
    property_designation: str = ""
    since: IncompleteDate | None = None


class SpecialAddress(ClaimBody, frozen=True, tag="special-address"):
    """*Särskild postadress*; under skyddad folkbokföring this is Skatteverket's forwarding address."""

    address: PostalAddress


class NumberReference(ClaimBody, frozen=True, tag="number-reference"):
    """*HanvisningsPersonNr*. `superseded`: this post carries GN or GS, so this post's number is the old one."""

    other: Identifier
    other_subject: str
    superseded: bool = False


class Assurance(StrEnum):
    """How sure it is who holds a number (*identitetsnivå* of a samordningsnummer, lag 2022:1697)."""

    CONFIRMED = "confirmed"  # styrkt
    PROBABLE = "probable"  # sannolik
    UNCERTAIN = "uncertain"  # osäker

    @classmethod
    def _missing_(cls, value: object) -> "Assurance | None":
        """A level that this version does not know is no proof of anything."""
        return cls.UNCERTAIN if isinstance(value, str) else None


class IdentityAssurance(ClaimBody, frozen=True, tag="identity-assurance"):
    """What is known of the holder of this post's samordningsnummer. `dormant`: declared so (*vilandeförklarat*), because
    nobody renewed it in five years; it says nothing about where the person is or works."""

    level: Assurance
    dormant: bool = False
    dormant_from: IncompleteDate | None = None


class Relation(msgspec.Struct, frozen=True, omit_defaults=True):
    """A custody relation. `type` is `V` (the other is guardian of this person) or `VF` (this person is guardian of
    the other); the codes are Navet's *Relationstyp*. `starts` and `ends` are the dates as the register wrote them where
    they are incomplete; the relation holds for the shortest time that they can mean."""

    type: str
    subject: str
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    starts: IncompleteDate | None = None
    ends: IncompleteDate | None = None


class Custody(ClaimBody, frozen=True, tag="custody"):
    relations: tuple[Relation, ...] = ()
