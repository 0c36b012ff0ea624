"""What is a difference between what an undesignated source says and what the document holds."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.domain.claims import LoggedClaim, digest_of, head_key
from mmd.domain.conflicts import Undesignated, agreeing, comparable, supersedes, thing, undesignated
from mmd.domain.person import derive_person
from mmd.domain.register import SourceRegister
from streams.contracts.claims import (
    Absent,
    AgreedName,
    Birth,
    Body,
    Claim,
    Employment,
    Name,
    PostalAddress,
    RegisteredAddress,
    Registration,
    Segment,
    SpecialAddress,
    WorkContact,
)
from streams.contracts.documents import PersonDocument

TODAY = dt.date(2026, 6, 1)
NOW = dt.datetime(2026, 6, 1, 8, tzinfo=dt.UTC)
KINDS = (
    *("name", "birth", "registration", "registered-address", "special-address", "agreed-name", "work-contact"),
    "employment",
)
REGISTER = SourceRegister.from_data(
    {
        "designations": [
            {"information_set": "person", "attribute": kind, "sources": ["master"], "owner": "the owner"}
            for kind in KINDS
        ]
    }
)


def logged(claim: Body | Claim, version: str = "1", source: str = "master", at: dt.datetime = NOW) -> LoggedClaim:
    whole = claim if isinstance(claim, Claim) else Claim(claim)
    return LoggedClaim("subject", source, "key", version, digest_of(whole), whole, f"event-{at:%S}", at)


def holding(*claims: Body | Claim) -> PersonDocument:
    found = [logged(claim) for claim in claims]
    return derive_person(found, REGISTER, lambda subject: "id", subjects={"subject"})


def is_conflict(document: PersonDocument, said: Body, on: dt.date = TODAY) -> bool:
    claim = Claim(said)
    return comparable(claim) not in agreeing(document, claim.kind, on)


ANNA = Name("Anna Maria", "Ek", "Svensson", "Maria")


@pytest.mark.parametrize(
    "said",
    [
        ANNA,
        Name("Maria", "", "Svensson"),
        Name("Anna Maria", "", "Svensson"),
        Name("ANNA MARIA", "", "SVENSSON", "maria"),
        Name("Maria", "", "Ek Svensson"),
        Name(" Anna  Maria ", "Ek", "Svensson"),
        Name("Maria"),
        Name("", "", "Svensson"),
    ],
)
def test_a_copy_of_the_register_name_is_no_conflict_however_it_is_written(said: Name) -> None:
    assert not is_conflict(holding(ANNA), said)


@pytest.mark.parametrize(
    "said",
    [
        Name("Anna", "", "Svensson"),  # not the name that is marked as the call name, and not all of the given names
        Name("Maria", "", "Svenson"),
        Name("Maria", "Berg", "Svensson"),
        Name("Anna Maria", "", "Svensson", "Anna"),
        Name("Svensson", "", "Maria"),
    ],
)
def test_another_name_is_a_conflict(said: Name) -> None:
    assert is_conflict(holding(ANNA), said)


def test_where_no_call_name_is_marked_any_of_the_given_names_will_do() -> None:
    document = holding(Name("Bo Erik", "", "Ek"))
    assert not is_conflict(document, Name("Bo", "", "Ek"))
    assert not is_conflict(document, Name("Bo Erik", "", "Ek", "Erik"))
    assert is_conflict(document, Name("Lars", "", "Ek"))


def test_a_name_that_was_right_once_is_a_conflict_when_it_has_changed() -> None:
    old = Claim(Name("Anna", "", "Ek"), dt.date(2020, 1, 1))
    new = Claim(Name("Anna", "", "Lund"), dt.date(2026, 1, 1))
    document = holding(old, new)
    assert is_conflict(document, Name("Anna", "", "Ek"))
    assert not is_conflict(document, Name("Anna", "", "Ek"), dt.date(2025, 12, 31))
    assert not is_conflict(document, Name("Anna", "", "Lund"))


def test_what_the_designated_source_does_not_have_is_a_conflict() -> None:
    assert is_conflict(holding(), ANNA)


STREET = PostalAddress(street="Storgatan 1", postal_code="123 45", locality="Orten")
SAME = PostalAddress(street="storgatan  1", postal_code="12345", locality="ORTEN")
OTHER = PostalAddress(street="Storgatan 2", postal_code="12345", locality="Orten")


@pytest.mark.parametrize(
    ("held", "equal", "different"),
    [
        (Birth("1980-02-01"), Birth("1980-02-01"), Birth("1980-02-02")),
        (Registration("AV", "2026-01-02"), Registration("AV"), Registration("")),
        (RegisteredAddress(STREET, "1480"), RegisteredAddress(SAME), RegisteredAddress(OTHER, "1480")),
        (RegisteredAddress(STREET, "1480"), RegisteredAddress(SAME, "1480"), RegisteredAddress(SAME, "1481")),
        (SpecialAddress(STREET), SpecialAddress(SAME), SpecialAddress(OTHER)),
        (AgreedName("Medarbetare Y"), AgreedName("medarbetare y"), AgreedName("Medarbetare Z")),
        (WorkContact("031-390 06 90"), WorkContact("031-3900690"), WorkContact("031-3900691")),
    ],
)
def test_every_single_value_of_a_person_is_compared(held: Body, equal: Body, different: Body) -> None:
    assert not is_conflict(holding(held), equal)
    assert is_conflict(holding(held), different)


def test_a_second_source_of_employments_is_always_shown() -> None:
    employment = Employment("kommun", "E1", (Segment(dt.date(2026, 1, 1)),))
    assert is_conflict(holding(employment), employment)


def test_forms_of_different_kinds_are_never_equal() -> None:
    claims = [Claim(body) for body in (AgreedName("x"), WorkContact("1"), Birth("1980"), SpecialAddress(STREET))]
    assert len({comparable(claim) for claim in claims}) == len(claims)


words = st.text(alphabet="aåÄb -", max_size=6)
names = st.builds(Name, words, words, words, words)


@given(held=names, said=names)
def test_a_name_is_only_unheard_if_each_of_its_fields_is_in_the_register(held: Name, said: Name) -> None:
    if not is_conflict(holding(held), said):
        register = " ".join((held.given, held.middle, held.family, held.call_name)).casefold().split()
        spoken = " ".join((said.given, said.middle, said.family, said.call_name)).casefold().split()
        assert set(spoken) <= set(register)


@given(held=names)
def test_what_the_register_itself_says_is_never_a_conflict(held: Name) -> None:
    assert not is_conflict(holding(held), held)


def kept(logged_claim: LoggedClaim) -> Undesignated:
    return undesignated(logged_claim, head_key(logged_claim)[3], lambda text: f"digest of {text}")


def test_no_word_of_the_value_is_kept() -> None:
    found = undesignated(logged(ANNA, source="hr"), None, lambda text: "digest")
    assert not {"Anna", "Maria", "Ek", "Svensson"} & set(repr(found).replace("'", " ").split())


def test_what_is_withdrawn_is_remembered_as_such() -> None:
    found = kept(logged(Absent("name"), "2", "hr"))
    assert (found.kind, found.digest) == ("name", "")
    assert supersedes(found, kept(logged(ANNA, "1", "hr")))


sayings = st.lists(
    st.builds(
        lambda version, body, second: kept(logged(body, str(version), "hr", NOW + dt.timedelta(seconds=second))),
        st.integers(1, 3),
        st.sampled_from([ANNA, Name("Bo", "", "Ek"), Absent("name")]),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=5,
)


@given(sayings)
def test_which_saying_is_kept_does_not_depend_on_their_order(said: list[Undesignated]) -> None:
    def last_standing(order: tuple[Undesignated, ...]) -> Undesignated:
        best = order[0]
        for one in order[1:]:
            assert thing(one) == thing(best)
            best = one if supersedes(one, best) else best
        return best

    assert len({last_standing(order) for order in itertools.permutations(said)}) == 1
