"""derive_person by example: protection (SM2), status (SM1), timelines, addresses, and the traps of public code."""

import datetime as dt
import itertools

import pytest

from mmd.domain.claims import LoggedClaim, claim_key
from mmd.domain.person import derive_person
from streams.contracts.claims import (
    Absent,
    AgreedName,
    Birth,
    Custody,
    DeathReversal,
    Marking,
    Name,
    NumberReference,
    PostalAddress,
    Protection,
    RegisteredAddress,
    Registration,
    Relation,
    SpecialAddress,
    WorkContact,
)
from streams.contracts.documents import PersonDocument
from tests.unit.mmd_domain.making import (
    FORWARDING,
    HOME,
    NOW,
    REGISTER,
    SUBJECTS,
    A,
    B,
    C,
    everything,
    hired,
    person_id_of,
    registered,
    said,
)

DAY = dt.timedelta(days=1)


def derived(*claims: LoggedClaim) -> PersonDocument:
    return derive_person(claims, REGISTER, person_id_of)


# --- protection ---
def test_a_person_nobody_has_spoken_for_is_unverified_and_handled_as_protected() -> None:
    document = derived(hired())
    assert document.marking is Marking.UNVERIFIED
    assert document.restricted


def test_an_undesignated_source_that_says_unprotected_does_not_end_unverified() -> None:
    assert derived(hired(), said(Protection(), by="hr")).marking is Marking.UNVERIFIED


def test_an_undesignated_source_may_raise_even_over_the_designated_ones_no() -> None:
    document = derived(said(Protection()), said(Protection(True), by="hr", version="20200101"))
    assert document.marking is Marking.SEKRETESSMARKERING
    assert [stamp.source for stamp in document.marking_stamps] == ["hr"]


def test_trap_1_skyddad_folkbokforing_alone_is_a_marking_and_the_higher_one() -> None:
    document = derived(said(Protection(True)), said(Protection(skyddad_folkbokforing=True), version="20250101"))
    assert document.marking is Marking.SKYDDAD_FOLKBOKFORING


def test_an_unknown_token_counts_as_raised() -> None:
    assert derived(said(Protection(unknown_token=True))).marking is Marking.SEKRETESSMARKERING


def test_trap_3_a_newer_no_an_older_no_and_an_absence_all_leave_the_marking() -> None:
    raised = said(Protection(True), version="20260201")
    for contra in (
        said(Protection(), version="20260301"),
        said(Protection(), version="20250101"),
        said(Absent("protection"), version="20260301"),
    ):
        assert derived(raised, contra).marking is Marking.SEKRETESSMARKERING


def test_a_marking_that_comes_before_the_person_is_kept_in_a_stub() -> None:
    document = derived(said(Protection(True)))
    assert (document.marking, document.names, document.personas) == (Marking.SEKRETESSMARKERING, (), ())


def test_skyddad_folkbokforing_withholds_every_registered_address_old_ones_too() -> None:
    document = derived(
        *registered(),
        said(RegisteredAddress(PostalAddress(street="Canaryold")), since=dt.date(1999, 1, 1), version="20100101"),
        said(Protection(skyddad_folkbokforing=True), version="20260501"),
        said(SpecialAddress(FORWARDING), version="20260501"),
    )
    assert document.registered_addresses == ()
    assert "Canarystreet" not in everything(document)
    assert "Canaryold" not in everything(document)
    assert document.special_address is not None
    assert document.special_address.address == FORWARDING


def test_under_skyddad_folkbokforing_a_special_address_from_before_it_is_withheld() -> None:
    before = said(SpecialAddress(HOME), version="20250101")
    document = derived(*registered(), before, said(Protection(skyddad_folkbokforing=True), version="20260501"))
    assert document.special_address is None
    unstamped = said(Protection(skyddad_folkbokforing=True), version="")
    assert derived(*registered(), before, unstamped).special_address is None


def test_without_a_marking_a_special_address_is_shown_as_it_is() -> None:
    document = derived(*registered(), said(SpecialAddress(HOME), version="20250101"))
    assert document.special_address is not None


# --- status ---
@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("", "registered"),
        ("AV", "deceased"),
        ("UV", "emigrated"),
        ("OB", "missing"),
        ("GN", "superseded"),
        ("GS", "superseded"),
    ],
)
def test_a_known_code_gives_its_status(code: str, state: str) -> None:
    document = derived(said(Registration(code)))
    assert document.status is not None
    assert (document.status.state, document.quarantined) == (state, "")


@pytest.mark.parametrize("code", ["TA", "AS", "AN", "FI", "XX"])
def test_trap_8_a_technical_or_unknown_code_is_set_aside_for_a_human(code: str) -> None:
    document = derived(said(Registration(code)), hired())
    assert document.status is not None
    assert (document.status.state, document.status.code) == ("quarantined", code)
    assert document.quarantined == "code.unknown"
    assert document.personas


def test_an_incomplete_date_of_death_is_kept_as_incomplete() -> None:
    document = derived(said(Registration("AV", "2026-11")))
    assert document.status is not None
    assert document.status.date == "2026-11"


def test_a_later_post_without_the_code_does_not_bring_back_the_dead_but_a_ruling_that_names_it_does() -> None:
    death = said(Registration("AV"), version="20260401")
    later = said(Registration(), version="20260501")

    def state(*claims: LoggedClaim) -> str:
        found = {derived(*order).status for order in itertools.permutations(claims)}
        (status,) = found
        return "" if status is None else status.state

    assert state(death, later) == "deceased"
    named = (claim_key(later)[1],)
    ruling = said(DeathReversal(named, "KS 1", "anna", "bo"), by="ruling", key="r1")
    assert state(death, later, ruling) == "registered"
    sent_again = said(Registration("AV"), version="20260402")
    assert state(death, later, ruling, sent_again) == "registered"
    moved = said(Registration("UV"), version="20260601")
    assert state(death, later, ruling, moved) == "emigrated"
    again = said(Registration("AV"), version="20260601")
    assert state(death, later, ruling, again) == "deceased"
    alone = said(DeathReversal(named, "KS 1", "anna", "Anna"), by="ruling", key="r1")
    assert state(death, later, alone) == "deceased", "one person has decided"
    elsewhere = said(DeathReversal(named, "KS 1", "anna", "bo"), by="hr", key="r1")
    assert state(death, later, elsewhere) == "deceased", "HR does not rule on it"


def test_emigration_is_undone_by_the_next_post() -> None:
    document = derived(said(Registration("UV"), version="20260401"), said(Registration(), version="20260501"))
    assert document.status is not None
    assert document.status.state == "registered"


# --- timelines ---
def test_s_06_an_address_that_comes_late_becomes_history() -> None:
    new, old = dt.date(2026, 3, 1), dt.date(2025, 3, 1)
    document = derived(
        said(RegisteredAddress(PostalAddress(street="New")), since=new, version="20260301"),
        said(RegisteredAddress(PostalAddress(street="Old")), since=old, version="20250301"),
        said(Name("Anna", "", "Ny"), since=dt.date(2026, 4, 1), version="20260401"),
    )
    assert [(a.address.street, a.valid_from, a.valid_to) for a in document.registered_addresses] == [
        ("Old", old, new - DAY),
        ("New", new, None),
    ]


def test_a_newer_version_of_the_same_valid_from_replaces_and_leaves_no_ghost() -> None:
    since = dt.date(2026, 3, 1)
    document = derived(
        said(Name("Ana", "", "Berg"), since=since, version="20260301"),
        said(Name("Anna", "", "Berg"), since=since, version="20260302"),
    )
    assert [name.given for name in document.names] == ["Anna"]


def test_equal_names_that_follow_each_other_are_one_with_the_newest_confirmation() -> None:
    body = Name("Anna", "", "Berg")
    document = derived(
        said(body, since=dt.date(2026, 1, 1), version="20260101"),
        said(body, since=dt.date(2026, 2, 1), version="20260201"),
    )
    (name,) = document.names
    assert (name.valid_from, name.valid_to, name.stamp.version) == (dt.date(2026, 1, 1), None, "20260201")


def test_an_absence_ends_the_head_it_names_and_an_absence_without_date_ends_all_older_ones() -> None:
    march, april = dt.date(2026, 3, 1), dt.date(2026, 4, 1)
    claims = [
        said(Name("Anna"), since=march, version="20260301"),
        said(Name("Britta"), since=april, version="20260401"),
    ]
    one = derived(*claims, said(Absent("name"), since=april, version="20260402"))
    assert [(n.given, n.valid_to) for n in one.names] == [("Anna", None)]
    assert derived(*claims, said(Absent("name"), version="20260402")).names == ()
    newer = said(Name("Cecilia"), since=april, version="20260403")
    assert [n.given for n in derived(*claims, said(Absent("name"), version="20260402"), newer).names] == ["Cecilia"]


def test_a_value_of_a_source_that_is_not_designated_is_not_shown() -> None:
    document = derived(*registered(), said(Name("Gossip"), by="hr", key="e1", version="20990101"))
    assert "Gossip" not in everything(document)


def test_a_ruling_on_a_name_stands_over_the_register_from_its_date_on() -> None:
    document = derived(*registered(), said(Name("Ruled"), by="ruling", key="r1", since=dt.date(2026, 2, 1)))
    assert [(n.given, n.stamp.source) for n in document.names] == [("Canarygiven", "navet"), ("Ruled", "ruling")]
    assert document.names[0].valid_to == dt.date(2026, 1, 31)


def test_trap_9_a_postal_code_keeps_its_leading_zero() -> None:
    assert '"postal_code":"01234"' in everything(derived(*registered()))


def test_an_incomplete_birth_date_is_never_filled_in() -> None:
    document = derived(said(Birth("1981-03")))
    assert document.birth is not None
    assert document.birth.value == "1981-03"


# --- relations, agreed name, conflicts of number ---
def test_guardians_and_wards_come_from_custody_alone_not_from_parenthood() -> None:
    relations = (Relation("V", B, dt.date(2020, 1, 1)), Relation("MO", C), Relation("VF", C, None, dt.date(2027, 1, 1)))
    document = derived(said(Custody(relations)))
    assert [entry.person for entry in document.guardians] == [person_id_of(B)]
    assert [(entry.person, entry.valid_to) for entry in document.wards] == [(person_id_of(C), dt.date(2027, 1, 1))]


def test_incomplete_days_are_kept_as_the_register_wrote_them_beside_those_that_they_are_read_as() -> None:
    first, until = dt.date(2024, 5, 31), dt.date(2030, 1, 1)
    moved = dt.date(2026, 11, 1)
    document = derived(
        said(Custody((Relation("VF", C, first, until, "2024-05", "2030"), Relation("V", B, first, until)))),
        said(RegisteredAddress(PostalAddress("A 1"), since="2026-11"), since=moved, version="20261105"),
        said(RegisteredAddress(PostalAddress("B 2")), since=moved + DAY, version="20261106"),
    )
    assert [(one.valid_from, one.valid_to, one.starts, one.ends) for one in document.wards] == [
        (first, until, "2024-05", "2030")
    ]
    assert [(one.starts, one.ends) for one in document.guardians] == [(None, None)]
    assert [(one.valid_from, one.since) for one in document.registered_addresses] == [
        (moved, "2026-11"),
        (moved + DAY, None),
    ]


def test_the_hr_system_may_go_on_naming_the_old_number_for_weeks() -> None:
    claims = [
        said(NumberReference(SUBJECTS[B], B, True), version="20260301"),
        said(AgreedName("Before"), by="hr", key="e1", version="20260201"),
        said(AgreedName("After"), by="hr", key="e9", of=A, version="20260310"),
        said(AgreedName("Between"), by="hr", key="e2", of=B, version="20260305"),
        said(WorkContact("08-46500400"), by="hr", key="e1"),
    ]
    document = derived(*claims)
    assert document.agreed_name is not None
    assert document.agreed_name.value == "After"
    assert document.work_phone is not None


def test_an_employment_that_moved_to_another_person_is_gone_from_the_first() -> None:
    moved = [hired(of=A, version="20260101"), hired(of=B, version="20260201")]
    assert derive_person(moved, REGISTER, person_id_of, subjects={A}).personas == ()
    assert len(derive_person(moved, REGISTER, person_id_of, subjects={B}).personas) == 1
    back = [*moved, hired(of=A, version="20260301")]
    assert len(derive_person(back, REGISTER, person_id_of, subjects={A}).personas) == 1
    assert derive_person(back, REGISTER, person_id_of, subjects={B}).personas == ()


def test_every_value_tells_its_source_record_version_time_and_event() -> None:
    document = derived(*registered())
    stamp = document.names[0].stamp
    assert (stamp.source, stamp.source_key, stamp.version, stamp.logged_at) == ("navet", f"post-{A}", "20260101", NOW)
    assert stamp.event
