"""The synthetic municipality: reproducible, only test numbers, and readable by the connectors it is written for."""

import datetime as dt
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sources.posts import Alarm, Context, Header, Item, Post, Reject
from connectors.sources.registry import SOURCES
from deploy.municipality import Cast, Changes, NativeFile, generate
from deploy.municipality import cast as roles
from deploy.municipality.tree import FEWEST, grow
from streams.contracts.claims import Custody, Employment, Name, Protection, RegisteredAddress, SpecialAddress
from streams.contracts.testnumbers import is_published
from streams.contracts.time import local_date
from streams.hashing import subject_of

NOW = dt.datetime(2026, 1, 15, 8, tzinfo=dt.UTC)
CONTEXT = Context(NOW, local_date(NOW), lambda one: subject_of(b"s" * 32, one), lambda text: text)


@pytest.fixture(scope="module")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Cast:
    return generate(tmp_path_factory.mktemp("kommun"), seed=3, persons=200, units=24)


def read(file: NativeFile) -> list[Item]:
    with file.path.open("rb") as stream:
        return list(SOURCES[file.source].read(stream, CONTEXT))


def posts(files: tuple[NativeFile, ...], source: str) -> list[Post]:
    return [item for file in files if file.source == source for item in read(file) if isinstance(item, Post)]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    made = [generate(tmp_path / name, seed, 60, 12) for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    contents = [[file.path.read_bytes() for file in one.files] for one in made]
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]


def test_every_file_is_read_without_reject_or_alarm_and_declares_what_it_holds(cast: Cast) -> None:
    for file in cast.files:
        items = read(file)
        assert not [item for item in items if isinstance(item, Reject | Alarm)]
        assert isinstance(items[0], Header)
        assert items[0].total
        if file.source != "hr":
            assert items[0].declared == len(items) - 1


def test_the_counts_are_what_was_asked_for(cast: Cast) -> None:
    assert len(posts(cast.files, "navet")) == cast.persons == 200
    assert len(posts(cast.files, "organisation")) == len(cast.units) == 24
    assert cast.employees == pytest.approx(140, abs=2)


def test_only_official_test_numbers_are_used_and_each_for_one_person(cast: Cast) -> None:
    numbers = [post.record.identifier.value for post in posts(cast.files, "navet") if post.record.identifier]
    assert all(is_published(number) for number in numbers)
    assert max(Counter(numbers).values()) == 1
    assert cast[roles.JOINER].number not in numbers


def test_every_employee_is_a_resident_and_every_unit_and_manager_exists(cast: Cast) -> None:
    residents = {post.record.subject for post in posts(cast.files, "navet")}
    units = {post.record.source_key for post in posts(cast.files, "organisation")}
    for post in posts(cast.files, "hr"):
        assert post.record.subject in residents
        body = next(claim.body for claim in post.record.claims if isinstance(claim.body, Employment))
        for segment in body.segments:
            assert segment.unit in units
            assert segment.manager in residents | {""}


def test_custody_is_told_from_both_sides(cast: Cast) -> None:
    told: set[tuple[str, str, str]] = set()
    for post in posts(cast.files, "navet"):
        for claim in post.record.claims:
            if isinstance(claim.body, Custody):
                told |= {(r.type, post.record.subject, r.subject) for r in claim.body.relations}
    assert told
    assert {("VF", other, subject) for kind, subject, other in told if kind == "V"} == {t for t in told if t[0] == "VF"}


def test_the_cast_stands_out_by_texts_that_nobody_else_has(cast: Cast) -> None:
    text = "".join(file.path.read_text(encoding="utf-8") for file in cast.files)
    families = {member.person.family for member in cast.members.values()}
    for post in posts(cast.files, "navet"):
        name = next(claim.body for claim in post.record.claims if isinstance(claim.body, Name))
        if name.family in families:
            owners = [m for m in cast.members.values() if m.person.family == name.family]
            assert post.record.identifier is not None
            assert post.record.identifier.value in {member.number for member in owners}
    assert cast[roles.MARKED].person.street in text


def test_each_change_is_a_delta_that_follows_without_a_gap_and_says_one_thing(cast: Cast) -> None:
    changes = Changes(cast)
    joined = changes.joiner(NOW)
    files = joined + changes.mover(NOW) + changes.leaver(NOW) + changes.name_change(NOW) + changes.hr_conflict(NOW)
    files += changes.sekretessmarkering(NOW) + changes.agreed_name(NOW) + changes.skyddad_folkbokforing(NOW)
    numbers = Counter[str]()
    for file in files:
        items = read(file)
        assert isinstance(items[0], Header)
        assert not items[0].total
        numbers[file.source] += 1
        assert items[0].number == 1 + numbers[file.source]
        assert len([item for item in items if isinstance(item, Post)]) == 1
    assert {file.source for file in joined} == {"navet", "hr"}


def test_the_leaver_has_ended_and_the_mover_has_two_segments(cast: Cast) -> None:
    changes = Changes(cast)
    left, moved = (posts(files, "hr")[0].record.claims for files in (changes.leaver(NOW), changes.mover(NOW)))
    ended = next(claim.body for claim in left if isinstance(claim.body, Employment))
    assert [segment.valid_to for segment in ended.segments] == [dt.date(2026, 1, 14)]
    body = next(claim.body for claim in moved if isinstance(claim.body, Employment))
    first, second = body.segments
    assert (first.valid_to, second.valid_from) == (dt.date(2026, 1, 14), dt.date(2026, 1, 15))
    assert first.unit != second.unit


def test_the_markings_are_what_they_are_called(cast: Cast) -> None:
    changes = Changes(cast)
    marked = posts(changes.sekretessmarkering(NOW), "navet")[0].record.claims
    protected = posts(changes.skyddad_folkbokforing(NOW), "navet")[0].record.claims
    assert marked[0].body == Protection(sekretessmarkering=True)
    assert any(isinstance(claim.body, RegisteredAddress) for claim in marked)
    assert protected[0].body == Protection(skyddad_folkbokforing=True)
    assert not any(isinstance(claim.body, RegisteredAddress) for claim in protected)
    assert any(isinstance(claim.body, SpecialAddress) for claim in protected)


def test_a_municipality_too_small_or_beyond_the_test_numbers_is_refused(tmp_path: Path) -> None:
    for persons, units in ((5, 10), (100, 3), (40_000, 40)):
        with pytest.raises(ValueError, match="at least|suffice"):
            generate(tmp_path, 1, persons, units)


@settings(max_examples=40, deadline=None)
@given(count=st.integers(FEWEST, 400))
def test_a_tree_of_any_size_is_whole(count: int) -> None:
    units = grow(count)
    assert len(units) == len({unit.id for unit in units}) == count
    seen: set[str] = set()
    for unit in units:
        assert unit.parent in seen or (unit.parent == "" and unit.type == "namnd")
        seen.add(unit.id)


def test_numbers_of_the_cast_are_not_shown_by_repr(cast: Cast) -> None:
    shown = repr(cast.members)
    assert not any(member.number in shown for member in cast.members.values())
    assert json.dumps(sorted(cast.members))
