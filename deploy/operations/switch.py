"""A store that was made again is taken into use: in the place of the one that was, which is kept aside until it is dropped.

As after a restore (docs/decisions/0193): a new epoch, everything published again, every account read back before it is
touched, and execution held until the log has been read to its end.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from deploy.operations.backup import AFTER, EXECUTE, RESTORED, dump_schemas, load_schemas, schemas_in
from deploy.operations.rebuild import Rebuilt
from deploy.operations.shadow import STORES, Shadow
from deploy.settings import Settings
from deploy.wiring.groups import GROUPS
from streams.brake import HeldFlows
from streams.contracts.errors import KallanError, Rejected, Unavailable
from streams.database import open_pool
from streams.offsets import Offsets

REPLACED = "_replaced"
_UNDER_WAY = "set aside by a switch that is under way"
_MARKED = "select nspname from pg_namespace where obj_description(oid, 'pg_namespace') = %s order by 1"
_LOCK = "select pg_try_advisory_lock(hashtextextended('kallan.switch', 0))"
_NOTE = """
create schema rebuild;
create table rebuild.next_offset (topic text, part int, place bigint, primary key (topic, part));
"""
_ALWAYS = """
update mmd.document set raised = true where marking in ('sekretessmarkering', 'skyddad-folkbokforing');
select setval('iam.attempt', greatest(nextval('iam.attempt'), extract(epoch from clock_timestamp())::bigint));
"""
"""What was published of a protected person before is not opened any more, and no late answer counts as one of ours."""

_KEPT = """
insert into mmd.disclosure (release, person, occasion, attribute_groups, restricted, at)
    select release, person, occasion, attribute_groups, restricted, at from mmd_replaced.disclosure order by id;
insert into mmd.feed_release select * from mmd_replaced.feed_release;
insert into mmd.feed (release, document, number, seq, hash, change)
    select release, document, -1, seq, hash, change from mmd_replaced.feed;
alter table iam.journal disable trigger user;
update iam.journal set id = -id;
insert into iam.journal select * from iam_replaced.journal;
update iam.journal set id = (select max(id) from iam.journal) - id where id < 0;
select setval('iam.journal_id_seq', greatest(nextval('iam.journal_id_seq'), (select max(id) from iam.journal)));
alter table iam.journal enable trigger user;
"""
"""What is in no log and is taken along where the old store is there: who was given what, how far readers have read, and the
journal, to which what was evaluated anew is added."""


def note(shadow: Shadow, found: Rebuilt) -> None:
    """That the store is whole, and where the log has to be read on."""
    with shadow.pool.connection() as connection:
        connection.execute(_NOTE)
        with connection.cursor() as cursor:
            rows = [
                (topic, part, place) for topic, places in found.next_offsets.items() for part, place in places.items()
            ]
            cursor.executemany("insert into rebuild.next_offset values (%s, %s, %s)", rows)


def offsets_of(shadow: Shadow, now: Offsets) -> Offsets:
    """Where the groups that feed the master have to go on: at the end of what was read. `now`: as they stand; a partition
    that was empty is read from its beginning.

    Raises `Rejected("input.invalid")` for a store that was not made again to its end.
    """
    with shadow.pool.connection() as connection:
        if connection.execute("select to_regclass('rebuild.next_offset')").fetchone() == (None,):
            raise Rejected("input.invalid", "the database holds no store that was made again to its end")
        rows = connection.execute("select topic, part, place from rebuild.next_offset").fetchall()
    places: Mapping[tuple[str, int], int] = {(topic, part): place for topic, part, place in rows}
    return {
        group: {topic: {part: places.get((topic, part), 0) for part in parts} for topic, parts in topics.items()}
        for group, topics in now.items()
        if all(topic.startswith("source.") for topic in GROUPS[group])
    }


def take_into_use(
    settings: Settings,
    shadow: Shadow,
    now: Offsets,
    rewind: Callable[[Offsets], None],
    catch_up: Callable[[], object],
) -> list[str]:
    """Returns the schemas that are kept aside. The workers must not run: `rewind` refuses where they do. `catch_up` adds to
    the shadow what was decided since it was made (`deploy.operations.rebuild.remember`).

    Raises `Rejected("input.invalid")` where what an earlier switch kept aside is still there; nothing is changed then. Where
    the new store cannot be put in place, the old one is as it was. What a switch that was killed has left is put back first.
    """
    with _alone(settings):
        put_back(settings)
        return _take(settings, shadow, now, rewind, catch_up)


def _take(
    settings: Settings,
    shadow: Shadow,
    now: Offsets,
    rewind: Callable[[Offsets], None],
    catch_up: Callable[[], object],
) -> list[str]:
    offsets = offsets_of(shadow, now)
    kept = [name + REPLACED for name in schemas_in(settings.store_url, STORES)]
    if left := schemas_in(settings.store_url, [name + REPLACED for name in STORES]):
        raise Rejected("input.invalid", f"{', '.join(left)}: what was replaced before is to be dropped first")
    _same_schemas(settings, shadow, kept)
    rewind(offsets)
    catch_up()
    _hold(settings)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "stores.dump"
        dump_schemas(shadow.settings.store_url, STORES, file)
        set_aside(settings, kept)
        try:
            load_schemas(settings.store_url, file)
            with psycopg.connect(settings.store_url) as connection:
                connection.execute(_ALWAYS)
                if len(kept) == len(STORES):
                    connection.execute(_KEPT)
                connection.execute(AFTER)
                _say(connection, kept, None)
        except BaseException:
            if not put_back(settings):  # there was no old store
                _drop(settings)
            raise
    return kept


def _same_schemas(settings: Settings, shadow: Shadow, kept: Sequence[str]) -> None:
    """What is taken along from the old store is copied row by row: both must be of this program's version."""
    names = [name.removesuffix(REPLACED) for name in kept]
    with psycopg.connect(settings.store_url) as old, shadow.pool.connection() as new:
        for name in names:
            asked = sql.SQL("select version_num from {}").format(sql.Identifier(name, "alembic_version"))
            if old.execute(asked).fetchall() != new.execute(asked).fetchall():
                raise KallanError("schema.older", f"{name}: migrate the store in use, or make the new one again")


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """One switch at a time. The lock goes with its connection, also where the process is killed."""
    with psycopg.connect(settings.store_url, autocommit=True) as connection:
        if connection.execute(_LOCK).fetchone() != (True,):
            raise Unavailable("service.unavailable", "another switch is under way")
        yield


def set_aside(settings: Settings, kept: Sequence[str]) -> None:
    """The store in use under its other names, marked until the new one is whole: all of it or nothing."""
    with psycopg.connect(settings.store_url) as connection:
        for name in kept:
            _rename(connection, name.removesuffix(REPLACED), name)
        _say(connection, kept, _UNDER_WAY)


def put_back(settings: Settings) -> bool:
    """Where a switch did not come to its end, the old store is in its place again, and what was loaded of the new one is
    gone: all of it or nothing. False: there was nothing to do."""
    with psycopg.connect(settings.store_url) as connection:
        kept = [row[0] for row in connection.execute(_MARKED, [_UNDER_WAY]).fetchall()]
        if kept:
            _drop_in(connection)
        for name in kept:
            _rename(connection, name, name.removesuffix(REPLACED))
        _say(connection, [name.removesuffix(REPLACED) for name in kept], None)
    return bool(kept)


def _drop(settings: Settings) -> None:
    """What was loaded of the new store, where it could not be finished."""
    with psycopg.connect(settings.store_url) as connection:
        _drop_in(connection)


def _drop_in(connection: psycopg.Connection) -> None:
    for name in STORES:
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(name)))


def _rename(connection: psycopg.Connection, old: str, new: str) -> None:
    connection.execute(sql.SQL("alter schema {} rename to {}").format(sql.Identifier(old), sql.Identifier(new)))


def _say(connection: psycopg.Connection, names: Sequence[str], text: str | None) -> None:
    for name in names:
        connection.execute(sql.SQL("comment on schema {} is {}").format(sql.Identifier(name), sql.Literal(text)))


def _hold(settings: Settings) -> None:
    pool = open_pool(settings.keys_url, size=1)
    try:
        HeldFlows(pool).hold(EXECUTE, RESTORED, "store.restored", 0)
    finally:
        pool.close()
