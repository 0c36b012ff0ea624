"""Invariant 5 through the real ingest transaction: order, repetition and batching of a log do not show in the master."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import psycopg.sql
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmd.domain.claims import claim_key
from mmd.domain.everyone import derive_everyone
from mmd.ingest.prepare import Preparer
from mmd.store.own_ids import own_id
from streams.contracts.claims import (
    Absent,
    AccountFacts,
    Body,
    Claim,
    ClaimName,
    Custody,
    Employment,
    Lift,
    Merge,
    Name,
    Protection,
    Registration,
    Relation,
    Segment,
    Split,
    UnitNode,
    UnitParent,
    UnitPeriod,
    UnitStructure,
    is_thing,
    unit_key,
)
from streams.contracts.documents import PersonDocument
from streams.envelope import Message

if TYPE_CHECKING:
    from tests.integration.mmd.conftest import Master, Someone

PERSON_SECRET, DIGEST_SECRET = b"p" * 32, b"d" * 32
PEOPLE = 4
EVIDENCE = ("a decision", "anna", "bertil")
FIRST = dt.date(2024, 1, 1)
UNITS = [unit_key("kommun", number) for number in ("1", "2")]

who = st.integers(0, PEOPLE - 1)
version = st.sampled_from(["1", "2", "3"])
day = st.integers(0, 3).map(lambda n: FIRST + dt.timedelta(days=100 * n))

# What a source says, as data: (source, about whom or which unit, source key, version, what). Small ranges, so that records
# meet: the same employment of two persons, equal versions with different content, references in both directions.
Saying = tuple[str, int, str, str, tuple[object, ...]]

navet = st.tuples(
    st.just("navet"),
    who,
    st.just(""),
    version,
    st.one_of(
        st.tuples(st.just("protection"), st.booleans(), st.booleans()),
        st.tuples(st.just("name"), st.sampled_from(["Anna", "Bo"]), day),
        st.tuples(st.just("registration"), st.sampled_from(["", "AV", "UV", "??"])),
        st.tuples(st.just("reference"), who, st.booleans()),
        st.tuples(st.just("custody"), who, st.sampled_from(["V", "VF"])),
        st.tuples(st.just("absent"), st.sampled_from(["name", "custody"])),
    ),
)
hr = st.tuples(
    st.just("hr"),
    who,
    st.sampled_from(["E1", "E2"]),
    version,
    st.one_of(
        st.tuples(st.just("employment"), day, st.sampled_from(UNITS), who),
        st.tuples(st.just("absent"), st.just("employment")),
        st.tuples(st.just("protection"), st.booleans(), st.just(False)),
        st.tuples(st.just("name"), st.sampled_from(["Anna", "Cilla"]), day),  # not designated
    ),
)
organisation = st.tuples(
    st.just("org"),
    st.integers(0, 1),
    st.just(""),
    version,
    st.one_of(st.tuples(st.just("node"), day), st.tuples(st.just("structure"), st.sampled_from(UNITS), day)),
)
account = st.tuples(
    st.just("iam"), who, st.just(""), version, st.tuples(st.just("account"), st.sampled_from(["a", "b"]))
)
moving = st.tuples(
    st.just("hr"),
    who,
    st.just("E1"),
    version,
    st.tuples(st.just("employment"), st.just(FIRST), st.just(UNITS[0]), st.just(0)),
)
ruling = st.tuples(
    st.just("ruling"),
    who,
    st.sampled_from(["r1", "r2"]),
    version,
    st.one_of(
        st.tuples(st.just("merge"), who),
        st.tuples(st.just("split"), st.sampled_from(["r1", "r2"])),
        st.tuples(st.just("lift"), version, st.booleans(), st.booleans()),
    ),
)
histories = st.lists(st.one_of(navet, navet, hr, moving, organisation, account, ruling), min_size=2, max_size=14)


def raise_of(master: Master, one: Someone, stamp: str, protection: Protection) -> ClaimName:
    """The name that ingest gives a raise of the population register."""
    preparer = Preparer(master.codec, master.keys, master.register, PERSON_SECRET, DIGEST_SECRET)
    (claim,) = preparer.prepare([master.record(one, stamp, protection)]).claims.values()
    return claim_key(claim.logged)[1]


def body(
    master: Master, people: Sequence[Someone], about: int, key: str, what: tuple[object, ...]
) -> Body | Claim | None:
    match what:
        case ("merge", int(other)):
            return Merge(people[other].subject, *EVIDENCE) if other != about else None
        case ("split", str(name)):
            return Split((name,), *EVIDENCE)
        case ("lift", str(stamp), bool(sekretess), bool(skyddad)):
            raised = raise_of(master, people[about], stamp, Protection(sekretess, skyddad))
            return Lift((raised,), *EVIDENCE)
        case ("protection", bool(sekretess), bool(skyddad)):
            return Protection(sekretess, skyddad)
        case ("name", str(given), dt.date() as start):
            return Claim(Name(given, "", "Ek", given), start)
        case ("registration", str(code)):
            return Registration(code)
        case ("reference", int(other), bool(superseded)):
            return people[about].refers(people[other], superseded=superseded) if other != about else None
        case ("custody", int(other), str(kind)):
            return Custody((Relation(kind, people[other].subject, FIRST),)) if other != about else None
        case ("absent", str(kind)):
            return Absent(kind)
        case ("employment", dt.date() as start, str(unit), int(manager)):
            return Employment("kommun", key, (Segment(start, None, unit, manager=people[manager].subject),))
        case ("node", dt.date() as start):
            return UnitNode((UnitPeriod(start),))
        case ("structure", str(parent), dt.date() as start):
            return UnitStructure((UnitParent(parent, start),))
        case ("account", str(name)):
            return AccountFacts(name, ("employment:kommun:E1",), f"uid-{name}")
    raise AssertionError(what)


def log_of(master: Master, people: Sequence[Someone], history: Sequence[Saying]) -> list[Message]:
    log = []
    for number, (source, about, key, stamp, what) in enumerate(history):
        claim = body(master, people, about, key, what)
        if claim is None:
            continue
        at = master.clock.now() + dt.timedelta(seconds=number)
        event = f"event-{number}"
        if source == "iam":
            topic, subject = "source.account.v1", f"id:{people[about].id}"
            log.append(master.record(subject, stamp, claim, source=source, at=at, event=event, topic=topic))
        elif source == "org":
            log.append(master.record(UNITS[about], stamp, claim, source=source, at=at, event=event))
        else:
            whom = people[about].subject if source == "ruling" else people[about]
            log.append(master.record(whom, stamp, claim, source=source, key=key, at=at, event=event))
    return log


def empty(master: Master) -> None:
    with master.pool.connection() as connection:
        tables = connection.execute("select tablename from pg_tables where schemaname = 'mmd'").fetchall()
        names = ", ".join(f"mmd.{row[0]}" for row in tables if row[0] not in ("alembic_version", "epoch"))
        connection.execute(psycopg.sql.SQL(f"truncate {names}"))


def whole(master: Master) -> dict[str, object]:
    """Every document with its stamps, redirects and conflicts too: more than the hash compares."""
    ids = [row[0] for row in master.rows("select id from mmd.document")]
    found: dict[str, object] = {
        one: master.reader.thing(one) if is_thing(one) else master.reader.person(one) for one in ids
    }
    return found | {"conflicts": master.reader.conflicts(FIRST)}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories, data=st.data())
def test_any_order_repetition_and_batching_of_a_log_ends_in_the_same_master(
    master: Master, persons: Callable[[int], Someone], history: list[Saying], data: st.DataObject
) -> None:
    people = [persons(n) for n in range(PEOPLE)]
    log = log_of(master, people, history)
    empty(master)
    for message in log:
        master.ingest([message])
    expected, hashed = whole(master), master.hash()

    repeated = data.draw(st.lists(st.sampled_from(log), max_size=4)) if log else []
    shuffled = data.draw(st.permutations([*log, *repeated]))
    empty(master)
    rest = list(shuffled)
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        master.ingest(rest[:size])
        rest = rest[size:]
    assert whole(master) == expected
    assert master.hash() == hashed

    preparer = Preparer(master.codec, master.keys, master.register, PERSON_SECRET, DIGEST_SECRET)
    claims = [one.logged for one in preparer.prepare(log).claims.values()]
    pure = derive_everyone(claims, master.register, lambda subject: own_id(PERSON_SECRET, subject))
    assert {one: found for one, found in expected.items() if isinstance(found, PersonDocument)} == pure

    for one, found in pure.items():
        later = master.clock.now() + dt.timedelta(days=1)
        assert master.reader.as_known(one, later, master.register) == found


def test_of_what_two_lanes_say_at_one_instant_the_same_event_is_named_whichever_comes_first(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    """A raise travels on the urgent lane and in its post: one instant, two events."""
    anna = persons(1)
    lanes = [master.record(anna, "1", Protection(True), event=name) for name in ("b", "a")]
    found = []
    for batches in ([[one] for one in lanes], [[one] for one in reversed(lanes)], [lanes], [lanes[::-1]]):
        empty(master)
        for batch in batches:
            master.ingest(batch)
        found.append(whole(master))
    assert found == [found[0]] * 4
    assert [stamp.event for stamp in found[0][anna.id].marking_stamps] == ["a"]  # type: ignore[attr-defined]
