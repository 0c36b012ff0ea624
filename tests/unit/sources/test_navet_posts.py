"""What one Navet post says, group by group."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from connectors.sources.navet.writer import FileHeader, file_bytes
from connectors.sources.posts import Alarm, Item, Post, Reject
from streams.contracts.claims import (
    Absent,
    Birth,
    Claim,
    Custody,
    Name,
    NumberReference,
    PostalAddress,
    Protection,
    RegisteredAddress,
    Registration,
    Relation,
    SourceRecord,
    SpecialAddress,
)
from streams.contracts.testnumbers import test_coordination_number, test_number

Read = Callable[..., list[Item]]

NUMBER = test_number(dt.date(1984, 2, 29), "female")
CHILD = test_number(dt.date(2011, 5, 6), "male")
OLD = test_coordination_number(dt.date(1984, 2, 29), "female")
WHOLE: dict[str, Any] = {
    "PersonNr": NUMBER,
    "andringstidpunkt": "20251105101500",
    "totalpost": True,
    "Fodelsedatum": "19840229",
    "Fornamn": "Anna Maria",
    "Mellannamn": "Berg",
    "Efternamn": "Öström",
    "Tilltalsnamnsmarkering": 20,
    "Folkbokforingsdatum": "20200301",
    "LanKod": "14",
    "KommunKod": "80",
    "Fastighetsbeteckning": "HAGA 1:2",
    "Folkbokforingsadress": {"Utdelningsadress2": "Lingonstigen 4", "PostNr": "01234", "Postort": "EXEMPELBY"},
}


def one(items: list[Item]) -> SourceRecord:
    posts = [item for item in items if isinstance(item, Post)]
    assert len(posts) == 1, items
    return posts[0].record


def claim(record: SourceRecord, kind: type) -> Claim:
    found = [claim for claim in record.claims if isinstance(claim.body, kind)]
    assert len(found) == 1, record.claims
    return found[0]


def test_a_whole_post_becomes_one_claim_per_group(read: Read) -> None:
    record = one(read("navet", [WHOLE]))
    assert claim(record, Birth).body == Birth("1984-02-29")
    assert claim(record, Registration).body == Registration()
    assert claim(record, Name) == Claim(Name("Anna Maria", "Berg", "Öström", "Maria"), valid_from=dt.date(2025, 11, 5))
    assert claim(record, RegisteredAddress) == Claim(
        RegisteredAddress(
            PostalAddress(street="Lingonstigen 4", postal_code="01234", locality="EXEMPELBY"), "1480", "HAGA 1:2"
        ),
        valid_from=dt.date(2020, 3, 1),
    )
    assert record.version == "20251105101500|00001.001|00000001"
    assert record.total
    assert record.source_key == record.subject


def test_the_record_never_names_the_person_outside_its_identifier(read: Read) -> None:
    record = one(read("navet", [WHOLE]))
    assert NUMBER not in record.source_key + record.subject + record.version


def test_only_a_total_post_says_that_something_is_gone(read: Read) -> None:
    total = one(read("navet", [WHOLE]))
    delta = one(read("navet", [WHOLE | {"totalpost": False}]))
    assert {c.body.of for c in total.claims if isinstance(c.body, Absent)} == {"special-address", "custody"}
    assert not [c for c in delta.claims if isinstance(c.body, Absent | Registration)]


def test_a_delta_makes_claims_only_of_the_groups_that_are_present(read: Read) -> None:
    record = one(read("navet", [{"PersonNr": NUMBER, "Fornamn": "Anna", "Efternamn": "Ny"}]))
    assert [c.kind for c in record.claims] == ["name"]


def test_incomplete_dates_keep_the_precision_that_the_register_had(read: Read) -> None:
    post = WHOLE | {"Fodelsedatum": "19840200", "AvregistreringsorsakKod": "AV", "Avregistreringsdatum": "20250000"}
    record = one(read("navet", [post]))
    assert claim(record, Birth).body == Birth("1984-02")
    assert claim(record, Registration).body == Registration("AV", "2025")


def test_a_number_change_points_from_the_old_number_to_the_new_one(read: Read) -> None:
    old = one(
        read(
            "navet",
            [{"TilldelatPersonNrSamordningsNr": OLD, "HanvisningsPersonNr": NUMBER, "AvregistreringsorsakKod": "GS"}],
        )
    )
    new = one(read("navet", [{"PersonNr": NUMBER, "HanvisningsPersonNr": OLD}]))
    from_old, from_new = claim(old, NumberReference).body, claim(new, NumberReference).body
    assert isinstance(from_old, NumberReference)
    assert isinstance(from_new, NumberReference)
    assert from_old.superseded
    assert not from_new.superseded
    assert from_old.other_subject == new.subject
    assert from_new.other_subject == old.subject


def test_custody_keeps_guardians_and_wards_with_dates_and_drops_every_other_relation_and_name(read: Read) -> None:
    relations = [
        {"PersonNr": CHILD, "Relationstyp": "VF", "RelationFromdatum": "20110506", "RelationTomdatum": "20290505"},
        {"PersonNr": CHILD, "Relationstyp": "B", "Fornamn": "Barnets", "Efternamn": "Namn"},
    ]
    record = one(read("navet", [WHOLE | {"Relationer": relations}]))
    body = claim(record, Custody).body
    assert isinstance(body, Custody)
    assert [(r.type, r.valid_from, r.valid_to) for r in body.relations] == [
        ("VF", dt.date(2011, 5, 6), dt.date(2029, 5, 5))
    ]
    assert CHILD not in repr(record)
    assert "Barnets" not in repr(record)


@pytest.mark.parametrize("status", ["AV", "AS", "IV", "AN", "XX"])
def test_a_relation_with_a_status_that_ends_it_or_is_not_known_has_ended(read: Read, status: str) -> None:
    relation = {"PersonNr": CHILD, "Relationstyp": "VF", "RelationFromdatum": "20110506", "status": status}
    body = claim(one(read("navet", [WHOLE | {"Relationer": [relation]}])), Custody).body
    assert isinstance(body, Custody)
    assert [r.valid_to for r in body.relations] == [dt.date(2025, 11, 4)]


def test_an_incomplete_custody_period_is_read_as_the_shortest_it_can_be(read: Read) -> None:
    relation = {
        "PersonNr": CHILD,
        "Relationstyp": "VF",
        "RelationFromdatum": "20110500",
        "RelationTomdatum": "20270000",
    }
    body = claim(one(read("navet", [WHOLE | {"Relationer": [relation]}])), Custody).body
    assert isinstance(body, Custody)
    subject = body.relations[0].subject
    days = dt.date(2011, 5, 31), dt.date(2027, 1, 1)
    assert body.relations == (Relation("VF", subject, *days, "2011-05", "2027"),)


def test_an_incomplete_day_of_registration_is_kept_beside_the_first_day_that_it_can_mean(read: Read) -> None:
    for written, first, kept in (("20110500", dt.date(2011, 5, 1), "2011-05"), ("20110502", dt.date(2011, 5, 2), None)):
        found = claim(one(read("navet", [WHOLE | {"Folkbokforingsdatum": written}])), RegisteredAddress)
        assert isinstance(found.body, RegisteredAddress)
        assert (found.valid_from, found.body.since) == (first, kept)


def test_a_special_address_is_a_claim_of_its_own(read: Read) -> None:
    record = one(read("navet", [WHOLE | {"SarskildPostadress": {"CareOf": "Ombud", "PostNr": "1", "Postort": "ORT"}}]))
    assert claim(record, SpecialAddress).body == SpecialAddress(
        PostalAddress(care_of="Ombud", postal_code="00001", locality="ORT")
    )


def test_civil_status_citizenship_and_unknown_elements_never_leave_the_edge(read: Read) -> None:
    now = dt.datetime(2026, 1, 15, 8, tzinfo=dt.UTC)
    plain = file_bytes([WHOLE | {"CivilstandKod": "SP", "MedborgarskapslandKod": "QZ"}], FileHeader(1), now)
    drifted = plain.replace(b"</Folkbokforingsadress>", b"</Folkbokforingsadress><UUID><Adress>KANARIE</Adress></UUID>")
    assert drifted != plain
    record = one(read("navet", drifted))
    assert record == one(read("navet", [WHOLE]))


def test_a_post_without_a_stamp_or_from_the_future_gives_its_protection_and_is_set_aside(read: Read) -> None:
    for stamp in (None, "20990101000000", "20251399000000", "nonsense"):
        items = read("navet", [WHOLE | {"andringstidpunkt": stamp, "Sekretessmarkering": "J"}])
        rejects = [item for item in items if isinstance(item, Reject)]
        assert [reject.code for reject in rejects] == ["stamp.missing"]
        assert rejects[0].spoken is not None
        assert rejects[0].spoken.version == ""
        assert [c.kind for c in rejects[0].spoken.claims] == ["protection"]


def test_a_total_post_that_lacks_what_is_mapped_raises_an_alarm_and_not_an_error(read: Read) -> None:
    items = read("navet", [{"PersonNr": NUMBER, "totalpost": True}])
    missing = {item.detail for item in items if isinstance(item, Alarm) and item.code == "input.missing"}
    assert missing == {"Fodelsedatum", "Namn", "Folkbokforing"}
    assert one(items).claims


@pytest.mark.parametrize(
    "slip",
    [
        {"Fodelsedatum": "banan"},
        {"Folkbokforingsdatum": "20263112"},
        {"Relationer": [{"PersonNr": "1984", "Relationstyp": "V"}]},
        {"Avregistreringsdatum": "20261399"},
    ],
)
def test_a_slip_in_a_post_never_keeps_the_access_of_the_dead(read: Read, slip: dict[str, Any]) -> None:
    dead = WHOLE | {"AvregistreringsorsakKod": "AV", "Avregistreringsdatum": "20261100"} | slip
    (reject,) = (item for item in read("navet", [dead]) if isinstance(item, Reject))
    assert reject.spoken is not None
    assert reject.spoken.version == "20251105101500|00001.001|00000001"
    date = None if "Avregistreringsdatum" in slip else "2026-11"
    assert [claim.body for claim in reject.spoken.claims] == [Protection(), Registration("AV", date)]


def test_any_other_deregistration_of_a_rejected_post_waits_for_the_whole_post(read: Read) -> None:
    moved = WHOLE | {"AvregistreringsorsakKod": "GN", "HanvisningsPersonNr": "1984"}
    (reject,) = (item for item in read("navet", [moved]) if isinstance(item, Reject))
    assert reject.spoken is not None
    assert [claim.body for claim in reject.spoken.claims] == [Protection()]
