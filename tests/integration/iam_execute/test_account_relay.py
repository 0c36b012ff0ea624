"""Decisions of the ledger become events before any target hears of them."""

import threading
import time
from collections.abc import Iterator

import msgspec
import psycopg
import pytest

from iam.relay.relay import AccountRelay
from streams.bus import MemoryBus
from streams.catalogue import SOURCE_ACCOUNT
from streams.clock import SystemTicker
from streams.codec import Incoming, RecordCodec
from streams.contracts.claims import AccountFacts, SourceRecord
from streams.contracts.errors import Unavailable
from streams.envelope import Message
from streams.hashing import id_subject
from streams.sealing import KeyClass
from tests.integration.iam_execute.desk import Desk


class AwayBus(MemoryBus):
    """A broker that does not deliver while `away`."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False

    def flush(self) -> None:
        if self.away:
            raise Unavailable("service.unavailable", "broker")


@pytest.fixture
def bus() -> AwayBus:
    return AwayBus()


def relay(desk: Desk, bus: MemoryBus, owner: str = "one") -> AccountRelay:
    codec = RecordCodec(desk.keys, KeyClass.ACCOUNT)
    return AccountRelay(desk.pool, codec, bus, desk.clock, SystemTicker(), owner)


def decide(desk: Desk, account: str, event: str, *, uid: str = "u1", kind: str = "allocated") -> None:
    facts = msgspec.json.encode(AccountFacts(account, ("employment:kommun:1",), uid, f"{uid}@kommun.test"))
    desk.run(
        "insert into iam.outbox (event_id, account, person_id, kind, facts, created_at) values (%s, %s, %s, %s, %s, %s)",
        *(event, account, "person-1", kind, facts, desk.clock.now()),
    )


def records(desk: Desk, messages: "tuple[Message, ...]") -> Iterator[tuple[str, SourceRecord]]:
    for one in RecordCodec(desk.keys, KeyClass.ACCOUNT).decode(messages):
        assert isinstance(one, Incoming)
        yield one.envelope.id, one.record


def test_a_decision_is_published_under_the_id_subject_and_then_the_target_is_called(desk: Desk, bus: AwayBus) -> None:
    account = desk.join()
    decide(desk, account, "e1")
    executor = desk.executor()
    assert executor.run_once() == 0
    assert relay(desk, bus).run_once() == 1
    [(event, record)] = records(desk, tuple(bus.log(SOURCE_ACCOUNT)))
    assert (event, record.source, record.source_key, record.subject) == ("e1", "iam", account, id_subject("person-1"))
    facts = record.claims[0].body
    assert isinstance(facts, AccountFacts)
    assert (facts.uid, facts.personas) == ("u1", ("employment:kommun:1",))
    assert executor.run_once() == 1


def test_later_decisions_about_an_account_have_later_versions(desk: Desk, bus: AwayBus) -> None:
    account = desk.join()
    for number in range(12):
        decide(desk, account, f"e{number}", kind="personas")
    relay(desk, bus).run_once()
    versions = [record.version for _, record in records(desk, tuple(bus.log(SOURCE_ACCOUNT)))]
    assert versions == sorted(versions)
    assert len(set(versions)) == 12


def test_changed_personas_hold_no_target_call_up(desk: Desk) -> None:
    account = desk.join()
    decide(desk, account, "e1", kind="personas")
    assert desk.executor().run_once() == 1


def test_what_was_not_delivered_is_sent_again_with_the_same_event_id(desk: Desk, bus: AwayBus) -> None:
    decide(desk, desk.join(), "e1")
    bus.away = True
    with pytest.raises(Unavailable):
        relay(desk, bus).run_once()
    assert desk.one("select count(*) from iam.outbox where delivered_at is null") == (1,)
    bus.away = False
    relay(desk, bus).run_once()
    assert [event for event, _ in records(desk, tuple(bus.log(SOURCE_ACCOUNT)))] == ["e1", "e1"]
    assert relay(desk, bus).run_once() == 0


def test_one_relay_at_a_time_publishes_and_its_successor_begins_when_it_stops(desk: Desk, bus: AwayBus) -> None:
    decide(desk, desk.join(), "e1")
    first, second = relay(desk, bus, "first"), relay(desk, bus, "second")
    assert first.run_once() == 1
    decide(desk, desk.join(), "e2", uid="u2")
    assert second.run_once() == 0
    stop = threading.Event()
    stop.set()
    first.run(stop)
    assert second.run_once() == 1


def test_an_erased_person_gets_no_event_and_the_decision_is_settled(desk: Desk, bus: AwayBus) -> None:
    decide(desk, desk.join(), "e1")
    desk.keys.erase({id_subject("person-1")})
    relay(desk, bus).run_once()
    assert bus.log(SOURCE_ACCOUNT) == ()
    assert desk.one("select count(*) from iam.outbox where delivered_at is null") == (0,)


def test_a_decision_that_cannot_be_sent_holds_up_its_own_account_only(desk: Desk, bus: AwayBus) -> None:
    bad, good = desk.join(), desk.join()
    decide(desk, bad, "e1")
    desk.run("update iam.outbox set facts = 'no json'")
    decide(desk, good, "e2", uid="u2")
    one = relay(desk, bus)
    assert one.run_once() == 1
    assert one.run_once() == 0
    desk.executor().run_once()
    assert desk.target.ensured() == [good]


def test_a_running_relay_outlives_broker_and_database(
    desk: Desk, bus: AwayBus, caplog: pytest.LogCaptureFixture
) -> None:
    bus.away = True
    decide(desk, desk.join(), "e1")
    stop = threading.Event()
    thread = threading.Thread(target=relay(desk, bus).run, args=(stop,))
    thread.start()
    try:
        wait_for(lambda: "service.unavailable" in caplog.text)
        with psycopg.connect(desk.pool.conninfo, autocommit=True) as admin:  # type: ignore[arg-type]
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        bus.away = False
        wait_for(lambda: desk.one("select count(*) from iam.outbox where delivered_at is null") == (0,))
        decide(desk, desk.join(), "e2", uid="u2")
        wait_for(lambda: desk.one("select count(*) from iam.outbox where delivered_at is null") == (0,))
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
    assert [event for event, _ in records(desk, tuple(bus.log(SOURCE_ACCOUNT)))][-1] == "e2"


def wait_for(condition: object, seconds: float = 10.0) -> None:
    assert callable(condition)
    ending = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ending, f"not within {seconds} s"
        time.sleep(0.02)
