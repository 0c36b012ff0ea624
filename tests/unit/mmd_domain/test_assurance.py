"""S-16: how well the holder of a samordningsnummer is known, and that a dormant number ends nothing."""

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
    assert msgspec.structs.replace(dormant, assurance=None) == awake
    assert [persona.state(TODAY) for persona in dormant.personas] == ["active"]


def test_a_renewal_wakes_it() -> None:
    renewed = said(IdentityAssurance(Assurance.CONFIRMED), version="20260601")
    found = person(said(IdentityAssurance(Assurance.PROBABLE, True), version="20260501"), renewed).assurance
    assert found is not None
    assert (found.level, found.dormant) == (Assurance.CONFIRMED, False)


def test_the_level_of_a_samordningsnummer_is_not_held_against_the_personnummer_that_replaced_it() -> None:
    changed = person(said(IdentityAssurance(Assurance.UNCERTAIN, True)), *number_change())
    assert changed.assurance is None
    assert [entry.current for entry in changed.numbers] == [False, True]
    assert [persona.source_id for persona in changed.personas] == ["e1"]


@pytest.mark.parametrize("level", ["styrkt", "", "verified", "CONFIRMED"])
def test_a_level_that_is_not_known_is_read_as_uncertain(level: str) -> None:
    content = msgspec.json.encode({"body": {"kind": "identity-assurance", "level": level}})
    body = msgspec.json.decode(content, type=Claim).body
    assert isinstance(body, IdentityAssurance)
    assert body.level is Assurance.UNCERTAIN


def test_a_source_that_is_not_designated_vouches_for_nobody() -> None:
    assert person(said(IdentityAssurance(Assurance.CONFIRMED), by="gossip")).assurance is None


def test_of_a_protected_person_it_is_for_those_who_are_cleared() -> None:
    marked = person(PROBABLE, said(Protection(True), version="20260501"))
    for rule, shown in ((release(), False), (release(marked="cleared"), True)):
        answer = disclose(marked, rule, TODAY)
        assert answer is not None
        assert (answer.assurance is not None) is shown
