"""A small master over a real PostgreSQL: its handler, and a way to say what a source says in one line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import psycopg_pool
import pytest

from mmd.domain.register import SourceRegister
from mmd.ingest.handler import IngestHandler
from mmd.store.hash import StateHash, state_hash
from mmd.store.reader import Reader
from streams.catalogue import (
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
)
from streams.clock import SetClock, Ticker
from streams.codec import Outgoing, RecordCodec
from streams.contracts.claims import Body, Claim, NumberReference, SourceRecord, is_unit
from streams.contracts.identifiers import Identifier, IdentifierType
from streams.contracts.testnumbers import test_number as published_number
from streams.database import open_pool
from streams.envelope import Message, new_event_id
from streams.hashing import id_subject, person_id_of, subject_of
from streams.keys import MemoryKeyRing
from streams.sealing import KeyClass, KeyRing

START = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
SUBJECT_SECRET = b"s" * 32
PERSON_SECRET = b"p" * 32
DIGEST_SECRET = b"d" * 32

NAVET_KINDS = (
    *("protection", "name", "birth", "registration", "registered-address", "special-address", "number-reference"),
    "custody",
)
HR_KINDS = ("employment", "agreed-name", "work-contact")
UNIT_KINDS = ("unit-node", "unit-structure", "unit-name")
REGISTERS = {
    "school": (SOURCE_ENROLMENT, ("enrolment", "placement")),
    "consultants": (SOURCE_CONSULTANCY, ("consultancy",)),
    "politicians": (SOURCE_MANDATE, ("mandate",)),
    "robots": (SOURCE_ROBOT, ("robot",)),
}
"""The registers of roles beside employment: topic and claim kinds."""
REGISTER = {
    "designations": [
        {"information_set": "population", "attribute": kind, "sources": ["navet"], "owner": "KS"}
        for kind in NAVET_KINDS
    ]
    + [{"information_set": "employment", "attribute": kind, "sources": ["hr"], "owner": "HR"} for kind in HR_KINDS]
    + [{"information_set": "organisation", "attribute": kind, "sources": ["org"], "owner": "KS"} for kind in UNIT_KINDS]
    + [
        {"information_set": "rulings", "attribute": kind, "sources": ["ruling"], "owner": "KS"}
        for kind in ("merge", "split", "protection-lift", "return", "death-reversal")
    ]
    + [
        {"information_set": kind, "attribute": kind, "sources": [source], "owner": "KS"}
        for kind, source in (
            *(("place", "places"), ("group", "groups"), ("group-members", "groups")),
            ("legal-organisation", "companies"),
        )
    ]
    + [{"information_set": "account", "attribute": "account", "sources": ["iam"], "owner": "IT"}]
    + [
        {"information_set": kind, "attribute": kind, "sources": [source], "owner": source}
        for source, (_, kinds) in REGISTERS.items()
        for kind in kinds
    ]
}


TOPIC_OF = {
    "hr": SOURCE_EMPLOYMENT,
    "iam": SOURCE_ACCOUNT,
    "places": SOURCE_PLACE,
    "groups": SOURCE_GROUP,
    "companies": SOURCE_ORGANISATION,
    "ruling": SOURCE_RULING,
} | {name: topic for name, (topic, _) in REGISTERS.items()}
"""Of other sources than these: the population register's."""


@dataclass
class Someone:
    """A person with one published test number."""

    identifier: Identifier

    @property
    def subject(self) -> str:
        return subject_of(SUBJECT_SECRET, self.identifier)

    @property
    def id(self) -> str:
        return person_id_of(PERSON_SECRET, self.subject)

    def refers(self, other: Someone, *, superseded: bool = False) -> NumberReference:
        return NumberReference(other.identifier, other.subject, superseded)


def someone(index: int) -> Someone:
    """The index-th of a row of published test numbers."""
    birth = dt.date(1980, 2, 1) + dt.timedelta(days=index)
    return Someone(Identifier(IdentifierType.PERSONNUMMER, published_number(birth, "female")))


@dataclass
class Master:
    """The parts of the master that ingest needs, over one database."""

    url: str
    keys: KeyRing = field(default_factory=MemoryKeyRing)
    clock: SetClock = field(default_factory=lambda: SetClock(START))
    size: int = 8
    name: str = "kallan"
    pool: psycopg_pool.ConnectionPool[psycopg.Connection] = field(init=False)

    def __post_init__(self) -> None:
        self.pool = open_pool(self.url, size=self.size, name=self.name)
        self.register = SourceRegister.from_data(REGISTER)
        self.codec = RecordCodec(self.keys, allowed=(KeyClass.INNER, KeyClass.ACCOUNT))
        self.account_codec = RecordCodec(self.keys, KeyClass.ACCOUNT)
        self.reader = Reader(self.pool, self.keys, PERSON_SECRET, DIGEST_SECRET)
        self.ingest = self.handler()
        self._offset = 0

    def handler(self, ticker: Ticker | None = None) -> IngestHandler:
        given = (self.pool, self.codec, self.keys, self.register, PERSON_SECRET, DIGEST_SECRET, self.clock)
        return IngestHandler(*given, ticker=ticker)

    def record(
        self,
        who: Someone | str,
        version: str,
        *claims: Body | Claim,
        source: str = "navet",
        key: str = "",
        at: dt.datetime | None = None,
        event: str = "",
        topic: str = "",
    ) -> Message:
        """A message of a source about someone, or about a unit (its key)."""
        subject = who if isinstance(who, str) else who.subject
        topic = topic or (SOURCE_ORGANISATION if is_unit(subject) else TOPIC_OF.get(source, SOURCE_PERSON))
        record = SourceRecord(
            source,
            key or subject,
            version,
            subject,
            tuple(one if isinstance(one, Claim) else Claim(one) for one in claims),
            None if isinstance(who, str) else who.identifier,
        )
        codec = self.account_codec if topic == "source.account.v1" else self.codec
        made = codec.encode([Outgoing(topic, record, event or new_event_id(), at or self.clock.now())])[0]
        self._offset += 1
        return Message(made.topic, made.key, made.value, made.headers, 0, self._offset)

    def account(self, person_id: str, version: str, *claims: Body) -> Message:
        return self.record(id_subject(person_id), version, *claims, source="iam", topic="source.account.v1")

    def hash(self) -> StateHash:
        return state_hash(self.pool, self.keys)

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.pool.connection() as connection:
            return connection.execute(statement, values or None).fetchall()

    def close(self) -> None:
        self.pool.close()


@pytest.fixture
def new_master(new_database: Callable[[], str]) -> Iterator[Callable[..., Master]]:
    """Makes masters over fresh databases."""
    made: list[Master] = []

    def make(**given: Any) -> Master:
        made.append(Master(given.pop("url", None) or new_database(), **given))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def master(new_master: Callable[..., Master]) -> Master:
    return new_master()


@pytest.fixture
def persons() -> Callable[[int], Someone]:
    return someone
