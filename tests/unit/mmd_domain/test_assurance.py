"""S-16: how well the holder of a samordningsnummer is known, and that a dormant number ends nothing."""

import datetime as dt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.domain.claims import LoggedClaim
from mmd.domain.disclosure import disclose
from mmd.domain.person import derive_person
from streams.contracts.claims import (
    Assurance,
    Claim,
    IdentityAssurance,
    NumberReference,
    Protection,
    Registration,
)
from streams.contracts.documents import PersonDocument
from streams.contracts.identifiers import Identifier, IdentifierType
from streams.contracts.testnumbers import test_coordination_number
from tests.unit.mmd_domain.making import (
    REGISTER,
    SUBJECTS,
    TODAY,
    A,
    B,
    hired,
    person_id_of,
    registered,
    release,
    said,
)

PROBABLE = said(IdentityAssurance(Assurance.PROBABLE))


def person(*claims: LoggedClaim) -> PersonDocument:
    return derive_person([*registered(), hired(), *claims], REGISTER, person_id_of)


def number_change() -> list[LoggedClaim]:
    return [
        said(Registration("GS"), version="20260301"),
        said(NumberReference(SUBJECTS[B], B, True), version="20260301"),
        said(Registration(), of=B, version="20260301"),
        said(NumberReference(SUBJECTS[A], A), of=B, version="20260301"),
    ]


def test_the_level_is_told_with_its_source() -> None:
    found = person(PROBABLE).assurance
    assert found is not None
    assert (found.level, found.dormant, found.stamp.source) == (Assurance.PROBABLE, False, "navet")


@given(st.sampled_from(Assurance), st.none() | st.sampled_from(["2026", "2026-09", "2026-09-10"]))
def test_a_dormant_number_changes_nothing_but_the_flag(level: Assurance, since: str | None) -> None:
    awake, dormant = person(), person(said(IdentityAssurance(level, True, since)))
    assert dormant.assurance is not None
    assert (dormant.assurance.dormant, dormant.assurance.dormant_from) == (True, since)
    assert msgspec.structs.replace(dormant, assurance=awake.assurance) == awake
    assert [persona.state(TODAY) for persona in dormant.personas] == ["active"]


def test_a_renewal_wakes_it() -> None:
    renewed = said(IdentityAssurance(Assurance.CONFIRMED), version="20260601")
    found = person(said(IdentityAssurance(Assurance.PROBABLE, True), version="20260501"), renewed).assurance
    assert found is not None
    assert (found.level, found.dormant) == (Assurance.CONFIRMED, False)


def test_the_level_of_a_samordningsnummer_is_not_held_against_the_personnummer_that_replaced_it() -> None:
    changed = person(said(IdentityAssurance(Assurance.UNCERTAIN, True)), *number_change())
    assert changed.assurance is not None
    assert (changed.assurance.level, changed.assurance.dormant) == (Assurance.CONFIRMED, False)
    assert [entry.current for entry in changed.numbers] == [False, True]
    assert [persona.source_id for persona in changed.personas] == ["e1"]


@pytest.mark.parametrize("level", ["styrkt", "", "verified", "CONFIRMED"])
def test_a_level_that_is_not_known_is_read_as_uncertain(level: str) -> None:
    content = msgspec.json.encode({"body": {"kind": "identity-assurance", "level": level}})
    body = msgspec.json.decode(content, type=Claim).body
    assert isinstance(body, IdentityAssurance)
    assert body.level is Assurance.UNCERTAIN


def test_a_source_that_is_not_designated_vouches_for_nobody() -> None:
    told = with_coordination_number(*registered(), said(IdentityAssurance(Assurance.CONFIRMED), by="gossip"))
    assert told.assurance is None


def with_coordination_number(*claims: LoggedClaim) -> PersonDocument:
    number = Identifier(IdentifierType.SAMORDNINGSNUMMER, test_coordination_number(dt.date(1981, 3, 5), "female"))
    return derive_person([msgspec.structs.replace(one, identifier=number) for one in claims], REGISTER, person_id_of)


def test_whoever_is_registered_under_a_personnummer_is_confirmed_by_the_register() -> None:
    found = person().assurance
    assert found is not None
    assert (found.level, found.dormant, found.stamp.source) == (Assurance.CONFIRMED, False, "navet")


@given(st.sampled_from(["TA", "AS", "AN", "FI", "of tomorrow"]))
def test_nobody_is_confirmed_by_a_post_that_is_not_understood(code: str) -> None:
    assert person(said(Registration(code), version="20260501")).assurance is None


def test_neither_a_samordningsnummer_nor_a_number_that_the_register_has_not_told_of_confirms_by_itself() -> None:
    assert with_coordination_number(*registered()).assurance is None
    assert derive_person([hired()], REGISTER, person_id_of).assurance is None


def test_of_a_protected_person_the_level_is_told_and_since_when_a_number_is_dormant_is_not() -> None:
    """A right that asks for a level must not end by a marking."""
    dormant = said(IdentityAssurance(Assurance.PROBABLE, True, "2026-09"))
    marked = person(dormant, said(Protection(True), version="20260501"))
    for rule, since in ((release(), None), (release(marked="cleared"), "2026-09")):
        answer = disclose(marked, rule, TODAY)
        assert answer is not None
        assert answer.assurance is not None
        assert (answer.assurance.level, answer.assurance.dormant) == (Assurance.PROBABLE, True)
        assert answer.assurance.dormant_from == since
    assert disclose(marked, release(attributes=["names"]), TODAY).assurance is None  # type: ignore[union-attr]
