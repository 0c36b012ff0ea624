"""What generated histories are made of: a cast with published test numbers, and records as they are told and logged."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import msgspec

from mmd.domain.claims import LoggedClaim, claim_digest_key, digest_of
from mmd.domain.register import SourceRegister
from mmd.store.own_ids import own_id
from streams.catalogue import (
    SOURCE_ACCOUNT,
    SOURCE_CONSULTANCY,
    SOURCE_EMPLOYMENT,
    SOURCE_ENROLMENT,
    SOURCE_GROUP,
    SOURCE_MANDATE,
    SOURCE_ORGANISATION,
    SOURCE_PERSON,
    SOURCE_PLACE,
    SOURCE_ROBOT,
    SOURCE_RULING,
)
from streams.contracts.claims import (
    Body,
    Claim,
    NumberReference,
    SourceRecord,
    group_key,
    legal_organisation_key,
    place_key,
    unit_key,
)
from streams.contracts.identifiers import Identifier, parse_identifier
from streams.contracts.testnumbers import test_coordination_number as coordination_number
from streams.contracts.testnumbers import test_number as published_number
from streams.hashing import subject_of
from tests.unit.mmd_domain.making import TODAY, register_data

SUBJECT_SECRET, PERSON_SECRET, DIGEST_SECRET = b"s" * 32, b"p" * 32, b"d" * 32
DIGEST_KEY = claim_digest_key(DIGEST_SECRET)
REGISTER = SourceRegister.from_data(register_data())
START = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
CAST = range(5)
UNITS = (unit_key("kommun", "1"), unit_key("kommun", "2"))
EMPLOYMENTS = ("E1", "E2", "E3")
ROLES = ("R1", "R2")
"""Ids of roles beside employment: an enrolment of the first is a pupil's, of the second an adult's."""
PLACE = place_key("kommun", "1")
GROUPS = (group_key("kommun", "1"), group_key("kommun", "2"))
COMPANY, FIRM = legal_organisation_key("1" * 32), legal_organisation_key("2" * 32)
_TOPICS = {
    "hr": SOURCE_EMPLOYMENT,
    "iam": SOURCE_ACCOUNT,
    "ruling": SOURCE_RULING,
    "org": SOURCE_ORGANISATION,
    "companies": SOURCE_ORGANISATION,
    "places": SOURCE_PLACE,
    "groups": SOURCE_GROUP,
    "school": SOURCE_ENROLMENT,
    "politicians": SOURCE_MANDATE,
    "consultants": SOURCE_CONSULTANCY,
    "robots": SOURCE_ROBOT,
}
"""By source; of others the population register's."""


@dataclass(frozen=True)
class Told:
    """One record, where it is sent, and its first logging (UTC). Told again it keeps its place among the versions."""

    record: SourceRecord
    event: str
    at: dt.datetime

    @property
    def topic(self) -> str:
        return _TOPICS.get(self.record.source, SOURCE_PERSON)

    def again(self, later: dt.timedelta) -> "Told":
        return Told(self.record, f"{self.event}-again", self.at + later)

    def claims(self) -> list[LoggedClaim]:
        """As the log holds them, without what ingest refuses or keeps as a conflict (derive passes over those too)."""
        one = self.record
        return [
            LoggedClaim(
                subject=one.subject,
                source=one.source,
                source_key=one.source_key,
                version=one.version,
                digest=digest_of(claim, one.subject, DIGEST_KEY),
                claim=claim,
                event=self.event,
                logged_at=self.at,
                identifier=one.identifier,
            )
            for claim in one.claims
        ]


def claims_of(told: Iterable[Told]) -> list[LoggedClaim]:
    return [claim for one in told for claim in one.claims()]


@cache
def identifier_of(who: int) -> Identifier:
    """Of the first three a personnummer, then a samordningsnummer, and the TF number of a pupil."""
    birth = dt.date(1980, 2, 1) + dt.timedelta(days=who)
    if who == CAST[-1]:
        return parse_identifier(f"{birth:%Y%m%d}TF01", TODAY, issuer="kommun")
    return parse_identifier((coordination_number if who == CAST[-2] else published_number)(birth, "female"), TODAY)


@cache
def subject(who: int) -> str:
    return subject_of(SUBJECT_SECRET, identifier_of(who))


@cache
def person_id_of(one: str) -> str:
    return own_id(PERSON_SECRET, one)


def day(number: int) -> dt.date:
    """Days some weeks apart, before and after the day on which the history is told."""
    return dt.date(2026, 1, 5) + dt.timedelta(days=28 * number)


def stamp(number: int) -> str:
    return f"202602{number:02d}080000"


def record(source: str, who: int | str, version: str, *said: Body | Claim, key: str = "") -> SourceRecord:
    """A record about one of the cast, a unit, or an id. The key is the post's, the employment's or the unit's."""
    about = subject(who) if isinstance(who, int) else who
    claims = tuple(one if isinstance(one, Claim) else Claim(one) for one in said)
    return SourceRecord(
        source, key or about, version, about, claims, identifier_of(who) if isinstance(who, int) else None
    )


def refers(other: int, *, superseded: bool = False) -> NumberReference:
    return NumberReference(identifier_of(other), subject(other), superseded)


def instants(history: Sequence[Told]) -> list[dt.datetime]:
    """Times as of which something else was known than before."""
    return sorted({one.at for one in history})


def known_by(claims: Iterable[LoggedClaim], known: dt.datetime) -> list[LoggedClaim]:
    return [claim for claim in claims if claim.logged_at <= known]


def shown(told: Iterable[Told]) -> str:
    """For a failing test: one line a record."""
    return "\n".join(f"{one.at:%d %H} {msgspec.json.encode(one.record).decode()}" for one in told)
