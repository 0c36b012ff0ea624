"""Accounts and the ledger of names: a name is given once, for ever, and its giving is an event before it is used."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import msgspec
from psycopg.types.json import Jsonb

from iam.domain import naming
from iam.domain.world import AccountKey, Given
from iam.store.world import Connection
from streams.contracts.claims import AccountFacts
from streams.contracts.errors import Rejected

_TRIES = 1000
_USED = """
select id::text from iam.account where id = any(%s::uuid[])
union
select account::text from iam.name_ledger where account = any(%s::uuid[]) and name like '#%%'
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """An account that is to be made under `id`. `uid`: the name that the master's document tells that it had (a rebuilt
    store), or empty. `personas`: whom it serves."""

    key: AccountKey
    personas: tuple[str, ...]
    id: str
    uid: str = ""


@dataclass(frozen=True, slots=True)
class AccountRow:
    key: AccountKey
    given: Given
    personas: tuple[str, ...]

    @property
    def retired(self) -> bool:
        """Whether it is from before its owner was erased: it is removed, and never used again."""
        return naming.is_retired(self.given.uid)


class Ledger:
    """Given the permanent secret of account names and the domain of ePPN."""

    def __init__(self, secret: bytes, name_domain: str) -> None:
        self._secret = secret
        self._domain = name_domain

    def accounts(self, connection: Connection, persons: Collection[str]) -> dict[str, list[AccountRow]]:
        """By person, the oldest first."""
        rows = connection.execute(
            """select a.id::text, a.person_id, a.employer, a.class, a.personas, coalesce(u.name, ''), coalesce(e.name, ''),
                      a.served, l.since
               from iam.account a
               left join iam.name_ledger u on u.account = a.id and u.kind = 'uid'
               left join iam.name_ledger e on e.account = a.id and e.kind = 'eppn'
               left join lateral iam.lives_on(case when a.first_person <> a.person_id then array[a.first_person] end) l
                   on true
               where a.person_id = any(%s) order by a.created_at, a.id""",
            [sorted(persons)],
        ).fetchall()
        found: dict[str, list[AccountRow]] = {}
        for account, person, employer, account_class, personas, uid, eppn, served, joined_at in rows:
            given = Given(account, uid, eppn, naming.digest_salt(self._secret, account), served, joined_at)
            row = AccountRow(AccountKey(person, employer, account_class), given, tuple(personas))
            found.setdefault(person, []).append(row)
        return found

    def allocate(self, connection: Connection, wishes: Sequence[Wish], now: dt.datetime) -> list[AccountRow]:
        """Make accounts and give them names: rows, ledger, the event in the outbox and the journal. An account that the
        ledger has names for gets those back."""
        if not wishes:
            return []
        number = _decision(connection)
        taken = self._insert(connection, wishes, now, number)
        given = self._give(connection, taken, now)
        made = [
            AccountRow(wish.key, replace(given[account], served=dict.fromkeys(wish.personas, number)), wish.personas)
            for account, wish in taken.items()
        ]
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into iam.journal (at, kind, person_id, account, attributes) values (%s, 'allocated', %s, %s, %s)",
                [(now, row.key.person, row.given.id, ["eppn", "uid"]) for row in made],
            )
        self._announce(connection, made, "allocated", now, "")
        return made

    def serve(self, connection: Connection, changed: Sequence[AccountRow], now: dt.datetime, moment: str) -> None:
        """The personas of these accounts changed. `moment` names the decision (document version and policy)."""
        if not changed:
            return
        number = _decision(connection)
        with connection.cursor() as cursor:
            cursor.executemany(
                "update iam.account set personas = %s, served = %s where id = %s",
                [
                    (list(r.personas), Jsonb({**dict.fromkeys(r.personas, number), **r.given.served}), r.given.id)
                    for r in changed
                ],
            )
        self._announce(connection, changed, "personas", now, moment)

    def _insert(self, connection: Connection, wishes: Sequence[Wish], now: dt.datetime, number: int) -> dict[str, Wish]:
        chosen = self._free_ids(connection, wishes)
        with connection.cursor() as cursor:
            cursor.executemany(
                """insert into iam.account (id, person_id, first_person, employer, class, personas, served, created_at)
                   values (%(id)s, %(person)s, %(person)s, %(employer)s, %(class)s, %(personas)s, %(served)s, %(now)s)""",
                [
                    {
                        "id": account,
                        "person": wish.key.person,
                        "employer": wish.key.employer,
                        "class": wish.key.account_class,
                        "personas": list(wish.personas),
                        "served": Jsonb(dict.fromkeys(wish.personas, number)),
                        "now": now,
                    }
                    for account, wish in sorted(chosen.items())
                ],
            )
        return chosen

    def _free_ids(self, connection: Connection, wishes: Sequence[Wish]) -> dict[str, Wish]:
        """By account id. An id that another person has by now (a merge moved it) is passed over, and one that somebody who
        was erased had."""
        chosen: dict[str, Wish] = {}
        waiting = [(wish.id, wish) for wish in wishes]
        for counter in range(1, _TRIES):
            rows = connection.execute(_USED, [sorted({one for one, _ in waiting})] * 2).fetchall()
            used, left = {row[0] for row in rows}, list[Wish]()
            for account, wish in waiting:
                if account in used or account in chosen:
                    left.append(wish)
                else:
                    chosen[account] = wish
            if not left:
                return chosen
            waiting = [(naming.account_id(self._secret, wish.key, counter), wish) for wish in left]
        raise Rejected("name.exhausted", "account key")

    def _give(self, connection: Connection, accounts: Mapping[str, Wish], now: dt.datetime) -> dict[str, Given]:
        named: dict[str, str] = dict(
            connection.execute(
                "select account::text, name from iam.name_ledger where kind = 'uid' and account = any(%s::uuid[])",
                [sorted(accounts)],
            ).fetchall()
        )
        waiting = {
            account: chain([wish.uid] if wish.uid else [], naming.uids(self._secret, account))
            for account, wish in sorted(accounts.items())
            if account not in named
        }
        for _ in range(_TRIES):
            if not waiting:
                break
            named.update(self._offer(connection, [(account, next(names)) for account, names in waiting.items()], now))
            waiting = {account: names for account, names in waiting.items() if account not in named}
        if waiting:
            raise Rejected("name.exhausted", "uid")
        return {
            account: Given(account, uid, f"{uid}@{self._domain}", naming.digest_salt(self._secret, account))
            for account, uid in named.items()
        }

    def _offer(
        self, connection: Connection, offers: Sequence[tuple[str, str]], now: dt.datetime
    ) -> list[tuple[str, str]]:
        """(account, uid) of the offers that nobody else ever had."""
        accounts, names = [a for a, _ in offers], [n for _, n in offers]
        rows = connection.execute(
            """with uid as (
                   insert into iam.name_ledger (kind, name, account, allocated_at, event_id)
                   select 'uid', n.name, n.account, %(now)s, n.event
                   from unnest(%(names)s::text[], %(accounts)s::uuid[], %(events)s::text[], %(retired)s::text[])
                        as n (name, account, event, retired)
                   where not exists (select from iam.name_ledger l where l.kind = 'uid' and l.name = n.retired)
                   on conflict (kind, name) do nothing returning account, name, event_id)
               , eppn as (
                   insert into iam.name_ledger (kind, name, account, allocated_at, event_id)
                   select 'eppn', uid.name || '@' || %(domain)s, uid.account, %(now)s, uid.event_id from uid)
               select account::text, name from uid""",
            {
                "now": now,
                "names": names,
                "accounts": accounts,
                "retired": [naming.retired(self._secret, "uid", name) for name in names],
                "events": [naming.event_id("allocated", account, name) for account, name in offers],
                "domain": self._domain,
            },
        ).fetchall()
        return [(row[0], row[1]) for row in rows]

    def _announce(
        self, connection: Connection, rows: Sequence[AccountRow], kind: str, now: dt.datetime, moment: str
    ) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(
                """insert into iam.outbox (event_id, account, person_id, kind, facts, created_at)
                   values (%s, %s, %s, %s, %s, %s) on conflict (event_id) do nothing""",
                [(_event(row, kind, moment), row.given.id, row.key.person, kind, _facts(row), now) for row in rows],
            )


def _decision(connection: Connection) -> int:
    """A number above that of every decision before: who served a persona first is told by it."""
    row = connection.execute("select nextval('iam.serving')").fetchone()
    return int(row[0]) if row else 0


def _event(row: AccountRow, kind: str, moment: str) -> str:
    if kind == "allocated":
        return naming.event_id("allocated", row.given.id, row.given.uid)
    return naming.event_id(kind, row.given.id, moment, *row.personas)


def _facts(row: AccountRow) -> bytes:
    given, key = row.given, row.key
    facts = AccountFacts(
        given.id, row.personas, given.uid, given.eppn, employer=key.employer, account_class=key.account_class
    )
    return msgspec.json.encode(facts)
