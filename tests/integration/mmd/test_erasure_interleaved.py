"""Somebody is erased, or taken in again, while a batch that speaks of them is on its way: prepared with a key that is gone
when it is stored, or that was gone already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import psycopg
import pytest

from mmd.ingest.erasure import count_a_return, forget, whole_of
from mmd.ingest.handler import IngestHandler
from streams.codec import RecordCodec
from streams.contracts.claims import Birth, Claim, Name, Protection
from streams.sealing import Key, KeyClass, KeyRing, KeyState
from tests.integration.mmd.conftest import DIGEST_SECRET, PERSON_SECRET

if TYPE_CHECKING:
    from tests.integration.mmd.conftest import Master, Someone


class Meanwhile:
    """The ring of the master; right after (or before) it has given the keys of a batch, `then` happens, once. `stale`: found
    until then, though destroyed: as a process does that has looked for it a moment ago."""

    def __init__(
        self, keys: KeyRing, then: Callable[[], None], *, before: bool = False, stale: Key | None = None
    ) -> None:
        self._keys = keys
        self._then = [then]
        self._before = before
        self._stale = stale

    def current(self, key_class: KeyClass, owners: set[str]) -> Mapping[str, Key]:
        happens = self._then.pop() if key_class is KeyClass.INNER and self._then else None
        if happens is not None and self._before:
            happens()
        found = self._keys.current(key_class, owners)
        if happens is not None and not self._before:
            happens()
        return found

    def find(self, key_ids: set[str]) -> Mapping[str, Key | KeyState]:
        found = dict(self._keys.find(key_ids))
        if self._stale is not None and self._then and self._stale.id in found:
            found[self._stale.id] = self._stale
        return found

    def renew(self, key_class: KeyClass, owner: str) -> Key:
        return self._keys.renew(key_class, owner)

    def destroy_older(self, key_class: KeyClass, owner: str) -> None:
        self._keys.destroy_older(key_class, owner)

    def erase(self, owners: set[str]) -> None:
        self._keys.erase(owners)

    def readmit(self, owners: set[str]) -> None:
        self._keys.readmit(owners)


def erase(master: Master, who: Someone) -> None:
    with psycopg.connect(master.url) as connection:
        gone = whole_of(connection, who.id)
        master.keys.erase(set(gone.owners))
        forget(connection, gone, "decision-1", master.clock.now())


def handler_with(master: Master, keys: KeyRing) -> IngestHandler:
    return IngestHandler(
        master.pool, RecordCodec(keys), keys, master.register, PERSON_SECRET, DIGEST_SECRET, master.clock
    )


@pytest.mark.parametrize("together", [False, True])
def test_who_is_erased_while_a_batch_about_them_is_on_its_way_stays_a_tombstone(
    master: Master, persons: Callable[[int], Someone], together: bool
) -> None:
    gone, other = persons(1), persons(2)
    master.ingest([master.record(gone, "1", Protection(), Birth("1980-02-01"))])
    late = [master.record(gone, "2", Claim(Name("Anna", "", "Ek")))]
    if together:
        late.append(master.record(other, "1", Protection()))
    handler_with(master, Meanwhile(master.keys, lambda: erase(master, gone)))(late)
    assert master.rows("select body, shown from mmd.document where id = %s", gone.id) == [(b"", "")]
    assert master.rows("select count(*) from mmd.subject where subject = %s", gone.subject) == [(0,)]
    assert master.rows("select count(*) from mmd.claim where subject = %s", gone.subject) == [(0,)]
    kept = master.rows("select position, reason from mmd.kept_aside where subject = %s", gone.subject)
    assert kept == [(late[0].offset, "erased")]
    assert (master.reader.person(other.id) is not None) is together


def test_a_batch_that_was_opened_with_a_destroyed_key_is_not_sealed_with_the_key_of_the_return(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    one = persons(1)
    master.ingest([master.record(one, "1", Protection(), Birth("1980-02-01"))])
    late = master.record(one, "2", Claim(Name("Anna", "", "Ek")))
    old = master.keys.current(KeyClass.INNER, {one.subject})[one.subject]
    erase(master, one)

    def come_back() -> None:
        with psycopg.connect(master.url) as connection:
            count_a_return(connection)
        master.keys.readmit({one.subject})

    handler_with(master, Meanwhile(master.keys, come_back, before=True, stale=old))([late])
    assert master.keys.current(KeyClass.INNER, {one.subject})[one.subject].id != old.id
    assert master.rows("select count(*) from mmd.claim where subject = %s", one.subject) == [(0,)]
    assert master.rows("select position from mmd.kept_aside where subject = %s", one.subject) == [(late.offset,)]
