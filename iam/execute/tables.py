"""Execution's own tables of schema `iam`, as SQLModel classes. The queue is filled by a trigger on `iam.desired`."""

import datetime as dt
import uuid

from sqlalchemy import BigInteger, Column, DateTime, SmallInteger
from sqlmodel import Field

from iam.store.tables import IamTable


class WorkRow(IamTable, table=True):
    """One (account, target) whose desired version is not known to be carried out, with the lease of its worker.

    `rank` orders lanes (0 first), `queued_at` orders within a lane, `ready_at` is when it may be tried next. Owner,
    `until` and `attempt` are the lease; `attempt` is unique in the whole database. All instants are real time, UTC.
    """

    __tablename__ = "work"
    account: uuid.UUID = Field(primary_key=True)
    target: str = Field(primary_key=True)
    lane: str
    rank: int = Field(sa_column=Column(SmallInteger, nullable=False))
    version: int = Field(sa_column=Column(BigInteger, nullable=False))
    queued_at: dt.datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    ready_at: dt.datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    owner: str | None
    until: dt.datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
    attempt: int | None = Field(sa_column=Column(BigInteger))


class ReferenceWait(IamTable, table=True):
    """The account is as desired but for its reference (manager) to another account that the target does not have yet.
    When that one is made, this one becomes work again; until then it is left alone."""

    __tablename__ = "reference_wait"
    account: uuid.UUID = Field(primary_key=True)
    target: str = Field(primary_key=True)
    refers_to: uuid.UUID


class TargetAway(IamTable, table=True):
    """The target does not answer (real time, UTC): its work waits for it. The row is gone when it answers again."""

    __tablename__ = "target_away"
    target: str = Field(primary_key=True)
    since: dt.datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class RelayLease(IamTable, table=True):
    """Who publishes the outbox, until when."""

    __tablename__ = "relay_lease"
    name: str = Field(primary_key=True)
    owner: str
    until: dt.datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
