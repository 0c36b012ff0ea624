"""The tables of schema `streams` as SQLModel classes, for ordinary reads. The migrations make them; a test compares."""

import datetime as dt
from typing import ClassVar

from sqlalchemy import BigInteger, Column, DateTime, Identity, LargeBinary, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

METADATA = MetaData(schema="streams")


class _Table(SQLModel):
    metadata: ClassVar[MetaData] = METADATA


def _instant(*, nullable: bool = False) -> Column[dt.datetime]:
    return Column(DateTime(timezone=True), nullable=nullable)


class DataKeyRow(_Table, table=True):
    """A wrapped data key, or that there was one (`wrapped` is null for a destroyed key)."""

    __tablename__ = "data_key"

    key_class: str = Field(primary_key=True)
    owner: str = Field(primary_key=True)
    generation: int = Field(primary_key=True)
    state: str
    wrapped: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    created_at: dt.datetime = Field(sa_column=_instant())
    ended_at: dt.datetime | None = Field(default=None, sa_column=_instant(nullable=True))


class ErasedOwnerRow(_Table, table=True):
    """Whoever is here gets no key."""

    __tablename__ = "erased_owner"

    owner: str = Field(primary_key=True)
    erased_at: dt.datetime = Field(sa_column=_instant())


class ErasureRow(_Table, table=True):
    """One person that was erased by one decision. `names`: kind, keyed digest and account of each name that was given;
    `heads`: what the newest word of each source was about the person, by hashes; `owners`: whose keys were destroyed, and
    `numbers` the subjects of the person's numbers among them; `ended_by`: the decision of the return that ended it."""

    __tablename__ = "erasure"

    decision: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    asked_by: str
    approved_by: str
    names: list[list[str]] = Field(sa_column=Column(JSONB, nullable=False))
    heads: list[list[str]] = Field(sa_column=Column(JSONB, nullable=False))
    at: dt.datetime = Field(sa_column=_instant())
    owners: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    numbers: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    marking: str | None = None
    ended_by: str | None = None


class ReturnedRow(_Table, table=True):
    """One person that came back after an erasure by one decision: who may have keys again, with which marking."""

    __tablename__ = "returned"

    decision: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    reason: str
    asked_by: str
    approved_by: str
    owners: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    numbers: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    marking: str
    at: dt.datetime = Field(sa_column=_instant())


class ClockRow(_Table, table=True):
    """Business time; at most one row."""

    __tablename__ = "clock"

    one: bool = Field(default=True, primary_key=True)
    instant: dt.datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    running: bool = False
    set_at: dt.datetime = Field(sa_column=_instant())


class DeadLetterRow(_Table, table=True):
    """A pointer to a record that failed in one consumer group."""

    __tablename__ = "dead_letter"

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    consumer_group: str
    topic: str
    partition: int
    offset: int = Field(sa_column=Column(BigInteger, nullable=False))
    code: str
    detail: str = ""
    state: str = "open"
    attempts: int = 1
    first_seen: dt.datetime = Field(sa_column=_instant())
    last_seen: dt.datetime = Field(sa_column=_instant())
    closed_at: dt.datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    closed_by: str = ""


class WorkerRow(_Table, table=True):
    """A worker process as it last told of itself, all in real time. `moved_at`: when work last moved; `code`: why it is
    not ready, empty: it is; `metrics`: the address of its figures."""

    __tablename__ = "worker"

    owner: str = Field(primary_key=True)
    name: str
    started_at: dt.datetime = Field(sa_column=_instant())
    seen_at: dt.datetime = Field(sa_column=_instant())
    moved_at: dt.datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    code: str = ""
    detail: str = ""
    metrics: str = ""


class BrakeRow(_Table, table=True):
    """The brake holds what a source says in a topic, for one consumer group: so many records in a row failed, the last
    with this code. They and what follows are in the log, uncommitted."""

    __tablename__ = "brake"

    consumer_group: str = Field(primary_key=True)
    topic: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    code: str
    failures: int
    since: dt.datetime = Field(sa_column=_instant())
