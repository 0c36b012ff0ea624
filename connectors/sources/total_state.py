"""SQL of total loads (SM8): opened, staged, compared, published. One transaction a call; committing: `snapshot`."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from connectors.sources.posts import Header
from connectors.sources.state import Pool

ABSENCES_ONLY = "only-absences"
_STAMP_LENGTH = 14


@dataclass(frozen=True, slots=True)
class Load:
    """A row of connectors.load."""

    id: int
    source: str
    series: str
    state: str
    holds: str
    reason: str
    stamp: str
    files: int
    declared: int | None
    found: int
    rejected: int
    unnamed: int
    added: int
    changed: int
    absent: int
    unchanged: int
    opened_at: dt.datetime
    settled_at: dt.datetime | None
    decided_by: str
    decided_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Staged:
    """`body` is empty for a rejected record: its source still has it."""

    position: int
    source_key: str
    version: str
    subject: str
    kinds: tuple[str, ...]
    digest: str
    key_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Difference:
    added: int
    changed: int
    absent: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Gone:
    """A source key that a total load no longer has, with the claim kinds that were published of it."""

    source_key: str
    subject: str
    kinds: tuple[str, ...]


def find_load(pool: Pool, load_id: int) -> Load | None:
    return next(iter(_loads(pool, "where id = %s", (load_id,))), None)


def loads(pool: Pool, source: str | None = None) -> list[Load]:
    """Newest first."""
    if source is None:
        return _loads(pool, "order by id desc", ())
    return _loads(pool, "where source = %s order by id desc", (source,))


def unfinished(pool: Pool, source: str) -> list[Load]:
    """What a crash left behind, oldest first."""
    return _loads(pool, "where source = %s and state in ('publishing', 'published') order by id", (source,))


def _loads(pool: Pool, condition: str, values: tuple[object, ...]) -> list[Load]:
    columns = ", ".join(Load.__slots__)
    with pool.connection() as connection, connection.cursor(row_factory=class_row(Load)) as cursor:
        cursor.execute(f"select {columns} from connectors.load {condition}", values)  # noqa: S608  (own text only)
        return cursor.fetchall()


def open_file(pool: Pool, source: str, header: Header, now: dt.datetime) -> int:
    """The load that this file belongs to, with room for it; a file that is sent again takes its old place."""
    with pool.connection() as connection:
        row = connection.execute(
            "select id from connectors.load where source = %s and series = %s and state = 'opened' and files = %s "
            "order by id desc limit 1",
            (source, header.series, header.files),
        ).fetchone()
        if row is None:
            row = connection.execute(
                "insert into connectors.load (source, series, state, files, declared, stamp, opened_at) "
                "values (%s, %s, 'opened', %s, %s, %s, %s) returning id",
                (source, header.series, header.files, header.declared_total, header.stamp, now),
            ).fetchone()
        load_id = one_of(row)
        connection.execute("delete from connectors.load_file where load = %s and number = %s", (load_id, header.file))
        connection.execute(
            "insert into connectors.load_file (load, number, declared) values (%s, %s, %s)",
            (load_id, header.file, header.declared),
        )
    return load_id


def stage(pool: Pool, load_id: int, file: int, rows: Sequence[Staged]) -> None:
    with (
        pool.connection() as connection,
        connection.cursor() as cursor,
        cursor.copy(
            "copy connectors.staged (load, file, position, source_key, version, subject, kinds, digest, key_id, body) "
            "from stdin"
        ) as copy,
    ):
        for r in rows:
            copy.write_row(
                (
                    load_id,
                    file,
                    r.position,
                    r.source_key,
                    r.version,
                    r.subject,
                    list(r.kinds),
                    r.digest,
                    r.key_id,
                    r.body,
                )
            )


def close_file(pool: Pool, load_id: int, file: int, found: int, rejected: int, unnamed: int) -> None:
    """The file has been read to its end; the load's counts are those of its files."""
    with pool.connection() as connection:
        connection.execute(
            "update connectors.load_file set complete = true, found = %s, rejected = %s, unnamed = %s "
            "where load = %s and number = %s",
            (found, rejected, unnamed, load_id, file),
        )
        connection.execute(
            "update connectors.load l set found = f.found, rejected = f.rejected, unnamed = f.unnamed from "
            "(select coalesce(sum(found), 0) as found, coalesce(sum(rejected), 0) as rejected, "
            "coalesce(sum(unnamed), 0) as unnamed from connectors.load_file where load = %s and complete) f "
            "where l.id = %s",
            (load_id, load_id),
        )


def incomplete_files(pool: Pool, load: Load) -> tuple[int, int]:
    """How many files have not come, and how many hold another number of posts than they declare."""
    with pool.connection() as connection:
        row = connection.execute(
            "select count(*) filter (where complete), count(*) filter (where complete and declared <> found) "
            "from connectors.load_file where load = %s",
            (load.id,),
        ).fetchone()
    come, wrong = row if row is not None else (0, 0)
    return load.files - come, wrong


def committed_before(pool: Pool, source: str) -> bool:
    with pool.connection() as connection:
        row = connection.execute(
            "select exists (select from connectors.load where source = %s "
            "and (state = 'committed' or (state = 'held' and holds = 'absences')))",
            (source,),
        ).fetchone()
    return bool(one_of(row))


def snapshot_size(pool: Pool, source: str) -> int:
    with pool.connection() as connection:
        return int(
            one_of(
                connection.execute("select count(*) from connectors.snapshot where source = %s", (source,)).fetchone()
            )
        )


STAGED_KEYS = """
staged as (
    select source_key, string_agg(digest, ',' order by version, file, position) as digest, max(version) as version,
           bool_and(body = '') as rejected
    from connectors.staged where load = %(load)s group by source_key
)
"""
_JUDGE = f"""
with {STAGED_KEYS}, judged as (
    select k.source_key, case
        when k.rejected then 'unchanged'
        when s.source_key is null then 'added'
        when s.digest <> k.digest then 'changed'
        when %(own_versions)s and left(k.version, {_STAMP_LENGTH}) > left(s.version, {_STAMP_LENGTH}) then 'changed'
        else 'unchanged' end as verdict
    from staged k left join connectors.snapshot s on s.source = %(source)s and s.source_key = k.source_key
)
update connectors.staged r set verdict = j.verdict from judged j
where r.load = %(load)s and r.source_key = j.source_key and r.verdict <> j.verdict
"""  # noqa: S608
_COUNT = f"""
select count(distinct source_key) filter (where verdict = 'added'),
       count(distinct source_key) filter (where verdict = 'changed'),
       count(distinct source_key) filter (where verdict = 'unchanged'),
       max(left(version, {_STAMP_LENGTH})), max(version)
from connectors.staged where load = %(load)s
"""  # noqa: S608
GONE = """
from connectors.snapshot s
where s.source = %(source)s and left(s.version, length(%(stamp)s)) < %(stamp)s and s.load <> %(load)s
  and not exists (select from connectors.staged k where k.load = %(load)s and k.source_key = s.source_key)
"""


def compare(pool: Pool, load: Load, *, own_versions: bool) -> tuple[Difference, str]:
    """How the load differs from the snapshot, and its stamp: its header's, or its newest post's if that is later."""
    values = {"load": load.id, "source": load.source, "own_versions": own_versions}
    with pool.connection() as connection:
        connection.execute("analyze connectors.staged, connectors.snapshot")
        connection.execute(_JUDGE, values)
        row = connection.execute(_COUNT, values).fetchone()
        added, changed, unchanged, own, newest = row if row is not None else (0, 0, 0, "", "")
        stamp = max(load.stamp, (own if own_versions else newest) or "")
        gone = one_of(connection.execute(f"select count(*) {GONE}", values | {"stamp": stamp}).fetchone())  # noqa: S608
    return Difference(added, changed, int(gone), unchanged), stamp


def set_state(
    pool: Pool,
    load_id: int,
    state: str,
    *,
    holds: str,
    reason: str = "",
    stamp: str | None = None,
    difference: Difference | None = None,
    now: dt.datetime,
) -> None:
    d = difference
    with pool.connection() as connection:
        connection.execute(
            "update connectors.load set state = %s, holds = %s, reason = %s, stamp = coalesce(%s, stamp), "
            "added = coalesce(%s, added), changed = coalesce(%s, changed), absent = coalesce(%s, absent), "
            "unchanged = coalesce(%s, unchanged), settled_at = %s where id = %s",
            (
                *(state, holds, reason, stamp),
                *((None,) * 4 if d is None else (d.added, d.changed, d.absent, d.unchanged)),
                *(now, load_id),
            ),
        )
        if state in ("aborted", "void"):
            connection.execute("delete from connectors.load_file where load = %s", (load_id,))


def decide(pool: Pool, load_id: int, who: str, now: dt.datetime) -> None:
    with pool.connection() as connection:
        connection.execute(
            "update connectors.load set decided_by = %s, decided_at = %s where id = %s", (who, now, load_id)
        )


def changed_records(pool: Pool, load: Load, *, size: int) -> Iterator[list[tuple[Staged, bool]]]:
    """The staged records of changed keys in the order they were read, each with whether its key was known before."""
    after = (0, 0)
    while True:
        with pool.connection() as connection:
            rows = connection.execute(
                "select file, position, source_key, version, subject, kinds, digest, key_id, body, verdict = 'changed' "
                "from connectors.staged where load = %s and verdict in ('added', 'changed') and body <> '' "
                "and (file, position) > (%s, %s) order by file, position limit %s",
                (load.id, *after, size),
            ).fetchall()
        if not rows:
            return
        after = (rows[-1][0], rows[-1][1])
        yield [(Staged(r[1], r[2], r[3], r[4], tuple(r[5]), r[6], r[7], bytes(r[8])), r[9]) for r in rows]


def gone(pool: Pool, load: Load, *, size: int) -> Iterator[list[Gone]]:
    """The keys that the load no longer has, by key. A key with a newer version than the load's stamp is not gone."""
    query = (
        f"select s.source_key, s.subject, s.kinds {GONE} and s.source_key > %(after)s "  # noqa: S608
        "order by s.source_key limit %(size)s"
    )
    values = {"load": load.id, "source": load.source, "stamp": load.stamp, "size": size}
    after = ""
    while True:
        with pool.connection() as connection:
            rows = connection.execute(query, values | {"after": after}).fetchall()
        if not rows:
            return
        after = rows[-1][0]
        yield [Gone(key, subject, tuple(kinds)) for key, subject, kinds in rows]


def one_of(row: tuple[int, ...] | None) -> int:
    """The first column of a row that must be there."""
    if row is None:
        raise psycopg.DataError("a row was expected")
    return row[0]
