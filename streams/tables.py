"""The tables of schema `streams` as SQLModel classes, for ordinary reads. The migrations make them; a test compares."""

import datetime as dt
from typing import ClassVar

from sqlalchemy import BigInteger, Column, DateTime, Identity, LargeBinary, MetaData
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
    """Whoever is here never gets a key again."""

    __tablename__ = "erased_owner"

    owner: str = Field(primary_key=True)
    erased_at: dt.datetime = Field(sa_column=_instant())


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
