"""The evaluate worker: documents of the master in, desired state out. The same code for the bulk and the urgent lane."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from iam.domain.policy import Policy
from iam.domain.profile import restricted
from iam.domain.world import person_thing
from iam.evaluate.arrived import Arrived
from iam.evaluate.evaluator import Evaluator
from iam.evaluate.locking import Locks, NotLocked, Pool, run_locked
from iam.store import redirects as joins
from iam.store import world as store
from iam.store.bodies import seal_person
from iam.store.world import Cause, Connection, NewPerson
from streams.clock import Clock
from streams.codec import Failed, PublishedCodec, Skipped
from streams.envelope import Message
from streams.sealing import Key, KeyRing, KeyState

CHUNK = 100
"""Messages a transaction: locks are held briefly, so that a revocation in another process gets through."""


class EvaluateHandler:
    """`streams.bus.Handler` for mmd.person.v1, mmd.organisation.v1 and mmd.urgent.v1.

    Idempotent: a document whose version is not above the known one changes nothing. Raises `Rejected` for a message that
    will never be accepted; database errors come as they are and the runner tries again.
    """

    def __init__(
        self,
        pool: Pool,
        codec: PublishedCodec,
        keys: KeyRing,
        policy: Policy,
        account_secret: bytes,
        name_domain: str,
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._codec = codec
        self._clock = clock
        self._keys = keys
        self._evaluator = Evaluator(keys, policy, account_secret, name_domain, clock)

    def __call__(self, batch: Sequence[Message]) -> None:
        for start in range(0, len(batch), CHUNK):
            arrived = self._read(batch[start : start + CHUNK])
            run_locked(self._pool, partial(self._apply, arrived))

    def _read(self, messages: Sequence[Message]) -> Arrived:
        arrived = Arrived()
        for one in self._codec.decode(messages):
            if isinstance(one, Failed):
                raise one.error
            if not isinstance(one, Skipped):
                arrived.add(one)
            elif one.state is KeyState.ERASED:
                arrived.add_erased(one.message.key, one.version)
        return arrived

    def _apply(self, arrived: Arrived, connection: Connection, more: Locks) -> None:
        own = arrived.person_ids()
        documents = [news.document for news in arrived.persons.values()]
        everyone = own | set(store.redirects(connection, own).values())
        locks = more | Locks(
            frozenset(store.person_things(everyone) | set(arrived.units)),
            frozenset(self._evaluator.things(connection, documents)),
        )
        locks.take(connection)
        lives_on = store.person_things(store.redirects(connection, own).values())  # read again under the locks
        if not lives_on <= locks.alone:
            raise NotLocked(alone=lives_on)
        self._units(connection, arrived)
        causes = self._redirects(connection, arrived) | self._persons(connection, arrived)
        causes |= self._releases(connection, own, locks)
        moved = store.redirects(connection, causes)
        causes |= {to: causes[old] for old, to in moved.items() if to not in causes and old in causes}
        subjects = self._evaluator.load(connection, causes.keys() - moved.keys(), causes)
        self._evaluator.evaluate(connection, subjects, locks.all)

    def _units(self, connection: Connection, arrived: Arrived) -> None:
        """Store units, and have everyone looked at again who was evaluated with a look at them."""
        stored = store.put_units(connection, [(news.document, news.version) for news in arrived.units.values()])
        for key in sorted(stored):
            self._again(connection, [key], arrived.units[key].cause)

    def _again(self, connection: Connection, things: Sequence[str], cause: Cause) -> None:
        affected = store.readers(connection, things)
        store.enqueue(connection, affected, self._clock.now(), store.PRIORITY_WORLD, cause)

    def _redirects(self, connection: Connection, arrived: Arrived) -> dict[str, Cause]:
        """Returns whom to evaluate because of them."""
        found: dict[str, Cause] = {}
        for old, news in sorted(arrived.redirects.items()):
            if joins.redirect(connection, old, news.document.to, news.version, self._clock.now()):
                found[news.document.to] = news.cause
                self._again(connection, [person_thing(old)], news.cause)
        return found

    def _persons(self, connection: Connection, arrived: Arrived) -> dict[str, Cause]:
        """Store the documents that are newer, take over those of their aliases, and mark the withheld and the erased ones
        as gone, until a newer version brings them back. They tell no aliases: whoever was one of theirs and has a newer
        document of their own is joined with them no more."""
        keys = self._keys.find({news.key_id for news in arrived.persons.values()})
        rows = list(_rows(arrived, keys))
        now = self._clock.now()
        rows += [
            NewPerson(one, news.version, "", store.WITHHELD, True, news.cause)
            for one, news in sorted(arrived.withheld.items())
        ]
        stored = store.put_persons(connection, rows)
        gone = store.put_erased(connection, arrived.erased, Cause("erased", now))
        causes = {row.id: row.cause for row in rows if row.id in stored} | dict.fromkeys(gone, Cause("erased", now))
        claimed = joins.claimants(connection, causes)
        for one, cause in sorted(causes.items()):
            aliases = set() if one in gone else arrived.aliases_of(one)
            if aliases or one in claimed:
                moved = joins.claim(connection, one, aliases - {one}, now)
                self._again(connection, sorted(store.person_things(moved)), cause)
        return causes

    def _releases(self, connection: Connection, own: set[str], locks: Locks) -> dict[str, Cause]:
        """Those who were joined and are two again are both evaluated."""
        freed = joins.release(connection, own)
        both = {*freed, *freed.values()}
        if not store.person_things(both) <= locks.alone:
            raise NotLocked(alone=store.person_things(both))
        return dict.fromkeys(both, Cause("split", self._clock.now()))


def _rows(arrived: Arrived, keys: Mapping[str, Key | KeyState]) -> Iterator[NewPerson]:
    for person, news in arrived.persons.items():
        key = keys.get(news.key_id)
        if isinstance(key, Key):  # else it was renewed or erased meanwhile, and what follows decides
            body = seal_person(key, news.document)
            yield NewPerson(person, news.version, key.id, body, restricted(news.document), news.cause)
