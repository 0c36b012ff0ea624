"""Opens worlds: direct ones, each on a fresh database, and the live one on a stack of its own."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from deploy.embedded import secret_files
from deploy.embedded.postgres import embedded_postgres
from deploy.replay.direct import DirectSettings, DirectWorld
from deploy.replay.live import LiveWorld
from deploy.running import SECRETS, running
from deploy.wiring.base import PACKAGES
from streams.migrate import migrate


@contextmanager
def direct_worlds(folder: Path) -> Iterator[Callable[[], AbstractContextManager[DirectWorld]]]:
    """A maker of direct worlds over one embedded PostgreSQL in `folder`."""
    with embedded_postgres(folder / "postgres") as url, direct_worlds_on(url, folder) as new_world:
        yield new_world


@contextmanager
def direct_worlds_on(url: str, folder: Path) -> Iterator[Callable[[], AbstractContextManager[DirectWorld]]]:
    """A maker of direct worlds on a given server: each has a database of its own, copied from one that is migrated once,
    and dropped afterwards."""
    with psycopg.connect(url, autocommit=True) as admin, _database(admin, "template") as template:
        migrate(_at(url, template), PACKAGES)

        @contextmanager
        def new_world() -> Iterator[DirectWorld]:
            with (
                psycopg.connect(url, autocommit=True) as own,
                _database(own, "replay", template) as name,
                direct_world(_at(url, name), folder / name) as world,
            ):
                yield world

        yield new_world


def _at(url: str, database: str) -> str:
    return urlsplit(url)._replace(path=f"/{database}").geturl()


@contextmanager
def _database(admin: psycopg.Connection, kind: str, template: str = "template1") -> Iterator[str]:
    name = f"{kind}_{uuid.uuid4().hex[:12]}"
    names = sql.Identifier(name), sql.Identifier(template)
    admin.execute(sql.SQL("create database {} template {}").format(*names))
    try:
        yield name
    finally:
        admin.execute(sql.SQL("drop database {} with (force)").format(names[0]))


@contextmanager
def direct_world(database_url: str, secrets: Path) -> Iterator[DirectWorld]:
    """A direct world over an empty, migrated database; secrets are made in the folder."""
    secrets.mkdir(parents=True, exist_ok=True)
    for name in SECRETS:
        secret_files.key(secrets / name)
    world = DirectWorld(DirectSettings.of(database_url, secrets))
    try:
        yield world
    finally:
        world.close()


@contextmanager
def live_world(home: Path) -> Iterator[LiveWorld]:
    """The live world on an embedded stack of its own."""
    with running(home, throwaway=True) as found:
        world = LiveWorld(found)
        try:
            yield world
        finally:
            world.close()
