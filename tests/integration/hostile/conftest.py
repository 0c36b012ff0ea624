"""The real handlers over one database for all bad records: each has numbers of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping

import psycopg
import psycopg_pool
import pytest
from psycopg import sql

from streams.catalogue import (
    MMD_ORGANISATION,
    MMD_PERSON,
    MMD_URGENT,
    PUBLISHED_SCHEMA,
    SOURCE_ACCOUNT,
    SOURCE_CONSULTANCY,
    SOURCE_EMPLOYMENT,
    SOURCE_ENROLMENT,
    SOURCE_GROUP,
    SOURCE_MANDATE,
    SOURCE_ORGANISATION,
    SOURCE_PERSON,
    SOURCE_PLACE,
    SOURCE_ROBOT,
    SOURCE_RULING,
    SOURCE_URGENT,
)
from streams.database import open_pool
from streams.hashing import id_subject
from streams.keys import MemoryKeyRing
from streams.sealing import KeyClass
from tests.integration.hostile import doors
from tests.integration.hostile.doors import Door
from tests.integration.iam_evaluate.conftest import Iam
from tests.integration.mmd.conftest import Master

Pool = psycopg_pool.ConnectionPool[psycopg.Connection]


@pytest.fixture(scope="module")
def one_database(postgres_url: str, migrated_template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        template = sql.Identifier(migrated_template)
        admin.execute(sql.SQL("create database {} template {}").format(sql.Identifier(name), template))
        yield f"{postgres_url.rpartition('/')[0]}/{name}"
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def pool(one_database: str) -> Iterator[Pool]:
    with open_pool(one_database, size=4) as found:
        yield found


@pytest.fixture(scope="module")
def every_door(one_database: str, pool: Pool) -> Iterator[Mapping[str, Door]]:
    keys = MemoryKeyRing()
    master = Master(one_database, keys, size=4)
    iam = Iam(pool, keys)
    source = {
        SOURCE_PERSON: (doors.person_post, doors.subject, KeyClass.INNER),
        SOURCE_EMPLOYMENT: (doors.employment, doors.subject, KeyClass.INNER),
        **{
            topic: (doors.role(kind), doors.subject, KeyClass.INNER)
            for topic, kind in (
                (SOURCE_ENROLMENT, "enrolment"),
                (SOURCE_MANDATE, "mandate"),
                (SOURCE_CONSULTANCY, "consultancy"),
                (SOURCE_ROBOT, "robot"),
            )
        },
        SOURCE_URGENT: (doors.raised, doors.subject, KeyClass.INNER),
        SOURCE_ACCOUNT: (doors.account, lambda n: id_subject(doors.document(n)), KeyClass.ACCOUNT),
        SOURCE_RULING: (doors.ruling, doors.subject, KeyClass.INNER),
        SOURCE_PLACE: (doors.place_record, doors.place, KeyClass.INNER),
        SOURCE_GROUP: (doors.group_record, doors.group, KeyClass.INNER),
        SOURCE_ORGANISATION: (doors.unit_record, doors.unit, None),
    }
    published = {
        MMD_PERSON: (doors.person_document, doors.document, KeyClass.OUTER),
        MMD_URGENT: (doors.person_document, doors.document, KeyClass.OUTER),
        MMD_ORGANISATION: (doors.unit_document, doors.unit, None),
    }
    found = {topic: Door(topic, master.ingest, keys, *given, "mmd.claim:subject") for topic, given in source.items()}
    for topic, given in published.items():
        table = "iam.world_unit:id" if topic == MMD_ORGANISATION else "iam.world_person:id"
        found[topic] = Door(topic, iam.handler, keys, *given, table, PUBLISHED_SCHEMA)
    yield found
    master.close()


def taken_in(pool: Pool, door: Door, number: int) -> bool:
    """Whether the handler has stored what the n-th record of the door says."""
    table, _, column = door.table.partition(":")
    with pool.connection() as connection:
        row = connection.execute(
            f"select 1 from {table} where {column} = %s".encode(), [door.key_of(number)]
        ).fetchone()
    return row is not None
