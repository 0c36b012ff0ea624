"""Builders and hypothesis strategies for claims: what sources say, in a few words."""

import datetime as dt
import hashlib
from typing import Any

import msgspec
from hypothesis import strategies as st

from mmd.domain.claims import LoggedClaim, digest_of
from mmd.domain.disclosure import Known, People
from mmd.domain.register import SourceRegister
from mmd.domain.release import ATTRIBUTES, Release
from streams.contracts.claims import (
    Absent,
    AccountFacts,
    AgreedName,
    Birth,
    Body,
    Claim,
    Consultancy,
    Custody,
    Employment,
    Enrolment,
    Leave,
    Mandate,
    Name,
    NumberReference,
    Placement,
    PostalAddress,
    Protection,
    RegisteredAddress,
    Registration,
    Relation,
    RobotDuty,
    Segment,
    SpecialAddress,
    WorkContact,
    persona_key,
)
from streams.contracts.identifiers import Identifier, parse_identifier
from streams.contracts.testnumbers import test_number as published_number
from streams.hashing import id_subject, uuid8

NOW = dt.datetime(2026, 6, 1, 8, tzinfo=dt.UTC)
TODAY = dt.date(2026, 6, 1)

NAVET_KINDS = (
    "protection",
    "name",
    "birth",
    "registration",
    "registered-address",
    "special-address",
    "number-reference",
    "identity-assurance",
    "custody",
)
HR_KINDS = ("employment", "agreed-name", "work-contact")
RULING_KINDS = ("merge", "split", "protection-lift", "return", "death-reversal")
REGISTERS = {
    "school": ("enrolment", "placement"),
    "politicians": ("mandate",),
    "consultants": ("consultancy",),
    "robots": ("robot",),
}
"""The sources of roles beside employment, and their kinds."""


def register_data() -> dict[str, Any]:
    def rows(information_set: str, sources: list[str], kinds: tuple[str, ...]) -> list[dict[str, Any]]:
        return [
            {"information_set": information_set, "attribute": kind, "sources": sources, "owner": "the owner"}
            for kind in kinds
        ]

    return {
        "designations": [
            *rows("person", ["ruling", "navet"], NAVET_KINDS),
            *rows("employment", ["hr"], HR_KINDS),
            *(row for source, kinds in REGISTERS.items() for row in rows(source, [source], kinds)),
            *rows("account", ["iam"], ("account",)),
            *rows("rulings", ["ruling"], RULING_KINDS),
            *rows("organisation", ["org"], ("unit-node", "unit-structure", "unit-name")),
            *rows("place", ["places"], ("place",)),
            *rows("group", ["groups"], ("group", "group-members")),
            *rows("legal-organisation", ["companies"], ("legal-organisation",)),
        ]
    }


REGISTER = SourceRegister.from_data(register_data())


def identifier_of(number: int) -> Identifier:
    """A published test number, one a subject."""
    born = dt.date(1981, 3, 5) + dt.timedelta(days=number)
    return parse_identifier(published_number(born, "female"), TODAY)


def subject_of(number: int) -> str:
    return hashlib.sha256(f"subject {number}".encode()).hexdigest()[:32]


def person_id_of(subject: str) -> str:
    return uuid8(hashlib.sha256(f"person {subject}".encode()).digest())


SUBJECTS = {subject_of(number): identifier_of(number) for number in range(6)}
A, B, C, D, E, F = SUBJECTS
ALL = tuple(SUBJECTS)


def said(
    body: Body,
    *,
    by: str = "navet",
    of: str = A,
    key: str = "",
    version: str = "20260101",
    since: dt.date | None = None,
    until: dt.date | None = None,
    logged: dt.datetime = NOW,
    event: str = "",
) -> LoggedClaim:
    """One logged claim. Without `key` the source key is the subject's post."""
    claim = Claim(body, since, until)
    digest = digest_of(claim, of)
    return LoggedClaim(
        subject=of,
        source=by,
        source_key=key or f"post-{of}",
        version=version,
        digest=digest,
        claim=claim,
        event=event or f"event-{digest[:8]}",
        logged_at=logged,
        identifier=SUBJECTS.get(of),
    )


def hired(
    employment: str = "e1",
    *,
    of: str = A,
    start: dt.date = dt.date(2020, 1, 1),
    end: dt.date | None = None,
    unit: str = "unit:kommunen:1",
    extent: float = 100.0,
    version: str = "20260101",
    manager: str = "",
    cancelled: bool = False,
) -> LoggedClaim:
    segment = Segment(start, end, unit, "Undersköterska", "207008", "A", extent, "1", manager)
    body = Employment("kommunen", employment, (segment,), (), cancelled)
    return said(body, by="hr", of=of, key=employment, version=version)


def registered(of: str = A, *, version: str = "20260101", protection: Protection | None = None) -> list[LoggedClaim]:
    """An ordinary post of the population register, all groups."""
    since = dt.date(2010, 5, 1)
    return [
        said(protection or Protection(), of=of, version=version),
        said(Name("Canarygiven", "Canarymiddle", "Canaryfamily", "Canarygiven"), of=of, version=version, since=since),
        said(Birth("1981-03-05"), of=of, version=version),
        said(Registration(), of=of, version=version),
        said(RegisteredAddress(HOME, "2281"), of=of, version=version, since=since),
    ]


def release(**changes: Any) -> Release:
    """A release of everything about everybody, but for what is said."""
    data = {
        "reader": "a reader",
        "purpose": {"sv": "Prov", "en": "Test"},
        "legal_basis": "the law",
        "attributes": sorted(ATTRIBUTES),
        "persona_types": "all",
        "units": "all",
        "valid_until": "2026-12-31",
        **changes,
    }
    return Release.from_data(data)


HOME = PostalAddress("Canarycareof", "Canarystreet 1", "", "01234", "Canarytown")
FORWARDING = PostalAddress("", "Skatteverkets förmedling", "", "17180", "Solna")


# --- histories of several sources and persons, with what goes wrong in real ones ---
def _days() -> st.SearchStrategy[dt.date]:
    return st.integers(0, 40).map(lambda n: dt.date(2026, 1, 1) + dt.timedelta(days=7 * n))


def _maybe(days: st.SearchStrategy[dt.date]) -> st.SearchStrategy[dt.date | None]:
    return st.none() | days


_words = st.sampled_from(["Anna", "Bo", "Åsa", "Örjan"])
_subjects = st.sampled_from(ALL)
_segments = st.lists(
    st.builds(
        Segment,
        valid_from=_days(),
        valid_to=_maybe(_days()),
        unit=st.sampled_from(["unit:k:1", "unit:k:2", ""]),
        title=_words,
        extent_percent=st.sampled_from([None, 50.0, 100.0]),
        manager=st.sampled_from(["", *ALL]),
    ),
    max_size=4,
).map(tuple)
_leaves = st.lists(st.builds(Leave, valid_from=_days(), valid_to=_maybe(_days())), max_size=2).map(tuple)
_relations = st.lists(
    st.builds(
        Relation,
        type=st.sampled_from(["V", "VF", "MO"]),
        subject=_subjects,
        valid_from=_maybe(_days()),
        valid_to=_maybe(_days()),
    ),
    max_size=3,
).map(tuple)
_addresses = st.builds(PostalAddress, street=_words, locality=_words)
_references = _subjects.flatmap(
    lambda other: st.builds(
        NumberReference, other=st.just(SUBJECTS[other]), other_subject=st.just(other), superseded=st.booleans()
    )
)
_navet_bodies: st.SearchStrategy[Body] = st.one_of(
    st.builds(Protection, st.booleans(), st.booleans(), st.booleans()),
    st.just(Protection()),
    st.builds(Name, given=_words, family=_words),
    st.builds(Birth, st.sampled_from(["1981", "1981-03", "1981-03-05"])),
    st.builds(Registration, st.sampled_from(["", "AV", "UV", "GN", "GS", "OB", "TA", "FI"])),
    st.builds(RegisteredAddress, _addresses),
    st.builds(SpecialAddress, _addresses),
    st.builds(Custody, _relations),
    _references,
    st.builds(Absent, st.sampled_from(NAVET_KINDS)),
)
_hr_bodies: st.SearchStrategy[Body] = st.one_of(
    st.builds(
        Employment,
        employer=st.just("kommunen"),
        employment_id=st.sampled_from(["e1", "e2"]),
        segments=_segments,
        leaves=_leaves,
        cancelled=st.booleans(),
    ),
    st.builds(AgreedName, _words),
    st.builds(WorkContact, st.sampled_from(["", "08-46500400"])),
    st.builds(Protection, st.booleans()),
    st.builds(Name, given=_words),  # undesignated
    st.builds(Absent, st.sampled_from(["employment", "agreed-name", "work-contact"])),
)
_versions = st.integers(1, 6).map(lambda n: f"v{n}")
_logged = st.integers(0, 500).map(lambda n: NOW + dt.timedelta(minutes=n))


@st.composite
def navet_claims(draw: st.DrawFn) -> LoggedClaim:
    body = draw(_navet_bodies)
    since = draw(_maybe(_days())) if isinstance(body, Name | RegisteredAddress | SpecialAddress | Absent) else None
    return said(
        body,
        by=draw(st.sampled_from(["navet", "navet", "navet", "ruling", "gossip"])),
        of=draw(_subjects),
        version=draw(_versions),
        since=since,
        logged=draw(_logged),
    )


@st.composite
def hr_claims(draw: st.DrawFn) -> LoggedClaim:
    body = draw(_hr_bodies)
    key = body.employment_id if isinstance(body, Employment) else draw(st.sampled_from(["e1", "e2"]))
    return said(body, by="hr", of=draw(_subjects), key=key, version=draw(_versions), logged=draw(_logged))


_role_bodies: st.SearchStrategy[Body] = st.one_of(
    *(
        st.builds(
            kind,
            employer=st.just("kommunen"),
            source_id=st.sampled_from(["r1", "r2"]),
            segments=_segments,
            cancelled=st.booleans(),
            **fixed,
        )
        for kind, fixed in (
            (Enrolment, {"school_type": st.sampled_from(["GR", "VUX"])}),
            (Placement, {"school_type": st.just("FS")}),
            (Mandate, {}),
            (Consultancy, {"company": st.just("5599999991")}),
            (RobotDuty, {}),
        )
    ),
    st.builds(Absent, st.sampled_from([kind for kinds in REGISTERS.values() for kind in kinds])),
)


@st.composite
def role_claims(draw: st.DrawFn, of: str = "") -> LoggedClaim:
    """What the registers of pupils, politicians, consultants and robots say; about one person where it is given."""
    body = draw(_role_bodies)
    kind = Claim(body).kind
    source = next(source for source, kinds in REGISTERS.items() if kind in kinds)
    number = draw(st.sampled_from(["r1", "r2"])) if isinstance(body, Absent) else body.source_id  # type: ignore[union-attr]
    key = persona_key(kind, "kommunen", number)
    return said(body, by=source, of=of or draw(_subjects), key=key, version=draw(_versions), logged=draw(_logged))


@st.composite
def account_claims(draw: st.DrawFn) -> LoggedClaim:
    served = draw(st.sets(st.sampled_from(["e1", "e2"]), max_size=2))
    body = AccountFacts(
        account=draw(st.sampled_from(["account-1", "account-2"])),
        personas=tuple(sorted(persona_key("employment", "kommunen", e) for e in served)),
        uid="ab12cd",
    )
    return said(
        body,
        by="iam",
        of=id_subject(person_id_of(draw(_subjects))),
        key=body.account,
        version=draw(_versions),
        logged=draw(_logged),
    )


def histories(most: int = 25) -> st.SearchStrategy[list[LoggedClaim]]:
    return st.lists(
        st.one_of(navet_claims(), navet_claims(), hr_claims(), role_claims(), account_claims()),
        min_size=1,
        max_size=most,
    )


def unmarked(*ids: str) -> People:
    """Persons who are known by these ids and whose marking is NONE."""
    return {one: Known(one, True) for one in ids}


def everything(document: msgspec.Struct | None) -> str:
    """A document as its reader gets it."""
    return msgspec.json.encode(document).decode()
