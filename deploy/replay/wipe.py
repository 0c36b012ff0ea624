"""Empties stores and targets between two scenarios of the live world. Workers keep running: they hold no state."""

from collections.abc import Mapping

import psycopg
import psycopg_pool

from connectors.targets.port import AccountState, Presence, Target

_TABLES = """
select format('%I.%I', schemaname, tablename) from pg_tables
where schemaname in ('mmd', 'iam', 'connectors') and tablename not in ('alembic_version', 'epoch', 'lease', 'relay_lease')
   or schemaname = 'streams' and tablename in ('brake', 'dead_letter', 'erasure', 'returned')
order by 1
"""


def wipe(pool: psycopg_pool.ConnectionPool[psycopg.Connection], targets: Mapping[str, Target]) -> None:
    """Delete every account and every row, and begin a new epoch so that nothing published before counts any more.

    Data keys stay: records on the log are opened by them; whoever is erased stays so for later scenarios. Only ever called
    on a stack that the replay itself started.
    """
    for target in targets.values():
        for observed in list(target.read_all()):
            target.ensure(AccountState(observed.state.key, Presence.ABSENT))
    with pool.connection() as connection:
        tables = [row[0] for row in connection.execute(_TABLES.encode()).fetchall()]
        connection.execute("alter table iam.journal disable trigger user")  # append-only to everybody but this
        connection.execute(f"truncate {', '.join(tables)} restart identity cascade".encode())
        connection.execute("alter table iam.journal enable trigger user")
        connection.execute("update mmd.epoch set number = number + 1")
