"""The contract of a key ring, on the ring in memory and on the one in PostgreSQL; and what only the latter promises."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from streams.contracts.errors import KallanError, Rejected
from streams.database import open_pool
from streams.keys import CACHE_SECONDS, MemoryKeyRing, PostgresKeyRing
from streams.sealing import Key, KeyClass, KeyRing, KeyState

MASTER = bytes(range(32))


class FakeTicker:
    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


MakeRing = Callable[..., PostgresKeyRing]


@pytest.fixture
def make_ring(database_url: str) -> Iterator[MakeRing]:
    """Rings as separate processes would have them: over one database, each with a cache of its own."""
    pool = open_pool(database_url, size=8)

    def make(master: bytes = MASTER, **settings: object) -> PostgresKeyRing:
        return PostgresKeyRing(pool, master, **settings)  # type: ignore[arg-type]

    yield make
    pool.close()


@pytest.fixture(params=["memory", "postgres"])
def ring(request: pytest.FixtureRequest) -> KeyRing:
    if request.param == "memory":
        return MemoryKeyRing()
    made: PostgresKeyRing = request.getfixturevalue("make_ring")()
    return made


class TestContract:
    def test_a_key_is_made_once_and_is_its_owners_alone(self, ring: KeyRing) -> None:
        first = ring.current(KeyClass.INNER, {"a", "b"})
        again = ring.current(KeyClass.INNER, {"b", "a", "c"})
        assert {owner: again[owner] for owner in ("a", "b")} == dict(first)
        assert len({key.secret for key in again.values()}) == 3
        assert {len(key.secret) for key in again.values()} == {32}
        assert first["a"].id == "inner/a/1"

    def test_classes_have_keys_of_their_own(self, ring: KeyRing) -> None:
        secrets = {ring.current(key_class, {"a"})["a"].secret for key_class in KeyClass}
        assert len(secrets) == len(KeyClass)

    def test_nobody_asked_for_is_nothing(self, ring: KeyRing) -> None:
        assert dict(ring.current(KeyClass.INNER, set())) == {}
        assert dict(ring.find(set())) == {}

    def test_a_key_is_found_by_its_id(self, ring: KeyRing) -> None:
        key = ring.current(KeyClass.INNER, {"unit:x/y"})["unit:x/y"]
        assert dict(ring.find({key.id})) == {key.id: key}

    @pytest.mark.parametrize(
        "key_id", ["inner/a/2", "outer/a/1", "inner/b/1", "", "a", "inner/a/", "inner/a/01", "x/a/1"]
    )
    def test_what_is_not_there_is_unknown_and_finding_makes_nothing(self, ring: KeyRing, key_id: str) -> None:
        ring.current(KeyClass.INNER, {"a"})
        for _ in range(2):
            assert dict(ring.find({key_id})) == {key_id: KeyState.UNKNOWN}

    def test_after_a_renewal_the_new_key_is_current_and_the_old_one_still_opens(self, ring: KeyRing) -> None:
        old = ring.current(KeyClass.OUTER, {"a"})["a"]
        new = ring.renew(KeyClass.OUTER, "a")
        assert ring.current(KeyClass.OUTER, {"a"}) == {"a": new}
        assert new.secret != old.secret
        assert dict(ring.find({old.id, new.id})) == {old.id: old, new.id: new}

    def test_a_first_key_can_come_from_a_renewal(self, ring: KeyRing) -> None:
        key = ring.renew(KeyClass.OUTER, "new")
        assert ring.current(KeyClass.OUTER, {"new"}) == {"new": key}

    def test_destroying_the_older_ones_leaves_the_current_one(self, ring: KeyRing) -> None:
        first = ring.current(KeyClass.OUTER, {"a"})["a"]
        second, third = ring.renew(KeyClass.OUTER, "a"), ring.renew(KeyClass.OUTER, "a")
        inner = ring.current(KeyClass.INNER, {"a"})["a"]
        for _ in range(2):
            ring.destroy_older(KeyClass.OUTER, "a")
            assert dict(ring.find({first.id, second.id, third.id, inner.id})) == {
                first.id: KeyState.RENEWED,
                second.id: KeyState.RENEWED,
                third.id: third,
                inner.id: inner,
            }
        assert ring.renew(KeyClass.OUTER, "a").id == "outer/a/4"

    def test_an_erased_owner_has_no_key_of_any_class_ever_again(self, ring: KeyRing) -> None:
        keys = [ring.current(key_class, {"a", "b"})["a"] for key_class in KeyClass]
        ring.erase({"a", "never-seen"})
        ring.erase({"a"})
        assert set(ring.find({key.id for key in keys}).values()) == {KeyState.ERASED}
        assert ring.current(KeyClass.INNER, {"a", "b", "never-seen"}).keys() == {"b"}
        assert ring.find({"inner/a/9"})["inner/a/9"] is KeyState.ERASED
        with pytest.raises(Rejected, match=r"key\.erased"):
            ring.renew(KeyClass.INNER, "a")
        ring.destroy_older(KeyClass.INNER, "a")
        assert ring.find({"inner/a/1"})["inner/a/1"] is KeyState.ERASED

    def test_a_readmitted_owner_has_new_keys_and_what_was_destroyed_stays_so(self, ring: KeyRing) -> None:
        old = {key_class: ring.current(key_class, {"a"})["a"] for key_class in (KeyClass.INNER, KeyClass.OUTER)}
        old[KeyClass.OUTER] = ring.renew(KeyClass.OUTER, "a")
        ring.erase({"a", "b"})
        for _ in range(2):
            ring.readmit({"a", "never-erased"})
            assert set(ring.find({key.id for key in old.values()} | {"outer/a/1"}).values()) == {KeyState.ERASED}
        new = {key_class: ring.current(key_class, {"a", "b"}) for key_class in KeyClass}
        assert {one["a"].id for one in new.values()} == {"inner/a/2", "outer/a/3", "account/a/2", "system/a/2"}
        assert all(one.keys() == {"a"} for one in new.values())
        assert ring.find({new[KeyClass.INNER]["a"].id, old[KeyClass.INNER].id}) == {
            new[KeyClass.INNER]["a"].id: new[KeyClass.INNER]["a"],
            old[KeyClass.INNER].id: KeyState.ERASED,
        }
        assert ring.find({"account/a/1", "account/a/3"}) == {
            "account/a/1": KeyState.ERASED,
            "account/a/3": KeyState.UNKNOWN,
        }
        assert ring.renew(KeyClass.OUTER, "a").id == "outer/a/4"
        assert ring.current(KeyClass.INNER, {"never-erased"})["never-erased"].id == "inner/never-erased/1"

    def test_whoever_is_erased_again_after_a_return_has_lost_the_new_keys_too(self, ring: KeyRing) -> None:
        ring.current(KeyClass.INNER, {"a"})
        ring.erase({"a"})
        ring.readmit({"a"})
        second = ring.current(KeyClass.INNER, {"a"})["a"]
        ring.erase({"a"})
        assert ring.find({second.id})[second.id] is KeyState.ERASED
        assert ring.current(KeyClass.INNER, {"a"}) == {}
        ring.readmit({"a"})
        assert ring.current(KeyClass.INNER, {"a"})["a"].id == "inner/a/3"
        assert ring.find({second.id})[second.id] is KeyState.ERASED

    def test_a_secret_is_never_in_a_repr(self, ring: KeyRing) -> None:
        key = ring.current(KeyClass.INNER, {"a"})["a"]
        assert repr(key) == "Key(id='inner/a/1')"

    def test_many_at_once_agree_on_the_keys(self, ring: KeyRing) -> None:
        owners = {f"o{number}" for number in range(40)}
        barrier = threading.Barrier(4)

        def make(_: int) -> dict[str, Key]:
            barrier.wait(10)
            return dict(ring.current(KeyClass.INNER, owners))

        with ThreadPoolExecutor(4) as threads:
            results = list(threads.map(make, range(4)))
        assert all(result == results[0] for result in results)
        assert results[0].keys() == owners

    def test_many_renewals_at_once_are_as_many_generations(self, ring: KeyRing) -> None:
        barrier = threading.Barrier(4)

        def renew(number: int) -> str:
            barrier.wait(10)
            if number == 0:
                return ring.current(KeyClass.OUTER, {"a"})["a"].id
            return ring.renew(KeyClass.OUTER, "a").id

        with ThreadPoolExecutor(4) as threads:
            made = list(threads.map(renew, range(4)))
        assert len(set(made[1:])) == 3
        newest = max(int(one.rpartition("/")[2]) for one in made)
        assert ring.current(KeyClass.OUTER, {"a"})["a"].id == f"outer/a/{newest}"


def test_two_processes_share_the_keys_and_a_restart_finds_them(make_ring: MakeRing) -> None:
    key = make_ring().current(KeyClass.INNER, {"a"})["a"]
    other = make_ring()
    assert other.current(KeyClass.INNER, {"a"}) == {"a": key}
    assert other.find({key.id}) == {key.id: key}


def test_sealing_never_uses_a_key_that_another_process_has_replaced(make_ring: MakeRing) -> None:
    relay, ingest = make_ring(), make_ring()
    relay.current(KeyClass.OUTER, {"a"})
    new = ingest.renew(KeyClass.OUTER, "a")
    assert relay.current(KeyClass.OUTER, {"a"}) == {"a": new}


@pytest.mark.parametrize("how", ["renewed", "erased"])
def test_a_destroyed_key_stops_working_in_every_process_within_two_seconds(make_ring: MakeRing, how: str) -> None:
    ticker = FakeTicker()
    reader, writer = make_ring(ticker=ticker), make_ring()
    key = writer.current(KeyClass.OUTER, {"a"})["a"]
    assert reader.find({key.id}) == {key.id: key}
    if how == "renewed":
        writer.renew(KeyClass.OUTER, "a")
        writer.destroy_older(KeyClass.OUTER, "a")
    else:
        writer.erase({"a"})
    assert writer.find({key.id}) == {key.id: KeyState(how)}
    assert CACHE_SECONDS < 2
    ticker.sleep(CACHE_SECONDS)
    assert reader.find({key.id}) == {key.id: KeyState(how)}


def test_a_key_that_was_missing_is_found_as_soon_as_it_is_made(make_ring: MakeRing) -> None:
    reader, writer = make_ring(ticker=FakeTicker()), make_ring()
    assert reader.find({"inner/a/1"}) == {"inner/a/1": KeyState.UNKNOWN}
    key = writer.current(KeyClass.INNER, {"a"})["a"]
    assert reader.find({key.id}) == {key.id: key}


def test_a_destroyed_keys_bytes_are_gone_and_live_ones_are_wrapped(make_ring: MakeRing, database_url: str) -> None:
    ring = make_ring()
    old = ring.current(KeyClass.OUTER, {"a"})["a"]
    new = ring.renew(KeyClass.OUTER, "a")
    ring.destroy_older(KeyClass.OUTER, "a")
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("select generation, state, wrapped from streams.data_key order by 1").fetchall()
    assert [row[:2] for row in rows] == [(1, "renewed"), (2, "live")]
    assert rows[0][2] is None
    assert new.secret not in rows[1][2]
    assert old.secret not in rows[1][2]


def test_a_wrapped_key_does_not_open_under_another_id(make_ring: MakeRing, database_url: str) -> None:
    ring = make_ring()
    ring.current(KeyClass.INNER, {"a", "b"})
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "update streams.data_key set wrapped = (select wrapped from streams.data_key where owner = 'a')"
            " where owner = 'b'"
        )
    with pytest.raises(KallanError, match="master key"):
        make_ring().find({"inner/b/1"})


def test_a_wrong_master_key_is_said_so_and_is_no_fault_of_the_record(make_ring: MakeRing) -> None:
    make_ring().current(KeyClass.INNER, {"a"})
    with pytest.raises(KallanError, match=r"settings\.invalid") as caught:
        make_ring(bytes(32)).current(KeyClass.INNER, {"a"})
    assert not isinstance(caught.value, Rejected)
    with pytest.raises(KallanError, match=r"settings\.invalid"):
        make_ring(b"short")


def test_a_key_made_beside_an_erasure_does_not_survive_it(make_ring: MakeRing) -> None:
    rings = [make_ring(), make_ring()]
    for number in range(15):
        owner = f"o{number}"
        barrier = threading.Barrier(2)

        def make(owner: str = owner, barrier: threading.Barrier = barrier) -> None:
            barrier.wait(10)
            rings[0].current(KeyClass.INNER, {owner})

        def erase(owner: str = owner, barrier: threading.Barrier = barrier) -> None:
            barrier.wait(10)
            rings[1].erase({owner})

        with ThreadPoolExecutor(2) as threads:
            for done in [threads.submit(make), threads.submit(erase)]:
                done.result(10)
        assert make_ring().find({f"inner/{owner}/1"}) == {f"inner/{owner}/1": KeyState.ERASED}
        assert dict(make_ring().current(KeyClass.INNER, {owner})) == {}
