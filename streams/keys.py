"""Data keys: one 256-bit key per class and owner and generation. In PostgreSQL wrapped by a master key, or in memory.

Destroying a key is what makes data unreadable everywhere at once: in the log, which is append-only, and in every copy.
"""

import datetime as dt
import os
import threading
from collections.abc import Callable, Collection, Mapping

import psycopg
import psycopg_pool
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from streams.clock import SystemTicker, Ticker
from streams.contracts.errors import KallanError, Rejected
from streams.sealing import Key, KeyClass, KeyState, key_id, split_key_id

CACHE_SECONDS = 1.5
"""How long a process may go on with a key that was destroyed by another one (design: gone everywhere within 5 s)."""

NOBODY = "nobody"
"""Has no key: what is asked for to see whether the keys answer. Not counted as missed."""

KEY_BYTES = 32
_NONCE_BYTES = 12
_CACHE_MOST = 20_000


class MemoryKeyRing:
    """All keys in this process: unit tests and `--through direct`. Same contract as `PostgresKeyRing`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[tuple[KeyClass, str], list[bytes | None]] = {}
        self._erased: set[str] = set()
        self._destroyed: dict[tuple[KeyClass, str], int] = {}  # the last generation that an erasure destroyed

    def current(self, key_class: KeyClass, owners: set[str]) -> Mapping[str, Key]:
        with self._lock:
            found: dict[str, Key] = {}
            for owner in owners - self._erased:
                generations = self._keys.setdefault((key_class, owner), [])
                if len(generations) == self._destroyed.get((key_class, owner), 0):
                    generations.append(os.urandom(KEY_BYTES))
                found[owner] = Key(key_id(key_class, owner, len(generations)), generations[-1] or b"")
            return found

    def find(self, key_ids: set[str]) -> Mapping[str, Key | KeyState]:
        with self._lock:
            return {one: self._find(one) for one in key_ids}

    def _find(self, text: str) -> Key | KeyState:
        parts = split_key_id(text)
        if parts is None:
            return KeyState.UNKNOWN
        key_class, owner, generation = parts
        if owner in self._erased or generation <= self._destroyed.get((key_class, owner), 0):
            return KeyState.ERASED
        generations = self._keys.get((key_class, owner), [])
        if not 1 <= generation <= len(generations):
            return KeyState.UNKNOWN
        secret = generations[generation - 1]
        return KeyState.RENEWED if secret is None else Key(text, secret)

    def renew(self, key_class: KeyClass, owner: str) -> Key:
        with self._lock:
            if owner in self._erased:
                raise Rejected("key.erased", "no new key")
            generations = self._keys.setdefault((key_class, owner), [])
            secret = os.urandom(KEY_BYTES)
            generations.append(secret)
            return Key(key_id(key_class, owner, len(generations)), secret)

    def destroy_older(self, key_class: KeyClass, owner: str) -> None:
        with self._lock:
            generations = self._keys.get((key_class, owner), [])
            generations[:-1] = [None] * (len(generations) - 1)

    def erase(self, owners: set[str]) -> None:
        with self._lock:
            self._erased |= owners
            for (key_class, owner), generations in self._keys.items():
                if owner in owners:
                    self._keys[key_class, owner] = [None] * len(generations)

    def readmit(self, owners: set[str]) -> None:
        with self._lock:
            for owner in owners & self._erased:
                for key_class in KeyClass:
                    generations = self._keys.setdefault((key_class, owner), []) or [None]
                    self._keys[key_class, owner] = generations
                    self._destroyed[key_class, owner] = len(generations)
            self._erased -= owners


_CREATE = """
insert into streams.data_key (key_class, owner, generation, state, wrapped)
select %(key_class)s, new.owner, new.generation, 'live', new.wrapped
from unnest(%(owners)s::text[], %(generations)s::int[], %(wrapped)s::bytea[]) as new (owner, generation, wrapped)
where not exists (select from streams.erased_owner e where e.owner = new.owner)
order by new.owner
on conflict do nothing
"""

_CURRENT = """
select distinct on (k.owner) k.owner, k.generation, k.wrapped
from streams.data_key k
where k.key_class = %(key_class)s and k.owner = any(%(owners)s)
order by k.owner, k.generation desc
"""

_FIND = """
select asked.key_class, asked.owner, asked.generation, k.wrapped, k.state,
       exists (select from streams.erased_owner e where e.owner = asked.owner)
from unnest(%s::text[], %s::text[], %s::int[]) as asked (key_class, owner, generation)
left join streams.data_key k using (key_class, owner, generation)
"""

_NEXT = """
select exists (select from streams.erased_owner where owner = %(owner)s),
       (select coalesce(max(generation), 0) + 1 from streams.data_key
        where key_class = %(key_class)s and owner = %(owner)s)
"""

_RENEW = """
insert into streams.data_key (key_class, owner, generation, state, wrapped)
values (%s, %s, %s, 'live', %s)
on conflict do nothing
returning generation
"""

_DESTROY_OLDER = """
update streams.data_key old set state = 'renewed', wrapped = null, ended_at = now()
where old.key_class = %(key_class)s and old.owner = %(owner)s and old.state = 'live'
  and exists (select from streams.data_key newer where newer.key_class = old.key_class and newer.owner = old.owner
              and newer.generation > old.generation and newer.state = 'live')
"""

# Every class has a row after this, so that no key has ever the id of one that may have been destroyed.
_READMIT = """
with gone as (delete from streams.erased_owner where owner = any(%(owners)s) returning owner)
insert into streams.data_key (key_class, owner, generation, state, ended_at)
select key_class, owner, 1, 'erased', now() from gone, unnest(%(classes)s::text[]) as key_class
on conflict do nothing
"""

# Making keys takes this gate shared and erasure takes it alone, so no key can be made beside an erasure that has
# already looked which keys there are.
_GATE = "select pg_advisory_xact_lock{}(hashtextextended('streams.data_key', 0))"


class PostgresKeyRing:
    """Keys in `streams.data_key`, each wrapped (AES-256-GCM) by the master key under its own id.

    What `find` returned is kept for `CACHE_SECONDS`, live keys only; `current` always asks, so that nothing is sealed
    with a key that another process has replaced. Destroyed key bytes leave the row in the destroying transaction.
    """

    def __init__(
        self,
        pool: "psycopg_pool.ConnectionPool[psycopg.Connection]",
        master_key: bytes,
        *,
        ticker: Ticker | None = None,
        cache_seconds: float = CACHE_SECONDS,
        missed: Callable[[KeyState], None] = lambda _state: None,
    ) -> None:
        if len(master_key) != KEY_BYTES:
            raise KallanError("settings.invalid", f"the master key must have {KEY_BYTES} bytes")
        self._pool = pool
        self._master = AESGCM(master_key)
        self._ticker = ticker or SystemTicker()
        self._cache_seconds = cache_seconds
        self._missed = missed
        self._lock = threading.Lock()
        self._cache: dict[str, tuple[float, Key]] = {}

    def current(self, key_class: KeyClass, owners: set[str]) -> Mapping[str, Key]:
        if not owners:
            return {}
        with self._pool.connection() as connection:
            newest = self._newest(connection, key_class, owners)
            missing = dict.fromkeys(owners - newest.keys(), 1)
            missing |= {one: number + 1 for one, (number, wrapped) in newest.items() if wrapped is None}
            while missing:
                self._create(connection, key_class, missing)
                found = self._newest(connection, key_class, missing.keys())
                newest |= found
                # Erased, or erased and readmitted since the first look: then there is a higher number to begin with.
                destroyed = {one: number + 1 for one, (number, wrapped) in found.items() if wrapped is None}
                missing = {one: number for one, number in destroyed.items() if number > missing[one]}
        return {
            owner: self._unwrap(key_id(key_class, owner, number), wrapped)
            for owner, (number, wrapped) in newest.items()
            if wrapped is not None
        }

    @staticmethod
    def _newest(
        connection: psycopg.Connection, key_class: KeyClass, owners: Collection[str]
    ) -> dict[str, tuple[int, bytes | None]]:
        """The last generation of each owner who has had one. Only of whoever was erased is it destroyed."""
        rows = connection.execute(_CURRENT, {"key_class": key_class.value, "owners": sorted(owners)}).fetchall()
        return {owner: (number, wrapped) for owner, number, wrapped in rows}

    def _create(self, connection: psycopg.Connection, key_class: KeyClass, generations: Mapping[str, int]) -> None:
        connection.execute(_GATE.format("_shared"))
        owners = sorted(generations)
        wrapped = [self._wrap(key_id(key_class, one, generations[one]), os.urandom(KEY_BYTES)) for one in owners]
        numbers = [generations[one] for one in owners]
        values = {"key_class": key_class.value, "owners": owners, "generations": numbers, "wrapped": wrapped}
        connection.execute(_CREATE, values)

    def find(self, key_ids: set[str]) -> Mapping[str, Key | KeyState]:
        now = self._ticker.monotonic()
        with self._lock:
            cached = {one: self._cache[one] for one in key_ids if one in self._cache}
        found: dict[str, Key | KeyState] = {one: key for one, (until, key) in cached.items() if now < until}
        asked: list[tuple[str, str, int]] = []
        for one in key_ids - found.keys():
            parts = split_key_id(one)
            if parts is None:
                found[one] = KeyState.UNKNOWN
            else:
                asked.append(parts)
        if asked:
            found.update(self._read(asked, now))
        return found

    def _read(self, asked: list[tuple[str, str, int]], now: float) -> dict[str, Key | KeyState]:
        columns = [list(column) for column in zip(*asked, strict=True)]
        with self._pool.connection() as connection:
            rows = connection.execute(_FIND, columns).fetchall()
        found: dict[str, Key | KeyState] = {}
        live: dict[str, tuple[float, Key]] = {}
        for key_class, owner, generation, wrapped, state, erased in rows:
            name = f"{key_class}/{owner}/{generation}"
            if erased:
                found[name] = KeyState.ERASED
            elif state is None:
                found[name] = KeyState.UNKNOWN
            elif state == "live":
                key = self._unwrap(name, wrapped)
                found[name] = key
                live[name] = (now + self._cache_seconds, key)
            else:
                found[name] = KeyState(state)
            missing = found[name]
            if isinstance(missing, KeyState) and owner != NOBODY:
                self._missed(missing)
        with self._lock:
            if len(self._cache) + len(live) > _CACHE_MOST:
                self._cache.clear()
            self._cache.update(live)
        return found

    def renew(self, key_class: KeyClass, owner: str) -> Key:
        with self._pool.connection() as connection:
            connection.execute(_GATE.format("_shared"))
            while True:
                row = connection.execute(_NEXT, {"key_class": key_class.value, "owner": owner}).fetchone()
                if row is None or row[0]:
                    raise Rejected("key.erased", "no new key")
                key = Key(key_id(key_class, owner, row[1]), os.urandom(KEY_BYTES))
                wrapped = self._wrap(key.id, key.secret)
                if connection.execute(_RENEW, [key_class.value, owner, row[1], wrapped]).fetchone():
                    return key  # else another process took this generation: the next one

    def destroy_older(self, key_class: KeyClass, owner: str) -> None:
        with self._pool.connection() as connection:
            connection.execute(_DESTROY_OLDER, {"key_class": key_class.value, "owner": owner})
        self._forget({owner})

    def erase(self, owners: set[str]) -> None:
        with self._pool.connection() as connection:
            connection.execute(_GATE.format(""))
            connection.execute(
                "insert into streams.erased_owner (owner) select unnest(%s::text[]) on conflict do nothing",
                [sorted(owners)],
            )
            connection.execute(
                "update streams.data_key set state = 'erased', wrapped = null, ended_at = coalesce(ended_at, %s)"
                " where owner = any(%s)",
                [dt.datetime.now(dt.UTC), sorted(owners)],
            )
        self._forget(owners)

    def readmit(self, owners: set[str]) -> None:
        with self._pool.connection() as connection:
            connection.execute(_GATE.format(""))
            connection.execute(_READMIT, {"owners": sorted(owners), "classes": [one.value for one in KeyClass]})

    def _forget(self, owners: set[str]) -> None:
        with self._lock:
            for one in [name for name in self._cache if name.partition("/")[2].rpartition("/")[0] in owners]:
                del self._cache[one]

    def _wrap(self, name: str, secret: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._master.encrypt(nonce, secret, name.encode())

    def _unwrap(self, name: str, wrapped: bytes) -> Key:
        try:
            return Key(name, self._master.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], name.encode()))
        except InvalidTag:
            raise KallanError("settings.invalid", "the master key does not open the data keys") from None
