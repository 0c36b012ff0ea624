"""A store beside the one in use: master and provisioning in a database of their own, and keys of which it destroys none."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from deploy.settings import Settings
from deploy.wiring.base import Base
from streams.clock import Clock
from streams.contracts.errors import Rejected
from streams.migrate import migrate
from streams.sealing import Key, KeyClass, KeyRing, KeyState

STORES = ("mmd", "iam")
"""What the log tells again. What the edges remember of loads (`connectors`) is not in the log and stays where it is."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_SERVERS_OWN = ("postgres", "template0", "template1")
"""What stands in a template stands in every database that is made from it."""


class NothingDestroyed:
    """The data keys as they are, for a store that has published nothing: no key is renewed or destroyed for its sake."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def current(self, key_class: KeyClass, owners: set[str]) -> Mapping[str, Key]:
        return self._keys.current(key_class, owners)

    def find(self, key_ids: set[str]) -> Mapping[str, Key | KeyState]:
        return self._keys.find(key_ids)

    def renew(self, key_class: KeyClass, owner: str) -> Key:
        """The key there is. What is in use is renewed when the store is taken into use."""
        found = self._keys.current(key_class, {owner}).get(owner)
        if found is None:
            raise Rejected("key.erased", "no new key")
        return found

    def destroy_older(self, key_class: KeyClass, owner: str) -> None:
        """Nothing was sealed with an older key here."""

    def erase(self, owners: set[str]) -> None:
        raise Rejected("access.denied", "a store that is not in use erases nobody")

    def readmit(self, owners: set[str]) -> None:
        raise Rejected("access.denied", "a store that is not in use brings nobody back")


@dataclass(frozen=True)
class Shadow(Base):
    """The parts of a process that works on such a store."""

    @cached_property
    def keys(self) -> KeyRing:
        return NothingDestroyed(self.key_ring())


def beside(url: str, name: str) -> str:
    """The database of that name on the same server. Raises `Rejected("input.invalid")` for a name that is none."""
    if not _NAME.fullmatch(name):
        raise Rejected("input.invalid", "a database is named by a-z, 0-9 and _")
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def shadow_of(settings: Settings, name: str, clock: Clock | None = None) -> Shadow:
    """Keys, clock and dead letters are those in use."""
    fields = {
        "database_url": beside(settings.database_url, name),
        "keys_database_url": settings.keys_database_url or settings.database_url,
        "keys_database_password": settings.keys_database_password or settings.database_password,
    }
    return Shadow(settings.model_copy(update=fields), "rebuild", pool_size=4, given_clock=clock)


def make_empty(settings: Settings, name: str) -> None:
    """The database with the newest schemas and nothing in them. An empty one that is there already is taken.

    Raises `Rejected("input.invalid")` for one that holds a store: nothing is ever rebuilt over anything.
    """
    if name in _SERVERS_OWN:
        raise Rejected("input.invalid", f"{name} is the server's own database")
    url = shadow_of(settings, name).settings.store_url
    with psycopg.connect(settings.store_url, autocommit=True) as admin:
        there = admin.execute("select from pg_database where datname = %s", [name]).fetchone()
        if there is None:
            admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "select nspname from pg_namespace where nspname = any(%s) order by 1", [[*STORES, "streams", "connectors"]]
        )
        held = ", ".join(row[0] for row in rows.fetchall())
    if held:
        raise Rejected("input.invalid", f"the database holds {held} already")
    migrate(url, STORES)
