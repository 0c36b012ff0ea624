"""Places, groups and legal organisations: the same document in any order, and what of it a reader is told."""

import datetime as dt
import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.domain.canonical import canonical_bytes
from mmd.domain.changes import next_change
from mmd.domain.claims import LoggedClaim
from mmd.domain.disclosing_things import disclose_thing
from mmd.domain.disclosure import Known, People
from mmd.domain.references import persons_in, references_of
from mmd.domain.release import Release
from mmd.domain.things import derive_thing
from streams.contracts.claims import (
    Absent,
    Body,
    DatedName,
    Group,
    GroupMembers,
    LegalOrganisation,
    Membership,
    Place,
    PlaceUnit,
    PostalAddress,
    Seat,
    UnitPeriod,
    unit_key,
)
from streams.contracts.documents import (
    GroupDocument,
    LegalOrganisationDocument,
    MemberEntry,
    PlaceDocument,
    PlaceUnitEntry,
    Thing,
)
from streams.contracts.identifiers import Identifier, IdentifierType
from streams.contracts.time import start_of
from tests.unit.mmd_domain.making import NOW, REGISTER, SUBJECTS, TODAY, A, B, C, person_id_of, release, said

PLACE, GROUP, LEGAL = "place:kommun:p1", "group:kommun:4B", "legal:" + "0" * 32
SOURCE_OF = {PLACE: "places", GROUP: "groups", LEGAL: "companies"}
SCHOOL, OTHER = unit_key("kommun", "1"), unit_key("kommun", "2")
COMPANY = Identifier(IdentifierType.ORGANISATIONSNUMMER, "5569999997")
SINCE = dt.date(2026, 1, 1)

days = st.integers(0, 30).map(lambda n: SINCE + dt.timedelta(days=n))
ends = st.none() | days
periods = st.lists(st.builds(UnitPeriod, days, ends), max_size=2).map(tuple)
names = st.lists(st.builds(DatedName, st.sampled_from("xy"), days, ends), max_size=2).map(tuple)
types = st.sampled_from(["pupil", "employee"])
members = st.lists(st.builds(Membership, st.sampled_from([A, B]), types, days, ends), max_size=3).map(tuple)
housed = st.lists(st.builds(PlaceUnit, st.sampled_from([SCHOOL, OTHER, ""]), days, ends), max_size=2).map(tuple)
seats = st.lists(st.builds(Seat, st.sampled_from(["1480", "0114"]), days, ends), max_size=3).map(tuple)
bodies: dict[str, st.SearchStrategy[Body]] = {
    PLACE: st.builds(Place, periods, names, units=housed, restricted=st.booleans()) | st.just(Absent("place")),
    GROUP: st.one_of(
        st.builds(Group, periods, names, unit=st.sampled_from([SCHOOL, ""])),
        st.builds(GroupMembers, members),
        st.builds(Absent, st.sampled_from(["group", "group-members"])),
    ),
    LEGAL: st.one_of(
        st.builds(LegalOrganisation, st.just(COMPANY), st.just(""), periods, names, seats),
        st.builds(LegalOrganisation, st.just(SUBJECTS[A]), st.just(A), periods, names, seats),
        st.just(Absent("legal-organisation")),
    ),
}


def derived(key: str, *claims: LoggedClaim) -> Thing:
    return derive_thing(key, claims, REGISTER, person_id_of)


def place(**more: object) -> PlaceDocument:
    body = Place((UnitPeriod(SINCE),), (DatedName("Ekskolan", SINCE),), "skola", PostalAddress(street="Ekvägen 1"))
    found = derived(PLACE, said(_with(body, more), by="places", of=PLACE))
    assert isinstance(found, PlaceDocument)
    return found


def group(*listed: Membership) -> GroupDocument:
    base = Group((UnitPeriod(SINCE),), (DatedName("4B", SINCE),), "Klass", SCHOOL)
    found = derived(
        GROUP, said(base, by="groups", of=GROUP), said(GroupMembers(listed), by="groups", of=GROUP, version="20260102")
    )
    assert isinstance(found, GroupDocument)
    return found


def firm(owner: str = "") -> LegalOrganisationDocument:
    number = SUBJECTS[owner] if owner else COMPANY
    body = LegalOrganisation(
        number, owner, (UnitPeriod(SINCE),), (DatedName("Eks bygg", SINCE),), (Seat("1480", SINCE),)
    )
    found = derived(LEGAL, said(body, by="companies", of=LEGAL))
    assert isinstance(found, LegalOrganisationDocument)
    return found


def _with(body: Place, more: dict[str, object]) -> Place:
    return Place(**{name: getattr(body, name) for name in body.__struct_fields__} | more)


def people(*unmarked: str, marked: tuple[str, ...] = ()) -> People:
    return {person_id_of(one): Known(person_id_of(one), one in unmarked) for one in (*unmarked, *marked)}


@given(st.sampled_from([PLACE, GROUP, LEGAL]), st.data())
def test_neither_order_nor_repetition_changes_a_place_a_group_or_a_legal_organisation(
    key: str, data: st.DataObject
) -> None:
    one = st.builds(
        lambda body, version, by: said(body, by=by, of=key, key="1", version=version),
        bodies[key],
        st.sampled_from("abc"),
        st.sampled_from([SOURCE_OF[key], SOURCE_OF[key], "hr"]),
    )
    claims = data.draw(st.lists(one, max_size=8))
    again = data.draw(st.permutations(claims + claims[:3]))
    found = derived(key, *claims)
    assert canonical_bytes(derived(key, *again)) == canonical_bytes(found)
    for axis in (found.periods, found.names):
        for entry, following in itertools.pairwise(axis):
            assert entry.valid_to is not None  # type: ignore[attr-defined]
            assert entry.valid_to < following.valid_from  # type: ignore[attr-defined]


@pytest.mark.parametrize("key", [PLACE, GROUP, LEGAL])
def test_what_only_an_undesignated_source_names_is_empty(key: str) -> None:
    bare: dict[str, Body] = {PLACE: Place(), GROUP: Group(), LEGAL: LegalOrganisation(COMPANY)}
    body = bare[key]
    assert derived(key, said(body, by="hr", of=key)) == type(derived(key))(id=key)


def test_a_person_is_no_thing() -> None:
    with pytest.raises(ValueError, match="person"):
        derived(A)


def test_things_refer_to_units_and_persons_by_key_and_change_on_the_days_they_name() -> None:
    housed = place(units=(PlaceUnit(SCHOOL, SINCE, dt.date(2026, 7, 31)),))
    class_ = group(Membership(A, "pupil", SINCE, dt.date(2026, 6, 30)))
    assert references_of(housed) == {SCHOOL}
    assert references_of(class_) == {SCHOOL, person_id_of(A)}
    assert references_of(firm(A)) == persons_in(firm(A)) == {person_id_of(A)}
    assert references_of(firm()) == persons_in(housed) == frozenset()
    assert next_change(housed, NOW) == start_of(dt.date(2026, 8, 1))
    assert next_change(class_, NOW) == start_of(dt.date(2026, 7, 1))
    assert next_change(firm(), NOW) is None


# --- what a reader is told ---
@pytest.mark.parametrize("document", [place(), group(), firm()], ids=lambda one: type(one).__name__)
def test_nothing_is_told_without_its_attribute_nor_by_a_release_that_has_ended(document: Thing) -> None:
    assert disclose_thing(document, release(), TODAY, {}) is not None
    others = ["names", "personas", "group-members"]
    assert disclose_thing(document, release(attributes=others), TODAY, {}) is None
    assert disclose_thing(document, release(valid_until="2026-05-31"), TODAY, {}) is None


def test_a_member_is_told_only_if_unmarked_and_nothing_tells_of_the_others() -> None:
    both = group(Membership(A, "pupil", SINCE), Membership(B, "pupil", SINCE))
    alone = group(Membership(A, "pupil", SINCE))
    nobody = group()
    told = disclose_thing(both, release(), TODAY, people(A, marked=(B,)))
    assert isinstance(told, GroupDocument)
    assert told.members == (MemberEntry(person_id_of(A), "pupil", "", SINCE),)
    assert canonical_bytes(told) != canonical_bytes(nobody)
    unheard = disclose_thing(both, release(), TODAY, people(A))
    assert told == unheard  # who is marked and who has never been heard of look the same
    shown = disclose_thing(alone, release(), TODAY, people(A))
    assert told == shown


hidden = st.lists(st.builds(Membership, st.just(B), st.just("pupil"), days), max_size=2).map(tuple)
others = st.lists(st.builds(Membership, st.sampled_from([A, B]), st.just("employee"), days), max_size=2).map(tuple)


@given(st.sampled_from([release(), release(persona_types=["pupil"], marked="cleared")]), st.data())
def test_groups_that_differ_in_members_who_are_not_shown_give_equal_bytes(rule: Release, data: st.DataObject) -> None:
    """Also where the source has said the group again since, because of such a member."""
    seen = Membership(A, "pupil", SINCE)
    base = Group((UnitPeriod(SINCE),), (DatedName("4B", SINCE),), "Klass", SCHOOL)
    first = [said(one, by="groups", of=GROUP) for one in (base, GroupMembers((seen,)))]
    not_shown = data.draw(hidden if rule.persona_types is None else others)
    again = GroupMembers((seen, *not_shown))
    later = [said(one, by="groups", of=GROUP, version="20260301", logged=start_of(TODAY)) for one in (base, again)]
    known = people(A, marked=(B,))
    one, other = (disclose_thing(derived(GROUP, *told), rule, TODAY, known) for told in (first, [*first, *later]))
    assert msgspec.json.encode(one) == msgspec.json.encode(other)


def test_the_cleared_are_told_of_every_member() -> None:
    both = group(Membership(A, "pupil", SINCE), Membership(B, "pupil", SINCE))
    assert disclose_thing(both, release(marked="cleared"), TODAY, people(A, marked=(B,))) == both


def test_a_reader_of_employees_cannot_tell_whether_a_group_has_pupils() -> None:
    staff = release(persona_types=["employee"])
    mixed = group(Membership(A, "pupil", SINCE), Membership(C, "employee", SINCE))
    told = disclose_thing(mixed, staff, TODAY, people(A, C))
    assert isinstance(told, GroupDocument)
    assert [one.person for one in told.members] == [person_id_of(C)]
    assert told.members_stamp is None
    bare = disclose_thing(mixed, release(attributes=["groups"]), TODAY, people(A, C))
    assert isinstance(bare, GroupDocument)
    assert (bare.members, bare.members_stamp) == ((), None)


def test_a_member_is_named_by_the_id_of_today_never_by_an_earlier_one() -> None:
    old, new = person_id_of(A), person_id_of(C)
    twice = group(Membership(A, "pupil", SINCE), Membership(C, "pupil", SINCE))
    told = disclose_thing(twice, release(), TODAY, {old: Known(new, True), new: Known(new, True)})
    assert isinstance(told, GroupDocument)
    assert [one.person for one in told.members] == [new]


def test_a_restricted_place_is_for_the_cleared_and_one_claim_that_says_so_is_enough() -> None:
    shelter = place(restricted=True)
    assert disclose_thing(shelter, release(), TODAY, {}) is None
    assert disclose_thing(shelter, release(marked="cleared"), TODAY, {}) == shelter
    open_ = said(Place(names=(DatedName("Huset", SINCE),)), by="places", of=PLACE, key="b", version="9")
    shut = said(Place(restricted=True), by="places", of=PLACE, key="a", version="1")
    found = derived(PLACE, open_, shut)
    assert isinstance(found, PlaceDocument)
    assert (found.names[0].name, found.restricted) == ("Huset", True)


def test_within_units_only_their_places_and_groups_are_told() -> None:
    here, elsewhere = release(units=[SCHOOL]), release(units=[OTHER])
    both = place(units=(PlaceUnit(SCHOOL, SINCE), PlaceUnit(unit_key("kommun", "3"), SINCE)))
    told = disclose_thing(both, here, TODAY, {})
    assert isinstance(told, PlaceDocument)
    assert told.units == (PlaceUnitEntry(SCHOOL, SINCE),)
    assert disclose_thing(both, elsewhere, TODAY, {}) is None
    assert disclose_thing(place(), here, TODAY, {}) is None
    assert disclose_thing(group(), here, TODAY, {}) is not None
    assert disclose_thing(group(), elsewhere, TODAY, {}) is None


def test_a_sole_traders_firm_is_told_as_its_owner_is() -> None:
    mine = firm(A)
    assert disclose_thing(mine, release(), TODAY, people(marked=(A,))) is None
    assert disclose_thing(mine, release(), TODAY, {}) is None  # nobody knows yet whether the owner is marked
    assert disclose_thing(mine, release(marked="cleared"), TODAY, people(marked=(A,))) == mine
    assert disclose_thing(mine, release(), TODAY, people(A)) == mine
    for narrow in (
        release(attributes=["legal-organisations"]),
        release(persona_types=["consultant"]),
        release(units=[SCHOOL]),
    ):
        told = disclose_thing(mine, narrow, TODAY, people(A))
        assert isinstance(told, LegalOrganisationDocument)
        assert (told.number, told.owner, told.names[0].name) == (None, "", "Eks bygg")
    assert disclose_thing(firm(), release(attributes=["legal-organisations"]), TODAY, {}) == firm()
