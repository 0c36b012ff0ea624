"""SQL of what a committed total load leaves (SM8): the snapshot, and the keys that it said to be gone."""

import datetime as dt
from collections.abc import Iterable, Mapping

import psycopg

from connectors.sources.state import Pool
from connectors.sources.total_state import ABSENCES_ONLY, GONE, STAGED_KEYS, Load

_UPSERT = f"""
with {STAGED_KEYS},
newest as (
    select distinct on (source_key) source_key, subject from connectors.staged
    where load = %(load)s order by source_key, version desc, file desc, position desc
),
said as (
    select source_key, array_agg(distinct kind order by kind) as kinds
    from connectors.staged, unnest(kinds) as kind where load = %(load)s group by source_key
)
insert into connectors.snapshot as s (source, source_key, digest, version, subject, kinds, load)
select %(source)s, k.source_key, k.digest, k.version, n.subject, coalesce(d.kinds, '{{}}'), %(load)s
from staged k join newest n using (source_key) left join said d using (source_key)
where not k.rejected
on conflict (source, source_key) do update
    set digest = excluded.digest, version = excluded.version, subject = excluded.subject, kinds = excluded.kinds
    where excluded.version >= s.version
"""  # noqa: S608
"""What a delta said after the load was taken stays what was said last."""


_BURY = f"""
with deleted as (delete {GONE} returning s.source_key)
insert into connectors.gone as g (source, source_key, version)
select %(source)s, source_key, %(absence)s from deleted
on conflict (source, source_key) do update set version = excluded.version
"""  # noqa: S608
_RETURNED = """
delete from connectors.gone g using connectors.staged k
where k.load = %(load)s and k.body <> '' and g.source = %(source)s and g.source_key = k.source_key
"""


def absence_version(load: Load) -> str:
    """The version of what a total load says is gone: later than every record in it; of two loads of one stamp, the one that
    was opened later counts."""
    return f"{load.stamp}|99999.999|99999999|{load.id:012d}"


def gone_versions(pool: Pool, source: str, keys: Iterable[str]) -> Mapping[str, str]:
    """Of these keys, those that a total load has said to be gone, with the version of that."""
    with pool.connection() as connection:
        rows = connection.execute(
            "select source_key, version from connectors.gone where source = %s and source_key = any(%s)",
            (source, sorted(set(keys))),
        ).fetchall()
    return dict(rows)


def commit(pool: Pool, load: Load, *, now: dt.datetime) -> str:
    """The load's content becomes the snapshot, in one transaction; older loads that wait are void. The new state."""
    values = {"load": load.id, "source": load.source, "stamp": load.stamp, "absence": absence_version(load)}
    with pool.connection() as connection:
        if load.holds != ABSENCES_ONLY:
            connection.execute(_UPSERT, values)
            connection.execute(_RETURNED, values)
            connection.execute(
                "update connectors.snapshot s set load = %(load)s from connectors.staged k "
                "where k.load = %(load)s and s.source = %(source)s and s.source_key = k.source_key",
                values,
            )
        if load.holds != "absences":
            connection.execute(_BURY, values)
        connection.execute("delete from connectors.load_file where load = %(load)s", values)
        _settle_source(connection, load)
        state = "held" if load.holds == "absences" else "committed"
        connection.execute(
            "update connectors.load set state = %s, holds = %s, settled_at = %s where id = %s",
            (state, "absences" if state == "held" else "", now, load.id),
        )
        _void_older(connection, load)
    return state


def _settle_source(connection: psycopg.Connection, load: Load) -> None:
    connection.execute(
        "insert into connectors.source (name, snapshot_count, total_stamp) "
        "select %(source)s, count(*), %(stamp)s from connectors.snapshot where source = %(source)s "
        "on conflict (name) do update set snapshot_count = excluded.snapshot_count, "
        "total_stamp = greatest(connectors.source.total_stamp, excluded.total_stamp)",
        {"source": load.source, "stamp": load.stamp},
    )
    if load.holds != "absences":
        connection.execute("update connectors.source set missing = '{}' where name = %s", (load.source,))


def _void_older(connection: psycopg.Connection, load: Load) -> None:
    older = "source = %s and id < %s and state in ('opened', 'held')"
    connection.execute(
        f"delete from connectors.load_file where load in (select id from connectors.load where {older})",  # noqa: S608
        (load.source, load.id),
    )
    connection.execute(
        f"update connectors.load set state = 'void', holds = '', reason = 'load.superseded' where {older}",  # noqa: S608
        (load.source, load.id),
    )


_FORGET = """
with forgotten as (
    delete from connectors.snapshot where subject = any(%(subjects)s) returning source
), again as (
    update connectors.staged set verdict = 'added'
    where subject = any(%(subjects)s) and verdict = 'unchanged' and body <> ''
)
update connectors.source s set snapshot_count = s.snapshot_count - f.rows
from (select source, count(*) as rows from forgotten group by source) f where s.name = f.source
"""


def forget(pool: Pool, subjects: Iterable[str]) -> None:
    """What was published of these is said anew as soon as their sources say it: in the next total load, in one that is held,
    or in a record that has not changed. While no file is read."""
    with pool.connection() as connection:
        connection.execute(_FORGET, {"subjects": sorted(subjects)})
