"""What execution writes down: the observed row, and the journal. Names of attributes and groups, never a value."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from iam.domain.account import Presence
from iam.execute.metrics import Outcome
from iam.execute.queue import Connection, Taken

DIFFERS = "target.differs"
"""The error code of a target that said yes and reads back something else."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was read back, as `iam.observed` keeps it. `version` is the desired version that it equals, 0 for none."""

    presence: Presence
    digest: str
    version: int
    groups: Sequence[str]
    native_id: str = ""
    target_version: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the journal about an attempt; `duration` in seconds."""

    kind: str
    outcome: Outcome | None = None
    attributes: Sequence[str] = ()
    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    groups: Sequence[str] = ()
    presence: str = ""
    digest_before: str = ""
    digest_after: str = ""
    error_code: str = ""
    duration: float | None = None


def completed(entry: Entry, outcome: Outcome, found: Read, groups: Sequence[str], digest_before: str) -> Entry:
    """The entry with what was read back; `groups` are the names that may stand in the journal."""
    return replace(
        entry,
        outcome=outcome,
        presence=found.presence.value,
        groups=groups,
        digest_before=digest_before,
        digest_after=found.digest,
        error_code=DIFFERS if outcome is Outcome.DIFFERS else "",
    )


_UNKNOWN = """
insert into iam.observed as o (account, target, status, attempt)
values (%(account)s, %(target)s, 'unknown', %(attempt)s)
on conflict (account, target) do update set status = 'unknown', attempt = excluded.attempt
"""

# Another attempt than the late one is the last that was begun: nobody knows whose write landed last.
_DOUBT = """
update iam.observed set status = 'unknown', attempt = nextval('iam.attempt')
where account = %(account)s and target = %(target)s and attempt <> %(attempt)s
"""

_KNOWN = """
insert into iam.observed as o (account, target, status, attempt, digest, presence, version, groups, native_id,
                               target_version, read_at, next_try_at, failures, error_code)
values (%(account)s, %(target)s, 'known', %(attempt)s, %(digest)s, %(presence)s, %(version)s, %(groups)s, %(native_id)s,
        %(target_version)s, %(now)s, null, 0, '')
on conflict (account, target) do update set
    status = 'known', attempt = excluded.attempt, digest = excluded.digest, presence = excluded.presence,
    version = excluded.version, groups = excluded.groups, native_id = excluded.native_id,
    target_version = excluded.target_version, read_at = excluded.read_at, next_try_at = null, failures = 0,
    error_code = ''
where o.attempt <= excluded.attempt
"""

_SETTLED = """
insert into iam.observed as o (account, target, status, digest, version)
values (%(account)s, %(target)s, 'never', %(digest)s, %(version)s)
on conflict (account, target) do update set digest = excluded.digest, version = excluded.version, next_try_at = null,
    failures = 0, error_code = ''
where o.attempt <= %(attempt)s
"""

_FAILED = """
insert into iam.observed as o (account, target, failures, error_code, next_try_at)
values (%(account)s, %(target)s, %(failures)s, %(code)s, clock_timestamp() + make_interval(secs => %(delay)s))
on conflict (account, target) do update set
    failures = excluded.failures, error_code = excluded.error_code, next_try_at = excluded.next_try_at
"""

_JOURNAL = """
insert into iam.journal (at, kind, person_id, account, target, lane, attempt, desired_version, attributes, groups_added,
                         groups_removed, groups, presence, digest_before, digest_after, outcome, error_code,
                         duration_ms, cause, caused_at)
values (%(at)s, %(kind)s, %(person)s, %(account)s, %(target)s, %(lane)s, %(attempt)s, %(version)s, %(attributes)s,
        %(added)s, %(removed)s, %(groups)s, %(presence)s, %(before)s, %(after)s, %(outcome)s, %(code)s, %(ms)s,
        %(cause)s, %(caused_at)s)
"""


def unknown(connection: Connection, taken: Taken) -> None:
    """From here on nobody knows what the account is, until it has been read back."""
    key = {"account": taken.account, "target": taken.target, "attempt": taken.attempt}
    connection.execute(_UNKNOWN, key)


def doubt(connection: Connection, taken: Taken) -> bool:
    """A call ended after its lease was lost, and may have written after its successor. Whatever was read back since, or is
    about to be written down as read, does not count any more. False: nobody else has begun, and it is unknown anyhow."""
    key = {"account": taken.account, "target": taken.target, "attempt": taken.attempt}
    return connection.execute(_DOUBT, key).rowcount == 1


def known(connection: Connection, taken: Taken, read: Read, now: dt.datetime) -> bool:
    """Read back. `now` is business time. False: a late call came in between, see `doubt`; it is to be read again."""
    done = connection.execute(
        _KNOWN,
        {
            "account": taken.account,
            "target": taken.target,
            "attempt": taken.attempt,
            "digest": read.digest,
            "presence": read.presence.value,
            "version": read.version,
            "groups": list(read.groups),
            "native_id": read.native_id,
            "target_version": read.target_version,
            "now": now,
        },
    )
    return done.rowcount == 1


def settled(connection: Connection, taken: Taken) -> bool:
    """Nothing has to be asked for this version: what is known of the account stays as it is. False: as in `known`."""
    key = {"account": taken.account, "target": taken.target, "digest": taken.digest, "version": taken.version}
    return connection.execute(_SETTLED, {**key, "attempt": taken.attempt}).rowcount == 1


def failed(connection: Connection, taken: Taken, code: str, delay: float) -> None:
    """Why it is not done yet, and when it is tried again; what is known of the account stays as it is."""
    connection.execute(
        _FAILED,
        {
            "account": taken.account,
            "target": taken.target,
            "failures": taken.failures + 1,
            "code": code,
            "delay": delay,
        },
    )


def journal(connection: Connection, taken: Taken, entry: Entry, now: dt.datetime) -> None:
    """Append one row. `now` is business time; the real time is the row's own default."""
    connection.execute(
        _JOURNAL,
        {
            "at": now,
            "kind": entry.kind,
            "person": taken.person,
            "account": taken.account,
            "target": taken.target,
            "lane": taken.lane,
            "attempt": taken.attempt,
            "version": taken.version,
            "attributes": list(entry.attributes),
            "added": list(entry.added),
            "removed": list(entry.removed),
            "groups": list(entry.groups),
            "presence": entry.presence,
            "before": entry.digest_before,
            "after": entry.digest_after,
            "outcome": entry.outcome.value if entry.outcome else "",
            "code": entry.error_code,
            "ms": None if entry.duration is None else round(entry.duration * 1000),
            "cause": taken.cause,
            "caused_at": taken.caused_at,
        },
    )
