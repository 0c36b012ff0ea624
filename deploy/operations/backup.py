"""Backup and restore: the stores in one file, the data keys in another that is kept apart, and where every consumer stood.

Order matters. Offsets first: what was committed before the dump is in it. The stores before the keys: every key that a
dumped row was sealed with is then in the file of keys. docs/operations.md says what a restore can and cannot bring back.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict

from deploy.embedded.postgres import find_installation
from deploy.operations.schema import Schema
from streams.brake import Flow, HeldFlows
from streams.contracts.errors import KallanError, Rejected, Unavailable
from streams.database import open_pool
from streams.log_texts import cleaned
from streams.offsets import Offsets

STORES = ("mmd", "iam", "connectors")
KEYS = ("streams",)
STORE_FILE, KEYS_FILE, ABOUT_FILE = "stores.dump", "keys.dump", "backup.json"

RESTORED = Flow("every topic", "restore")
EXECUTE = "execute"
"""After a restore execution is held: what the store says of accounts is older than what is true."""

_VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}
AFTER = """
update mmd.epoch set number = greatest(number + 1, extract(epoch from clock_timestamp())::bigint);
update mmd.document set touched = pg_current_xact_id();
insert into mmd.dirty (document, lane, number, cause, caused_at)
    select id, 'bulk', number, 'restore', clock_timestamp() from mmd.document on conflict do nothing;
update mmd.feed_release set last = last + 1000000000, horizon = '0';
delete from mmd.lease;
delete from iam.relay_lease;
update iam.work set owner = null, until = null, attempt = null;
update iam.observed set status = 'unknown' where status = 'known';
"""
"""A new epoch, so that documents count as newer than any that was published after the backup, and all of them published
again; places in the feeds above all that readers were ever given; and every account read back before it is touched."""


@dataclass(frozen=True, slots=True)
class About:
    """What a backup says of itself. `at`: when the dump began, by the database's clock (ISO 8601)."""

    at: str
    version: str
    revisions: Mapping[str, str]
    offsets: Offsets


def back_up(
    folder: Path,
    keys_folder: Path,
    store_url: str,
    keys_url: str,
    version: str,
    schemas: Sequence[Schema],
    offsets: Offsets,
) -> About:
    """Write a new backup; `offsets` were read before. Folders are made; a file that is there already is an error.

    Raises `Rejected("input.invalid")` for a folder that holds a backup, `Unavailable` where `pg_dump` fails.
    """
    for file in (folder / STORE_FILE, keys_folder / KEYS_FILE):
        if file.exists():
            raise Rejected("input.invalid", f"{file.name} is there already")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.parent.chmod(0o700)
    with psycopg.connect(store_url) as connection:
        row = connection.execute("select clock_timestamp()").fetchone()
    dump_schemas(store_url, STORES, folder / STORE_FILE)
    dump_schemas(keys_url, KEYS, keys_folder / KEYS_FILE, without=("streams.worker",))
    revisions = {one.package: one.database for one in schemas}
    about = About(row[0].isoformat() if row else "", version, revisions, offsets)
    (folder / ABOUT_FILE).write_text(json.dumps(msgspec.to_builtins(about), indent=1) + "\n", encoding="utf-8")
    return about


def read_about(folder: Path) -> About:
    """Raises `Rejected("input.invalid")` where the folder holds no whole backup."""
    try:
        return msgspec.json.decode((folder / ABOUT_FILE).read_bytes(), type=About)
    except (OSError, msgspec.DecodeError):
        raise Rejected("input.invalid", f"{ABOUT_FILE}: no backup is here") from None


def restore(folder: Path, keys_folder: Path, store_url: str, keys_url: str) -> bool:
    """Into a database without our schemas. Keys that are there already stay: they are newer than those of any backup; True:
    those of the backup were needed. Execution is held until `finish`.

    Raises `Rejected("input.invalid")` where stores are there already, and `Unavailable` where `pg_restore` fails.
    """
    read_about(folder)
    there = schemas_in(store_url, STORES)
    if there:
        raise Rejected("input.invalid", f"the database holds {', '.join(there)} already")
    needs_keys = not schemas_in(keys_url, KEYS)
    if needs_keys:
        load_schemas(keys_url, keys_folder / KEYS_FILE)
    pool = open_pool(keys_url, size=1)
    try:
        HeldFlows(pool).hold(EXECUTE, RESTORED, "store.restored", 0)
    finally:
        pool.close()
    load_schemas(store_url, folder / STORE_FILE)
    with psycopg.connect(store_url) as connection:
        connection.execute(AFTER)
    return needs_keys


def schemas_in(url: str, names: Sequence[str]) -> list[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("select nspname from pg_namespace where nspname = any(%s) order by 1", [list(names)])
        return [str(row[0]) for row in rows.fetchall()]


def dump_schemas(url: str, schemas: Sequence[str], file: Path, without: Sequence[str] = ()) -> None:
    chosen = [f"--schema={name}" for name in schemas] + [f"--exclude-table-data={name}" for name in without]
    partial = file.with_suffix(".part")
    _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", *chosen, f"--file={partial}")
    partial.chmod(0o600)
    partial.rename(file)


def load_schemas(url: str, file: Path) -> None:
    if not file.is_file():
        raise Rejected("input.invalid", f"{file.name} is not there")
    database = conninfo_to_dict(url).get("dbname") or "kallan"
    _run("pg_restore", url, "--no-owner", "--no-privileges", "--single-transaction", f"--dbname={database}", str(file))


def _run(program: str, url: str, *arguments: str) -> None:
    """The connection goes by variables: a command line is seen by everybody on the machine. Of what the program says only
    the first line is told, without what it quotes."""
    named = conninfo_to_dict(url)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment |= {_VARIABLES[name]: str(value) for name, value in named.items() if name in _VARIABLES and value}
    done = subprocess.run([_tool(program), *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = next((line for line in done.stderr.splitlines() if "error" in line), "")
        raise Unavailable("service.unavailable", f"{program}: {cleaned(said.partition('DETAIL')[0])[:150]}")


def _tool(program: str) -> Path:
    """The embedded server's own, or those on PATH. It must not be older than the server."""
    try:
        found = find_installation().bin / program
    except Unavailable:
        found = Path()
    if os.access(found, os.X_OK) and found.is_file():
        return found
    on_path = shutil.which(program)
    if on_path is None:
        raise KallanError("service.unavailable", f"{program} is not installed (PostgreSQL's client programs)")
    return Path(on_path)
