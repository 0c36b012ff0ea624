"""Invariant 8: a reader of one kind of role gets the same bytes whether or not the person has roles of another kind.

Two worlds hear the same; one of them hears more, all of it about roles that the reader is not cleared for. Everything
that the reader can ask is asked in both, after each step, and compared to the byte, headers and feed cursors too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from itertools import count

import httpx
import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.contracts.claims import (
    AccountFacts,
    AgreedName,
    Body,
    Claim,
    Consultancy,
    Employment,
    Enrolment,
    Leave,
    Mandate,
    Placement,
    Protection,
    Registration,
    RobotDuty,
    Segment,
    WorkContact,
    persona_key,
)
from streams.hashing import id_subject
from tests.integration.mmd.conftest import START, Someone
from tests.integration.mmd_api.hub import Hub, guardian_of, living, named, post, ward_of

Persons = Callable[[int], Someone]
Step = tuple[str, int]  # what happens, and a number that varies it

SHARED = ("name", "address", "protection", "death", "again", "day", "another")
EMPLOYED = ("hired", "moved", "leave", "cancelled", "agreed", "phone", "account")
CUSTODY = ("guardian", "guardian-until", "nobody's guardian")
SCHOOL = ("pupil", "adult student", "school account")
ELSEWHERE = ("hired elsewhere", "agreed", "phone", "account")
OTHERS = ("consultant", "politician", "robot", "placed", "withdrawn mandate")


def said(step: Step, one: Someone, children: list[Someone]) -> tuple[str, str, tuple[Body | Claim, ...]] | None:
    """Source, source key and claims of a step; None where nobody says anything."""
    kind, number = step
    employment = f"E-{one.id}-{number % 2}"
    segment = Segment(dt.date(2026, 1, 1), None, f"unit:kommun:{number}", manager=children[0].subject)
    here = Segment(dt.date(2026, 1, 1), None, "unit:kommun:1", f"Titel {number}")
    elsewhere = Segment(dt.date(2026, 1, 1), None, f"unit:kommun:{number + 2}")
    by_kind: dict[str, tuple[str, str, tuple[Body | Claim, ...]]] = {
        "name": ("navet", "", (named(f"Anna{number}"),)),
        "again": ("navet", "", (named("Anna"),)),
        "address": ("navet", "", (living(f"Gatan {number}"),)),
        "protection": ("navet", "", (Protection(number == 1, number == 2),)),
        "death": ("navet", "", (Registration("AV", "2026-03-01"),)),
        "hired": ("hr", employment, (Employment("kommun", employment, (segment,)),)),
        "moved": ("hr", employment, (Employment("kommun", employment, (segment,) * 2, (), False),)),
        "leave": ("hr", employment, (Employment("kommun", employment, (segment,), (Leave(dt.date(2026, 3, 1)),)),)),
        "cancelled": ("hr", employment, (Employment("kommun", employment, (segment,), (), True),)),
        "hired here": ("hr", f"H-{one.id}", (Employment("kommun", f"H-{one.id}", (here,)),)),
        "hired elsewhere": ("hr", employment, (Employment("kommun", employment, (elsewhere,)),)),
        "agreed": ("hr", employment, (AgreedName(f"A {number}"),)),
        "phone": ("hr", employment, (WorkContact(f"031-{number}"),)),
        "guardian": ("navet", "", (guardian_of(*children[: number + 1]),)),
        "guardian-until": ("navet", "", (guardian_of(children[0], until=dt.date(2026, 3, 1 + number)),)),
        "nobody's guardian": ("navet", "", (ward_of(children[1]) if number else guardian_of(),)),
    }
    return by_kind.get(kind) or of_registers(kind, number, one, (segment,))


def of_registers(
    kind: str, number: int, one: Someone, segments: tuple[Segment, ...]
) -> tuple[str, str, tuple[Body | Claim, ...]] | None:
    """As `said`, of roles beside employment; the end varies."""
    own = f"R-{one.id}-{number % 2}"
    dated = (msgspec.structs.replace(segments[0], valid_to=dt.date(2026, 3, 1 + number)),)
    by_kind: dict[str, tuple[str, Body]] = {
        "pupil": ("school", Enrolment("kommun", own, "GR", dated)),
        "adult student": ("school", Enrolment("kommun", f"{own}-v", "VUX", dated)),
        "placed": ("school", Placement("kommun", own, "FS", dated)),
        "consultant": ("consultants", Consultancy("kommun", own, "5599999991", dated)),
        "politician": ("politicians", Mandate("kommun", own, dated)),
        "withdrawn mandate": ("politicians", Mandate("kommun", own, dated, cancelled=True)),
        "robot": ("robots", RobotDuty("kommun", own, dated)),
    }
    if kind not in by_kind:
        return None
    source, body = by_kind[kind]
    return source, f"{Claim(body).kind}:{body.source_id}", (body,)  # type: ignore[union-attr]


def tell(hub: Hub, step: Step, version: int, one: Someone, children: list[Someone]) -> None:
    """One step in one world. Event ids and times come from the place of the step, the same in both worlds."""
    kind, number = step
    stamp, at, event = f"{version:06}", START + dt.timedelta(minutes=version), f"event-{version}"
    if kind in ("account", "school account"):
        own = ("employment", f"E-{one.id}-{number % 2}") if kind == "account" else ("enrolment", f"R-{one.id}-0")
        served = persona_key(own[0], "kommun", own[1])
        facts = AccountFacts(f"{kind}-{one.id}", (served,), f"u{number}", "", f"a{number}@kommun.test")
        of, topic = id_subject(one.id), "source.account.v1"
        hub.master.ingest(
            [hub.master.record(of, stamp, facts, source="iam", key=facts.account, at=at, event=event, topic=topic)]
        )
    elif kind == "day":
        hub.day_comes(START + dt.timedelta(days=number))
    elif kind == "another":  # somebody else changes, in the sight of every reader
        hub.master.ingest([hub.master.record(children[-1], stamp, named(f"Didrik{number}"), at=at, event=event)])
    elif (record := said(step, one, children)) is not None:
        source, key, claims = record
        hub.master.ingest([hub.master.record(one, stamp, *claims, source=source, key=key, at=at, event=event)])


def begin(hub: Hub, one: Someone, children: list[Someone]) -> None:
    """An ordinary person, children, and as the last of them somebody with every kind of role."""
    last = children[-1]
    employment = Employment("kommun", f"E-{last.id}", (Segment(dt.date(2026, 1, 1), None, "unit:kommun:1"),))
    for who in (one, *children):
        custody = (guardian_of(children[0]),) if who is last else ()
        hub.master.ingest([hub.master.record(who, "000001", *post("Anna", *custody), event=f"first-{who.id}")])
    hub.master.ingest(
        [hub.master.record(last, "000001", employment, source="hr", key=f"E-{last.id}", event=f"hired-{last.id}")]
    )


def seen(hub: Hub, client: str, one: Someone) -> Iterator[httpx.Response]:
    """Everything that the reader can ask about somebody."""
    number = one.identifier.value
    yield hub.person(one, client)
    yield hub.person(one, client, valid="2026-02-01")
    yield hub.person(one, client, known=(START + dt.timedelta(minutes=2)).isoformat())
    yield hub.search(number, client)
    yield hub.prefill(number, client)


def steps(kinds: tuple[str, ...], most: int) -> st.SearchStrategy[list[Step]]:
    return st.lists(st.tuples(st.sampled_from(kinds), st.integers(0, 2)), max_size=most)


def check(
    new_hub: Callable[..., Hub], persons: Persons, client: str, visible: tuple[str, ...], hidden: tuple[str, ...]
) -> None:
    plain, fuller = new_hub(), new_hub()
    births = count(0, 5)
    cursor = [""]

    def same(step: Step, *pairs: tuple[httpx.Response, httpx.Response]) -> None:
        for left, right in pairs:
            assert left.status_code == right.status_code < 500, f"{left.request.url.path} {step}"
            assert left.content == right.content, f"{left.request.url.path} {step}"
            assert left.headers == right.headers

    def followed(step: Step) -> None:
        """Both feeds from where the reader was, to the byte."""
        left, right = (hub.changes(client, cursor[0], limit=1000) for hub in (plain, fuller))
        same(step, (left, right))
        cursor[0] = left.json()["cursor"]

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        steps(SHARED + visible, 5).flatmap(
            lambda shared: st.tuples(
                st.just(shared),
                st.lists(steps(hidden, 2), min_size=len(shared) + 1, max_size=len(shared) + 1),
                st.lists(st.booleans(), min_size=len(shared) + 1, max_size=len(shared) + 1),
            )
        )
    )
    def law(history: tuple[list[Step], list[list[Step]], list[bool]]) -> None:
        shared, more, follows = history
        first = next(births)
        one, children = persons(first), [persons(first + n) for n in range(1, 5)]
        for hub in (plain, fuller):
            hub.master.clock.instant = START
            begin(hub, one, children)
        followed(("begin", 0))
        for place, step in enumerate([("", 0), *shared]):
            for hub in (plain, fuller):
                tell(hub, step, 10 * place + 10, one, children)
            for nth, extra in enumerate(more[place]):
                tell(fuller, extra, 10 * place + 11 + nth, one, children)
            same(step, *zip(seen(plain, client, one), seen(fuller, client, one), strict=True))
            if follows[place]:
                followed(step)
        followed(("end", 0))

    law()


def test_who_reads_employees_cannot_tell_whether_they_are_guardians(
    new_hub: Callable[..., Hub], persons: Persons
) -> None:
    check(new_hub, persons, "staff", EMPLOYED, CUSTODY[:2])


def test_who_reads_guardians_cannot_tell_whether_they_are_employed(
    new_hub: Callable[..., Hub], persons: Persons
) -> None:
    check(new_hub, persons, "guardians", CUSTODY, EMPLOYED)


def test_who_reads_employees_cannot_tell_whether_they_are_pupils_consultants_politicians_or_robots(
    new_hub: Callable[..., Hub], persons: Persons
) -> None:
    check(new_hub, persons, "staff", EMPLOYED, SCHOOL + OTHERS)


def test_who_reads_pupils_cannot_tell_whether_they_have_any_other_role(
    new_hub: Callable[..., Hub], persons: Persons
) -> None:
    check(new_hub, persons, "school", SCHOOL, EMPLOYED + CUSTODY[:2] + OTHERS)


def test_who_reads_one_unit_cannot_tell_whether_they_work_in_another_or_are_guardians(
    new_hub: Callable[..., Hub], persons: Persons
) -> None:
    check(new_hub, persons, "unit", ("hired here",), ELSEWHERE + CUSTODY[:2])


def test_a_login_that_serves_a_hidden_role_too_looks_the_same(new_hub: Callable[..., Hub], persons: Persons) -> None:
    plain, fuller = new_hub(), new_hub()
    one = persons(1)
    served = [persona_key("employment", "kommun", "E1"), persona_key("mandate", "kommun", "M1")]
    segments = (Segment(dt.date(2026, 1, 1)),)
    for hub, keys in ((plain, served[:1]), (fuller, served)):
        hub.master.ingest([hub.master.record(one, "1", *post("Anna"), event="a")])
        hired = Employment("kommun", "E1", segments)
        hub.master.ingest([hub.master.record(one, "1", hired, source="hr", key="E1", event="b")])
        if hub is fuller:
            mandate = Mandate("kommun", "M1", segments)
            hub.master.ingest([hub.master.record(one, "1", mandate, source="politicians", key="M1", event="c")])
        for count_ in range(1, len(keys) + 1):  # iam tells of the login, and again when it serves one more role
            facts = AccountFacts("account-1", tuple(keys[:count_]), "ab12cd", "", "a@kommun.test")
            hub.master.ingest([hub.master.account(one.id, str(count_), facts)])
    for left, right in zip(seen(plain, "staff", one), seen(fuller, "staff", one), strict=True):
        assert (left.status_code, left.content) == (right.status_code, right.content)
    assert "ab12cd" in plain.person(one, "staff").text
    assert plain.changes("staff").content == fuller.changes("staff").content


def test_the_order_of_notices_does_not_tell_who_had_a_hidden_change_last(
    new_hub: Callable[..., Hub], persons: Persons
) -> None:
    plain, fuller = new_hub(), new_hub()
    pair = sorted((persons(1), persons(2)), key=lambda one: one.id)
    pages = []
    for hub in (plain, fuller):
        for who in pair:
            hub.master.ingest([hub.master.record(who, "1", *post("Anna"), event=f"a-{who.id}")])
        if hub is fuller:
            hub.master.ingest([hub.master.record(pair[0], "2", living("Nygatan 2"))])
        pages.append(hub.changes("names").content)
    assert pages[0] == pages[1]


def test_the_comparison_sees_a_role_that_is_shown(new_hub: Callable[..., Hub], persons: Persons) -> None:
    """The check itself can fail: a reader of everybody sees the difference."""
    plain, fuller = new_hub(), new_hub()
    one, child = persons(1), persons(2)
    for hub, custody in ((plain, ()), (fuller, (guardian_of(child),))):
        hub.master.ingest([hub.master.record(child, "1", *post("Cia"), event="a")])
        hub.master.ingest([hub.master.record(one, "1", *post("Anna", *custody), event="b")])
    pairs = zip(seen(plain, "open", one), seen(fuller, "open", one), strict=True)
    differs = [left.request.url.path for left, right in pairs if left.content != right.content]
    assert differs[:1] == [f"/v1/persons/{one.id}"]
    assert "/v1/prefill/preschool-place" in differs
