"""Export then import is the identity, and what is not whole is not imported at all."""

from __future__ import annotations

import datetime as dt
import json
import threading
from typing import TYPE_CHECKING

import msgspec
import pytest

from deploy.municipality import cast as roles
from deploy.operations.compare import differences, stand_of
from deploy.operations.erase import erase
from deploy.operations.portable import Header, json_schema, read_import, write_export
from deploy.replay.direct import DirectSettings, DirectWorld
from deploy.replay.run import run_scenario
from deploy.replay.scenario import read_scenario
from deploy.wiring.data import read_register
from streams.contracts.errors import Rejected
from streams.erasures import Erasures
from tests.integration.rebuild.test_rebuild import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.stack.town import Town


@pytest.fixture
def empty(direct_world: DirectWorld, new_database: Callable[[], str]) -> Iterator[DirectWorld]:
    """Another world with the same secrets, and keys of its own."""
    world = DirectWorld(DirectSettings.of(new_database(), direct_world.settings.master.secrets))
    world.clock.instant = direct_world.clock.instant
    yield world
    world.close()


def exported(world: DirectWorld, file: Path, *, sealed: bool = False) -> Header:
    return write_export(world.base, world.settings.master, file, sealed=sealed)


def imported(world: DirectWorld, file: Path) -> Header:
    return read_import(world.base, world.settings.master, file)


def rows(world: DirectWorld, query: str) -> list[tuple[object, ...]]:
    with world.base.pool.connection() as connection:
        return connection.execute(query.encode()).fetchall()


def test_what_is_exported_and_imported_is_the_same_master_ledger_and_desired_state(
    direct_world: DirectWorld, town: Town, empty: DirectWorld, tmp_path: Path
) -> None:
    header = exported(direct_world, tmp_path / "all.jsonl")
    imported(empty, tmp_path / "all.jsonl")
    empty.settle()
    assert differences(stand_of(direct_world.base), stand_of(empty.base)) == []
    claims = "select id, head, source, kind, version, digest, subject, logged_at, event from mmd.claim order by id"
    assert rows(empty, claims) == rows(direct_world, claims)
    assert header.counts["claim"] == len(rows(direct_world, claims))
    conflicts = "select * from mmd.conflict order by 1, 2, 3, 4"
    assert rows(empty, conflicts) == rows(direct_world, conflicts)
    assert rows(empty, "select * from mmd.identity order by 1") == rows(
        direct_world, "select * from mmd.identity order by 1"
    )
    again = exported(empty, tmp_path / "again.jsonl")
    assert (again.state, again.counts["claim"], again.counts["name"]) == (
        *(header.state, header.counts["claim"], header.counts["name"]),
    )


def test_redirects_and_what_was_known_earlier_are_the_same_too(
    direct_world: DirectWorld, empty: DirectWorld, tmp_path: Path
) -> None:
    assert run_scenario(read_scenario(SCENARIOS / "s15_personnummer_change.yml"), direct_world, SCENARIOS).good
    exported(direct_world, tmp_path / "all.jsonl")
    imported(empty, tmp_path / "all.jsonl")
    ids = [str(row[0]) for row in rows(direct_world, "select id from mmd.identity where kind = 'person' order by 1")]
    moments = [row[0] for row in rows(direct_world, "select distinct logged_at from mmd.claim")]
    register = read_register(direct_world.settings.master.sources)
    assert len(ids) > 1
    assert len(moments) > 1
    for one in ids:
        assert empty.readings.reader.person(one) == direct_world.readings.reader.person(one)
        for moment in moments:
            assert isinstance(moment, dt.datetime)
            then = direct_world.readings.reader.as_known(one, moment, register)
            assert empty.readings.reader.as_known(one, moment, register) == then


def test_the_file_is_for_its_owner_alone_and_is_never_written_over(
    direct_world: DirectWorld, town: Town, tmp_path: Path
) -> None:
    file = tmp_path / "all.jsonl"
    exported(direct_world, file)
    assert file.stat().st_mode & 0o777 == 0o600
    content = file.read_bytes()
    with pytest.raises(Rejected, match=r"input\.invalid"):
        exported(direct_world, file)
    assert file.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["all.jsonl"]


def test_an_export_that_was_killed_is_typed_again(direct_world: DirectWorld, town: Town, tmp_path: Path) -> None:
    for left in (".all.jsonl.part", ".all.jsonl.whole"):
        (tmp_path / left).write_bytes(b"half a line of an ear")
        (tmp_path / left).chmod(0o644)
    exported(direct_world, tmp_path / "all.jsonl")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["all.jsonl"]
    assert (tmp_path / "all.jsonl").stat().st_mode & 0o777 == 0o600
    assert b"half a line" not in (tmp_path / "all.jsonl").read_bytes()


def test_an_export_to_where_nothing_can_be_written_is_refused_with_a_code(
    direct_world: DirectWorld, tmp_path: Path
) -> None:
    with pytest.raises(Rejected, match=r"input\.invalid: all\.jsonl"):
        exported(direct_world, tmp_path / "nowhere" / "all.jsonl")


def test_every_line_is_one_record_of_the_published_schema(
    direct_world: DirectWorld, town: Town, tmp_path: Path
) -> None:
    exported(direct_world, tmp_path / "all.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()]
    schema = json_schema()
    mapping = schema["discriminator"]["mapping"]
    assert set(mapping) == {"export", "erasure", "return", "erased", "claim", "conflict", "account", "name", "place"}
    for one in lines:
        described = schema["$defs"][mapping[one["record"]].rpartition("/")[2]]
        assert set(one) <= set(described["properties"])
        assert set(described["required"]) <= set(one)
    assert lines[0]["counts"]["claim"] == len([one for one in lines[1:] if one["record"] == "claim"])


def test_sealed_nobody_reads_it_and_whoever_has_the_keys_imports_it(
    direct_world: DirectWorld, town: Town, empty: DirectWorld, new_database: Callable[[], str], tmp_path: Path
) -> None:
    file = tmp_path / "sealed.jsonl"
    exported(direct_world, file, sealed=True)
    content = file.read_text(encoding="utf-8")
    assert not [text for text in town.canaries if text in content]
    with pytest.raises(Rejected, match=r"key\.unknown"):
        imported(empty, file)
    keys = DirectSettings.of(new_database(), direct_world.settings.master.secrets)
    fields = {"keys_database_url": direct_world.settings.master.database_url}
    other = DirectWorld(DirectSettings(keys.master.model_copy(update=fields), keys.execute.model_copy(update=fields)))
    try:
        imported(other, file)
        assert stand_of(other.base).hash == stand_of(direct_world.base).hash
    finally:
        other.close()


def _cut(content: bytes) -> bytes:
    return content[: content.rindex(b"\n", 0, -1) + 1]


def _changed(content: bytes) -> bytes:
    return content.replace(b'"source":"hr"', b'"source":"hx"', 1)


def _recounted(content: bytes) -> bytes:
    first, _, rest = content.partition(b"\n")
    header = json.loads(first)
    header["counts"]["claim"] -= 1
    return json.dumps(header).encode() + b"\n" + rest


def _appended(content: bytes) -> bytes:
    return content + content.splitlines()[-1] + b"\n"


def _other_letters(content: bytes) -> bytes:
    first, _, rest = content.partition(b"\n")
    header = json.loads(first)
    return json.dumps(header | {"mac": "å" * 64}).encode() + b"\n" + rest


@pytest.mark.parametrize(
    "spoil", [_cut, _changed, _recounted, _appended, _other_letters, lambda _: b"", lambda _: b"{}\n"]
)
def test_a_file_that_is_not_whole_or_was_changed_is_refused_and_nothing_is_imported(
    direct_world: DirectWorld, town: Town, empty: DirectWorld, tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    file = tmp_path / "all.jsonl"
    exported(direct_world, file)
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(Rejected, match=r"export\.damaged"):
        imported(empty, file)
    assert rows(empty, "select (select count(*) from mmd.claim), (select count(*) from iam.account)") == [(0, 0)]


def test_an_import_that_does_not_come_out_the_same_leaves_nothing(
    direct_world: DirectWorld, town: Town, empty: DirectWorld, tmp_path: Path
) -> None:
    """The register is another one, so that the same claims say something else."""
    exported(direct_world, tmp_path / "all.jsonl")
    register = tmp_path / "sources.yml"
    text = empty.settings.master.sources.read_text(encoding="utf-8")
    register.write_text(text.replace("2000-01-01", "2000-01-02"), encoding="utf-8")
    settings = empty.settings.master.model_copy(update={"sources": register})
    with pytest.raises(Rejected, match=r"export\.differs: register"):
        read_import(empty.base, settings, tmp_path / "all.jsonl")
    assert rows(empty, "select count(*) from mmd.claim") == [(0,)]


def test_an_export_of_a_store_that_does_not_follow_from_its_claims_is_not_imported(
    direct_world: DirectWorld, town: Town, empty: DirectWorld, tmp_path: Path
) -> None:
    with direct_world.base.pool.connection() as connection:
        connection.execute("delete from mmd.document where id = (select min(id) from mmd.document)")
    exported(direct_world, tmp_path / "all.jsonl")
    with pytest.raises(Rejected, match=r"export\.differs: master"):
        imported(empty, tmp_path / "all.jsonl")
    assert rows(empty, "select (select count(*) from mmd.claim), (select count(*) from iam.account)") == [(0, 0)]


def test_nothing_is_imported_into_a_store_that_holds_anything(
    direct_world: DirectWorld, town: Town, tmp_path: Path
) -> None:
    before = stand_of(direct_world.base)
    exported(direct_world, tmp_path / "all.jsonl")
    with pytest.raises(Rejected, match=r"store\.not-empty"):
        imported(direct_world, tmp_path / "all.jsonl")
    assert stand_of(direct_world.base) == before


def test_of_two_imports_at_once_one_is_refused(
    direct_world: DirectWorld, town: Town, empty: DirectWorld, tmp_path: Path
) -> None:
    exported(direct_world, tmp_path / "all.jsonl")
    said: list[str] = []

    def one() -> None:
        try:
            imported(empty, tmp_path / "all.jsonl")
        except Rejected as error:
            said.append(error.code)
        else:
            said.append("imported")

    both = [threading.Thread(target=one) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(said) == ["imported", "store.not-empty"]


def test_whoever_is_erased_is_erased_where_it_is_imported_too(
    direct_world: DirectWorld, town: Town, empty: DirectWorld, tmp_path: Path
) -> None:
    member = town.cast[roles.LEAVER]
    person = direct_world.readings.person_id(member.number)
    assert person is not None
    erase(direct_world.base, direct_world.settings.execute, person, "KS 2026/0500", "anna", "bo")
    direct_world.settle()
    exported(direct_world, tmp_path / "all.jsonl")
    content = (tmp_path / "all.jsonl").read_text(encoding="utf-8")
    assert not [text for text in (*member.canaries, member.number) if text in content]
    imported(empty, tmp_path / "all.jsonl")
    empty.settle()
    assert differences(stand_of(direct_world.base), stand_of(empty.base)) == []
    for file in town.first:
        empty.feed_file(file.source, file.path)
    empty.settle()
    assert empty.readings.person_id(member.number) is None
    assert Erasures(empty.base.keys_pool).all() == Erasures(direct_world.base.keys_pool).all()


def test_an_account_of_somebody_erased_just_before_an_export_is_removed_where_it_is_imported(
    direct_world: DirectWorld, town: Town, empty: DirectWorld, tmp_path: Path
) -> None:
    person = direct_world.readings.person_id(town.cast[roles.LEAVER].number)
    assert person is not None
    accounts = direct_world.readings.account_keys(person)
    erase(direct_world.base, direct_world.settings.execute, person, "KS 2026/0500", "anna", "bo")
    exported(direct_world, tmp_path / "all.jsonl")
    imported(empty, tmp_path / "all.jsonl")
    empty.settle()
    wanted = f"select presence from iam.desired where account::text = '{accounts[0]}'"
    assert {row[0] for row in rows(empty, wanted)} == {"absent"}


def test_a_header_is_written_as_it_is_read() -> None:
    header = Header(1, dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "1", "r", "s", 1, "", {"claim": 1}, "m")
    assert msgspec.json.decode(msgspec.json.encode(header), type=Header) == header
