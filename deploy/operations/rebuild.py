"""The log read again from its beginning into an empty store: no target is called and nothing is published meanwhile.

Markings first, in a pass of their own over the whole log; then everything; then the ledger of accounts from its own topic;
then what is desired. docs/decisions/0240 tells why.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from connectors.targets.port import Observed, Target
from deploy.operations.erase import again
from deploy.operations.shadow import Shadow
from deploy.settings import MasterSettings, ProvisioningSettings
from deploy.wiring import master, provisioning
from iam.domain.account import Presence
from iam.store.facts import Found, Told, stand_in, take_over
from iam.store.retired import bury, take
from mmd.ingest.erasure import keep_heads
from mmd.ingest.first import FirstCodec
from streams.bus import Handler
from streams.catalogue import SOURCE_ACCOUNT, TOPICS
from streams.codec import Incoming, RecordCodec
from streams.contracts.claims import ID_SUBJECT_PREFIX, AccountFacts
from streams.contracts.errors import Rejected
from streams.envelope import Message
from streams.erasures import Erasures
from streams.sealing import KeyClass

BATCH = 500
SOURCE_TOPICS = tuple(topic.name for topic in TOPICS if topic.name.startswith("source."))
"""The replay log: every topic that sources, provisioning and operators speak on, urgent and bulk."""

ReadTopic = Callable[[str], Iterable[Message]]
"""Everything in a topic, from its beginning to where it ends now, in order within a partition."""


@dataclass(slots=True)
class Rebuilt:
    """What came of it. `events`: records of the log, each counted once; `refused`: how many are refused now, by code;
    `next_offsets`: by topic and partition, where whoever goes on has to read. `accounts`: those the ledger has again."""

    events: int = 0
    accounts: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    next_offsets: dict[str, dict[int, int]] = field(default_factory=dict)


class Straight:
    """A producer whose records are handled here when they are flushed: none leaves this process."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._waiting: list[Message] = []

    def send(self, message: Message) -> None:
        self._waiting.append(message)

    def flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._handler(waiting)


def rebuild(
    shadow: Shadow,
    of_master: MasterSettings,
    of_provisioning: ProvisioningSettings,
    read: ReadTopic,
    targets: Mapping[str, Target],
    moved: Callable[[int], None] = lambda _events: None,
    *,
    most: int = BATCH,
) -> Rebuilt:
    """Fill the empty store of `shadow`. Of `targets` it is read which accounts they hold. `moved` hears after every batch of
    at most `most` how many records were read in this pass.

    A record that is refused is counted, and what can be used of it is used, as when it came first.
    """
    found, erasures = Rebuilt(), Erasures(shadow.keys_pool).all()
    with shadow.pool.connection() as connection:
        keep_heads(connection, (head for erasure in erasures for head in erasure.heads))
    first = master.ingest_handler(shadow, of_master, kind=FirstCodec)
    for messages in whole_log(read, most, moved):
        _handle(first, messages, Counter())
    handler = master.ingest_handler(shadow, of_master)
    for messages in whole_log(read, most, moved):
        _handle(handler, messages, found.refused)
        found.events += len(messages)
        for one in messages:
            places = found.next_offsets.setdefault(one.topic, {})
            places[one.partition] = max(one.offset + 1, places.get(one.partition, 0))
    found.accounts = remember(shadow, of_provisioning, read, targets)
    evaluated = Straight(provisioning.evaluate_handler(shadow, of_provisioning))
    steps = (master.relay(shadow, of_master, evaluated).run_once, provisioning.timers(shadow, of_provisioning).run_once)
    while sum(step() for step in steps):
        pass
    return found


def remember(
    shadow: Shadow, of_provisioning: ProvisioningSettings, read: ReadTopic, targets: Mapping[str, Target]
) -> int:
    """What provisioning decided, who is erased, and where accounts are, as it is told now; how many accounts. What the
    store knows already stays: done again when it is taken into use it adds what was decided since."""
    erasures, now = Erasures(shadow.keys_pool).all(), shadow.clock.now()
    with shadow.pool.connection() as connection:
        accounts = take_over(connection, told_of_accounts(shadow, read(SOURCE_ACCOUNT)))
    again(shadow, of_provisioning)  # erased after what the log says of them was read
    with shadow.pool.connection() as connection:
        take(connection, (name for erasure in erasures for name in erasure.names))
        held = {name: [_held(one) for one in target.read_all()] for name, target in targets.items()}
        there = {one.account for some in held.values() for one in some}
        erased = ((account, one.person) for one in erasures for _, _, account in one.names if account in there)
        bury(connection, erased, Erasures(shadow.keys_pool).owners(), now)
        for name, some in held.items():
            stand_in(connection, name, some, now)
    return accounts


def _held(observed: Observed) -> Found:
    state = observed.state
    presence = Presence(state.presence.value)
    return Found(state.key, presence, state.uid, state.groups, observed.native_id, observed.version)


def whole_log(
    read: ReadTopic, most: int = BATCH, moved: Callable[[int], None] = lambda _events: None
) -> Iterator[Sequence[Message]]:
    """One pass over the whole log, batch by batch; `moved` hears when a batch has been handled."""
    passed = 0
    for topic in SOURCE_TOPICS:
        for batch in _batches(read(topic), most):
            yield batch
            passed += len(batch)
            moved(passed)


def _handle(handler: Handler, batch: Sequence[Message], refused: Counter[str]) -> None:
    """A batch with a refusal in it is handled once more one by one, to tell which; handling twice changes nothing."""
    try:
        handler(batch)
    except Rejected as error:
        if len(batch) == 1:
            refused[error.code] += 1
            return
        for one in batch:
            _handle(handler, [one], refused)


def told_of_accounts(shadow: Shadow, messages: Iterable[Message]) -> Iterator[Told]:
    """What `source.account.v1` says of accounts. Facts of whoever is erased do not open any more."""
    codec = RecordCodec(shadow.keys, KeyClass.ACCOUNT)
    for batch in _batches(messages, BATCH):
        for one in codec.decode(batch):
            if not isinstance(one, Incoming):
                continue
            for claim in one.record.claims:
                if isinstance(claim.body, AccountFacts):
                    person = one.record.subject.removeprefix(ID_SUBJECT_PREFIX)
                    at = one.envelope.time.astimezone(dt.UTC)
                    yield Told(one.record.version, one.envelope.id, person, at, claim.body)


def _batches(messages: Iterable[Message], most: int) -> Iterator[Sequence[Message]]:
    waiting = iter(messages)
    while batch := list(islice(waiting, most)):
        yield batch
