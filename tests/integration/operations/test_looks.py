"""What counts as work that could be done now, and what waits for somebody else."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.operations import looks
from deploy.settings import Settings
from deploy.wiring.base import Base

SOON, PAST = "now() + interval '1 hour'", "now() - interval '1 minute'"


@pytest.fixture
def base(database_url: str, tmp_path: Path) -> Iterator[Base]:
    settings = Settings.model_validate({"database_url": database_url, "secrets": tmp_path, "demo": True})
    made = Base(settings, "relay")
    yield made
    made.close()


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def dirty(connection: psycopg.Connection, document: str, lane: str, since: str) -> None:
    connection.execute(
        f"insert into mmd.dirty (document, lane, number, cause, caused_at, since)"
        f" values ('{document}', '{lane}', 1, 'e', now(), {since})".encode()
    )


def work(connection: psycopg.Connection, more: str = "", values: str = "", target: str = "directory") -> str:
    account = str(uuid.uuid4())
    connection.execute(
        f"insert into iam.work (account, target, lane, rank, version, queued_at{more or ', ready_at'})"
        f" values ('{account}', '{target}', 'update', 3, 1, {PAST}{values or ', ' + PAST})".encode()
    )
    return account


def test_documents_that_are_put_off_wait_and_are_shown_and_are_no_work(
    base: Base, connection: psycopg.Connection
) -> None:
    dirty(connection, "a", "urgent", PAST)
    dirty(connection, "b", "bulk", PAST)
    dirty(connection, "c", "bulk", SOON)
    assert looks.documents(base)() == 2
    assert base.meter.value("kallan_dirty_documents", lane="bulk") == 2
    oldest = base.meter.value("kallan_dirty_oldest_seconds", lane="urgent")
    assert oldest is not None
    assert 60 <= oldest < 120


def test_documents_whose_day_has_come_are_work(base: Base, connection: psycopg.Connection) -> None:
    connection.execute(
        f"insert into mmd.document (id, kind, number, key_id, body, shown, said, next_change)"
        f" values ('a', 'unit', 1, '', '', '', '', {PAST}), ('b', 'unit', 1, '', '', '', '', {SOON})".encode()
    )
    assert looks.documents(base)() == 1
    assert base.meter.value("kallan_documents_due") == 1


def test_what_another_relay_is_at_is_not_this_ones_work(base: Base, connection: psycopg.Connection) -> None:
    dirty(connection, "a", "bulk", PAST)
    lease = (
        "insert into mmd.lease (name, owner, until, busy_until) values ('relay', %s, now() + interval '1 hour', now())"
    )
    connection.execute(lease, ["relay@other:1"])
    assert looks.documents(base)() == 0
    assert base.meter.value("kallan_dirty_documents", lane="bulk") == 1
    connection.execute("update mmd.lease set until = now() - interval '1 second'")
    assert looks.documents(base)() == 1
    connection.execute("update mmd.lease set owner = %s, until = now() + interval '1 hour'", [base.owner])
    assert looks.documents(base)() == 1


def test_persons_are_due_by_the_business_clock(base: Base, connection: psycopg.Connection) -> None:
    connection.execute(f"insert into iam.due (person, at, priority) values ('a', {PAST}, 1), ('b', {SOON}, 1)".encode())
    assert looks.persons(base)() == 1
    oldest = base.meter.value("kallan_persons_due_oldest_seconds")
    assert oldest is not None
    assert 60 <= oldest < 120


def test_a_change_that_could_be_made_now_is_work(base: Base, connection: psycopg.Connection) -> None:
    work(connection)
    work(connection, target="collaboration")
    assert looks.operations(base, "directory")() == 1


@pytest.mark.parametrize(
    ("columns", "values"),
    [
        (", ready_at", f", {SOON}"),
        (", ready_at, owner, until, attempt", f", {PAST}, 'execute@other:1', {SOON}, 7"),
    ],
    ids=["waits for its next try", "somebody is at it"],
)
def test_a_change_that_waits_for_its_time_or_is_taken_is_no_work(
    base: Base, connection: psycopg.Connection, columns: str, values: str
) -> None:
    work(connection, columns, values)
    assert looks.operations(base, "directory")() == 0


def test_a_change_for_a_target_that_is_away_is_no_work(base: Base, connection: psycopg.Connection) -> None:
    work(connection)
    connection.execute("insert into iam.target_away (target) values ('directory')")
    assert looks.operations(base, "directory")() == 0


def test_a_change_whose_account_facts_are_not_told_yet_is_work_of_the_account_relay(
    base: Base, connection: psycopg.Connection
) -> None:
    account = work(connection)
    connection.execute(
        "insert into iam.outbox (event_id, account, person_id, kind, facts, created_at)"
        f" values ('e', %s, 'p', 'allocated', '', {PAST})".encode(),
        [account],
    )
    assert looks.operations(base, "directory")() == 0
    assert looks.account_facts(base)() == 1
    assert base.meter.value("kallan_account_facts") == 1
    connection.execute("update iam.outbox set delivered_at = now()")
    assert looks.operations(base, "directory")() == 1
    assert looks.account_facts(base)() == 0


def test_what_another_account_relay_is_at_is_not_this_ones_work(base: Base, connection: psycopg.Connection) -> None:
    connection.execute(
        "insert into iam.outbox (event_id, account, person_id, kind, facts, created_at)"
        f" values ('e', gen_random_uuid(), 'p', 'allocated', '', {PAST})".encode()
    )
    connection.execute(
        "insert into iam.relay_lease (name, owner, until) values ('account', 'execute@other:1', now() + interval '1 hour')"
    )
    assert looks.account_facts(base)() == 0
    assert base.meter.value("kallan_account_facts") == 1
