"""One transaction of evaluation: lock what is touched and what is looked at, evaluate, write what differs."""

import datetime as dt
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

from iam.domain.desired import Desired, Names, desired, gone, wanted
from iam.domain.naming import account_id
from iam.domain.policy import Policy
from iam.domain.serving import awaits, served, shares
from iam.domain.world import AccountKey, Given, Previous, World, managers_read, units_read
from iam.evaluate import changes
from iam.evaluate.locking import NotLocked
from iam.evaluate.stamps import newest_stamp
from iam.store import world as store
from iam.store.bodies import Keys, open_person
from iam.store.ledger import AccountRow, Ledger, Wish
from iam.store.world import Cause, Connection
from streams.clock import Clock
from streams.contracts.documents import PersonDocument, UnitDocument, Version
from streams.contracts.time import local_date
from streams.sealing import Key, KeyRing, KeyState

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Subject:
    """A person to evaluate: the document (None: erased, or withheld) and the key that the person's rows are sealed with."""

    id: str
    version: Version
    document: PersonDocument | None
    key: Key | None
    cause: Cause
    withheld: bool = False


@dataclass(slots=True)
class _Batch:
    """What one evaluation found out on its way."""

    subjects: list[Subject]
    units: Mapping[str, UnitDocument] = field(default_factory=dict)
    managers: dict[str, str] = field(default_factory=dict)  # manager named in a document -> person id today
    accounts: dict[str, list[AccountRow]] = field(default_factory=dict)
    retired: dict[str, list[AccountRow]] = field(default_factory=dict)  # from before an erasure
    standing: dict[tuple[str, str], changes.Standing] = field(default_factory=dict)


class Evaluator:
    """Evaluates persons inside the caller's transaction; the caller has locked them (see `iam.store.world.take_locks`)."""

    def __init__(self, keys: KeyRing, policy: Policy, account_secret: bytes, name_domain: str, clock: Clock) -> None:
        self.keys = keys
        self.policy = policy
        self.clock = clock
        self._fingerprint = policy.fingerprint
        self._secret = account_secret
        self._ledger = Ledger(account_secret, name_domain)

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def things(self, connection: Connection, documents: Iterable[PersonDocument]) -> set[str]:
        """What will be looked at for these persons: units and those above them, managers and whom they became."""
        units: set[str] = set()
        managers: set[str] = set()
        for document in documents:
            units |= units_read(document)
            managers |= managers_read(document)
        line, _ = store.units_with_ancestors(connection, units)
        moved = store.redirects(connection, managers)
        return line | store.person_things(managers) | store.person_things(moved.values())

    def load(self, connection: Connection, ids: Collection[str], causes: Mapping[str, Cause]) -> list[Subject]:
        """The stored documents of these persons. One whose key is renewed is left out: its newer document follows."""
        rows = store.persons(connection, ids)
        keys = self.keys.find({row.key_id for row in rows if row.key_id})
        found: list[Subject] = []
        for row in rows:
            cause = causes.get(row.id, row.cause)
            if not row.body:
                withheld = row.body == store.WITHHELD
                if withheld or row.erased:
                    found.append(Subject(row.id, row.version, None, None, cause, withheld))
                continue
            document = open_person(keys, row.id, row.key_id, row.body)
            if isinstance(document, KeyState):
                if document is KeyState.ERASED:
                    found.append(Subject(row.id, row.version, None, None, cause))
                elif document is KeyState.UNKNOWN:
                    log.error("a person's stored document has an unknown key: it is evaluated when a newer one comes")
                continue
            found.append(Subject(row.id, row.version, document, _live(keys, row.key_id), cause))
        return found

    def evaluate(self, connection: Connection, subjects: list[Subject], locked: Collection[str]) -> int:
        """Evaluate and write. Returns how many desired rows got a new version. Raises `NotLocked`."""
        now = self.clock.now()
        batch = _Batch(subjects)
        self._look(connection, batch, locked)
        news = self._accounts(connection, batch, now)
        everything = [*batch.accounts.values(), *batch.retired.values()]
        raw = changes.standing(connection, [row.given.id for rows in everything for row in rows])
        batch.standing = changes.opened(raw, self.keys.find(changes.key_ids(raw)))
        world_managers = self._managers(connection, batch)
        found: list[tuple[changes.Change, Cause, str]] = []
        reads: dict[str, Collection[str]] = {}
        timers: dict[str, dt.datetime | None] = {}
        for subject in subjects:
            names, retired = (_names(rows.get(subject.id, ())) for rows in (batch.accounts, batch.retired))
            world = World(batch.units, world_managers, _previous(names, batch.standing))
            all_of_it = self._desired(subject, world, names, now)
            past = gone(retired, World({}, {}, _previous(retired, batch.standing)), now, erased=True)
            reads[subject.id] = all_of_it.reads
            timers[subject.id] = all_of_it.next_change
            stamp = newest_stamp(subject.document) if subject.document else ""
            for one, key in chain(
                ((one, subject.key) for one in all_of_it.accounts), ((one, None) for one in past.accounts)
            ):
                old = batch.standing.get((one.account.id, one.target))
                made = changes.change(subject.id, one, old, key)
                if made:
                    found.append((made, subject.cause, stamp))
        changes.write(connection, found, now)
        store.put_reads(connection, reads)
        store.mark_evaluated(connection, [(s.id, self._fingerprint, timers[s.id]) for s in subjects])
        others = store.readers(connection, store.person_things(news)) - {subject.id for subject in subjects}
        store.enqueue(connection, others, now, store.PRIORITY_WORLD, Cause("manager", now))
        store.set_timers(connection, timers)
        return sum(one.risen for one, _, _ in found)

    def pass_over(self, connection: Connection, ids: Collection[str]) -> None:
        """These cannot be evaluated now (redirected, gone, or their key is renewed): what follows evaluates them."""
        rows = [(person, self._fingerprint, None) for person in sorted(ids)]
        store.mark_evaluated(connection, rows)
        store.set_timers(connection, dict.fromkeys(ids))

    def _look(self, connection: Connection, batch: _Batch, locked: Collection[str]) -> None:
        documents = [subject.document for subject in batch.subjects if subject.document]
        units = {key for document in documents for key in units_read(document)}
        managers = {key for document in documents for key in managers_read(document)}
        line, batch.units = store.units_with_ancestors(connection, units)
        moved = store.redirects(connection, managers)
        batch.managers = {manager: moved.get(manager, manager) for manager in managers}
        needed = line | store.person_things(managers) | store.person_things(moved.values())
        missing = needed - set(locked)
        if missing:
            raise NotLocked(shared=missing)

    def _accounts(self, connection: Connection, batch: _Batch, now: dt.datetime) -> set[str]:
        """Make the accounts that are wanted and missing, and tell of personas that changed. Returns whose are new."""
        ids = [subject.id for subject in batch.subjects]
        for person, rows in self._ledger.accounts(connection, ids).items():
            batch.accounts[person] = [row for row in rows if not row.retired]
            batch.retired[person] = [row for row in rows if row.retired]
        wishes: list[Wish] = []
        for subject in batch.subjects:
            if subject.document is None:
                continue
            has = {row.key for row in batch.accounts.get(subject.id, ())}
            world = World(batch.units)
            for key in sorted(wanted(subject.document, world, self.policy, now) - has, key=lambda k: k.account_class):
                wishes += self._wishes(subject.document, key, now)
            moment = f"{subject.version.epoch}.{subject.version.number}.{self._fingerprint}"
            changed = self._served_otherwise(subject.document, batch.accounts.get(subject.id, []), now)
            self._ledger.serve(connection, changed, now, moment)
        made = self._ledger.allocate(connection, wishes, now)
        for row in made:
            batch.accounts.setdefault(row.key.person, []).append(row)
        return {row.key.person for row in made}

    def _wishes(self, document: PersonDocument, key: AccountKey, now: dt.datetime) -> list[Wish]:
        """The accounts of this key that the document tells of already (a rebuilt store) are taken over, with their names
        and whom they serve; where it tells of none, one is asked for."""
        own = [AccountKey(person, key.employer, key.account_class) for person in (document.id, *document.aliases)]
        ids = [account_id(self._secret, one) for one in own]
        personas = served(document, key, self.policy)
        told = {entry.account: entry.uid for persona in personas for entry in persona.accounts}
        serves = {one: {p.key: 0 for p in personas if any(e.account == one for e in p.accounts)} for one in told}
        chosen = [one for one in ids if one in told] or ids[:1]
        givens = [Given(one, "", "", "", serves.get(one, {})) for one in chosen]
        share = shares(givens, personas, local_date(now))
        return [Wish(key, share[one], one, told.get(one, "")) for one in chosen]

    def _served_otherwise(self, document: PersonDocument, rows: list[AccountRow], now: dt.datetime) -> list[AccountRow]:
        """The accounts that serve other personas now than those that were told, with these."""
        changed: list[AccountRow] = []
        for key in {row.key for row in rows}:
            personas = served(document, key, self.policy)
            mine = [row for row in rows if row.key == key]
            share = shares([row.given for row in mine], personas, local_date(now))
            changed += [
                replace(row, personas=share[row.given.id])
                for row in mine
                if personas and not awaits(row.given, personas, now) and share[row.given.id] != row.personas
            ]
        return sorted(changed, key=lambda row: row.given.id)

    def _managers(self, connection: Connection, batch: _Batch) -> dict[tuple[str, str], str]:
        """Account ids of managers by the person id that the documents use, and employer; the oldest account counts."""
        rows = self._ledger.accounts(connection, set(batch.managers.values()))
        return {
            (manager, row.key.employer): row.given.id
            for manager, person in batch.managers.items()
            for row in reversed(rows.get(person, []))
            if not row.retired
        }

    def _desired(self, subject: Subject, world: World, names: Names, now: dt.datetime) -> Desired:
        if subject.document is None:
            return gone(names, world, now, erased=not subject.withheld)
        return desired(subject.document, world, self.policy, names, now)


def _live(keys: Keys, key_id: str) -> Key | None:
    key = keys.get(key_id)
    return key if isinstance(key, Key) else None


def _names(rows: Iterable[AccountRow]) -> Names:
    found: dict[AccountKey, list[AccountRow]] = {}
    for row in rows:
        found.setdefault(row.key, []).append(row)
    return {key: [row.given for row in mine] for key, mine in found.items()}


def _previous(names: Names, standing: Mapping[tuple[str, str], changes.Standing]) -> dict[tuple[str, str], Previous]:
    mine = {given.id for all_given in names.values() for given in all_given}
    return {where: old.previous for where, old in standing.items() if where[0] in mine}
