"""SM1 to SM4 driven by random events against the real ingest, beside a model of a few lines.

The model knows what each source has said in which order of versions, and keeps no documents: after each event it says
what must hold of the stored ones (design.md, invariants 4, 10 and 11; domain/scenarios.md, SM1 to SM4).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from mmd.domain.claims import claim_key
from mmd.domain.protection import LEVEL
from mmd.ingest.prepare import Preparer
from streams.contracts.claims import (
    Absent,
    Body,
    Claim,
    ClaimName,
    Employment,
    Leave,
    Lift,
    Marking,
    Name,
    Protection,
    Registration,
    Segment,
)
from streams.contracts.documents import PersonaType, PersonDocument, Redirect
from streams.envelope import Message
from tests.integration.mmd.conftest import DIGEST_SECRET, PERSON_SECRET
from tests.laws import times

if TYPE_CHECKING:
    from tests.integration.mmd.conftest import Master, Someone

CAST = 4
START = dt.date(2026, 3, 2)
WEEK = dt.timedelta(days=7)

who = st.integers(0, CAST - 1)
weeks = st.integers(-8, 8).map(lambda n: START + n * WEEK)
employment = st.sampled_from(["E1", "E2", "E3"])
MARKINGS = (Protection(), Protection(True), Protection(skyddad_folkbokforing=True), Protection(unknown_token=True))


@dataclass
class Held:
    """What HR said last of one employment."""

    who: int
    start: dt.date
    end: dt.date | None
    leave: tuple[dt.date, dt.date] | None = None
    cancelled: bool = False

    def state(self, on: dt.date) -> str:
        if self.cancelled:
            return "cancelled"
        if on < self.start:
            return "planned"
        if self.end is not None and on > self.end:
            return "closed"
        return "on-leave" if self.leave and self.leave[0] <= on <= self.leave[1] else "active"


@dataclass
class Model:
    raised: dict[int, dict[ClaimName, Marking]] = field(default_factory=dict)
    spoken: set[int] = field(default_factory=set)
    dead: set[int] = field(default_factory=set)
    heard: set[int] = field(default_factory=set)
    held: dict[str, Held] = field(default_factory=dict)
    succeeded: dict[int, int] = field(default_factory=dict)

    def oldest(self, one: int) -> int:
        before = {new: old for old, new in self.succeeded.items()}
        while one in before:
            one = before[one]
        return one

    def current(self, one: int) -> int:
        while one in self.succeeded:
            one = self.succeeded[one]
        return one

    def joined(self, one: int) -> set[int]:
        return {other for other in range(CAST) if self.oldest(other) == self.oldest(one)}

    def marking(self, one: int) -> Marking:
        raised = [marking for other in self.joined(one) for marking in self.raised.get(other, {}).values()]
        if raised:
            return max(raised, key=LEVEL.__getitem__)
        return Marking.NONE if self.joined(one) & self.spoken else Marking.UNVERIFIED


class Municipality(RuleBasedStateMachine):
    """One municipality. `master` and `people` are given by the test."""

    master: Master
    people: list[Someone]

    def __init__(self) -> None:
        super().__init__()
        with self.master.pool.connection() as connection:
            names = connection.execute("select tablename from pg_tables where schemaname = 'mmd'").fetchall()
            kept = {"alembic_version", "epoch"}
            connection.execute("; ".join(f"delete from mmd.{name}" for (name,) in names if name not in kept).encode())
        self.model = Model()
        self.version = 0
        self.today = START
        self.before: dict[int, PersonDocument] = {}
        self.touched: set[int] | None = None
        self.lifted = False
        master = self.master
        self.preparer = Preparer(master.codec, master.keys, master.register, PERSON_SECRET, DIGEST_SECRET)

    def tell(
        self, source: str, about: int, *claims: Body | Claim, key: str = "", touches: set[int] | None = None
    ) -> Message:
        self.version += 1
        self.lifted = False
        self.before = self.documents()
        self.touched = {other for one in (touches or set()) | {about} for other in self.model.joined(one)}
        person = self.people[about]
        at = self.master.clock.now() + dt.timedelta(seconds=self.version)
        message = self.master.record(
            person, f"{self.version:06}", *claims, source=source, key=key, at=at, event=f"e{self.version}"
        )
        self.master.ingest([message])
        self.model.heard.add(about)
        return message

    def documents(self) -> dict[int, PersonDocument]:
        found = self.master.reader.persons([one.id for one in self.people])
        return {at: found[one.id] for at, one in enumerate(self.people) if one.id in found}

    # --- SM2 ---
    @rule(about=who, source=st.sampled_from(["navet", "navet", "hr"]), said=st.sampled_from(MARKINGS))
    def says_of_protection(self, about: int, source: str, said: Protection) -> None:
        if source == "navet":
            self.model.spoken.add(about)
        message = self.tell(source, about, said, key="" if source == "navet" else f"P{about}")
        if said.marking is not Marking.NONE:
            (claim,) = self.preparer.prepare([message]).claims.values()
            self.model.raised.setdefault(about, {})[claim_key(claim.logged)[1]] = said.marking

    @precondition(lambda self: any(self.model.raised.values()))
    @rule(data=st.data(), approved=st.sampled_from(["bertil", "bertil", ""]))
    def an_officer_lifts_some_raises(self, data: st.DataObject, approved: str) -> None:
        """A proposal lifts nothing; what is not named stands, and so does what comes later."""
        about = data.draw(st.sampled_from(sorted(one for one, raised in self.model.raised.items() if raised)))
        raised = self.model.raised[about]
        names = data.draw(st.lists(st.sampled_from(list(raised)), min_size=1, unique=True))
        self.tell("ruling", about, Lift(tuple(names), "a decision", "anna", approved), key=f"lift-{self.version}")
        if approved == "bertil":
            self.lifted = True
            for name in names:
                del raised[name]

    @rule(about=who)
    def a_total_post_lacks_the_marking(self, about: int) -> None:
        self.tell("navet", about, Absent("protection"), Absent("special-address"))

    # --- SM1 ---
    @rule(about=who, code=st.sampled_from(["", "UV", "OB", "TA", "FI", "AV"]))
    def is_deregistered_or_comes_back(self, about: int, code: str) -> None:
        if code == "AV":
            self.model.dead.add(about)
        self.tell("navet", about, Registration(code, "2026-03"))

    @rule(about=who, given=st.sampled_from(["Anna", "Bo"]), since=weeks)
    def is_named(self, about: int, given: str, since: dt.date) -> None:
        self.tell("navet", about, Claim(Name(given, "", "Ek", given), since))

    @rule(old=who, new=who, both=st.sampled_from(["old", "new", "both"]), code=st.sampled_from(["GN", "GS"]))
    def gets_another_number(self, old: int, new: int, both: str, code: str) -> None:
        """The end of one line gets the beginning of another as its next number: no number follows two others."""
        model = self.model
        if model.current(old) != old or model.oldest(new) != new or model.oldest(old) == new:
            return
        model.succeeded[old] = new
        if both in ("old", "both"):
            self.tell("navet", old, Registration(code), self.people[old].refers(self.people[new], superseded=True))
        if both in ("new", "both"):
            self.tell("navet", new, Registration(), self.people[new].refers(self.people[old]))

    # --- SM3, SM4 ---
    @rule(about=who, key=employment, start=weeks, length=st.none() | st.integers(0, 8), leave=st.booleans())
    def is_hired_or_changed(self, about: int, key: str, start: dt.date, length: int | None, leave: bool) -> None:
        end = None if length is None else start + length * WEEK
        away = (start, start + WEEK) if leave else None
        self._employ(key, Held(about, start, end, away))

    @precondition(lambda self: self.model.held)
    @rule(data=st.data(), days=st.integers(-30, 0))
    def ends_or_is_prolonged(self, data: st.DataObject, days: int) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.held)))
        held = self.model.held[key]
        self._employ(key, Held(held.who, held.start, max(held.start, self.today + dt.timedelta(days=days))))

    @precondition(lambda self: self.model.held)
    @rule(data=st.data())
    def is_taken_back(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.held)))
        held = self.model.held[key]
        self._employ(key, Held(held.who, held.start, held.end, cancelled=True))

    @precondition(lambda self: self.model.held)
    @rule(data=st.data())
    def is_absent_from_a_total_load(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.held)))
        held = self.model.held.pop(key)
        self.tell("hr", held.who, Absent("employment"), key=key)

    def _employ(self, key: str, now: Held) -> None:
        before = self.model.held.get(key)
        self.model.held[key] = now
        leaves = (Leave(*now.leave),) if now.leave else ()
        body = Employment("kommun", key, (Segment(now.start, now.end, "unit:kommun:1"),), leaves, now.cancelled)
        self.tell("hr", now.who, body, key=key, touches={before.who} if before else None)

    @rule(days=st.sampled_from([1, 7, 40]))
    def time_passes(self, days: int) -> None:
        self.today += dt.timedelta(days=days)
        self.before, self.touched = {}, None

    # --- what must hold ---
    @invariant()
    def each_number_leads_to_exactly_one_person_with_at_most_one_current_number(self) -> None:
        documents = self.documents()
        for one, document in documents.items():
            assert document.id == self.people[self.model.oldest(one)].id
            current = [entry.value for entry in document.numbers if entry.current]
            assert current in ([], [self.people[self.model.current(one)].identifier.value])
            if one != self.model.oldest(one):
                assert self.master.reader.person(self.people[one].id) == Redirect(self.people[one].id, document.id)
        assert self.model.heard <= documents.keys()

    @invariant()
    def the_marking_is_the_highest_that_stands_and_falls_by_a_lift_alone(self) -> None:
        for one, document in self.documents().items():
            assert document.marking is self.model.marking(one)
            before = self.before.get(one)
            if before is not None and before.marking is not None and document.marking is not None:
                fell = LEVEL[document.marking] < LEVEL[before.marking]
                spoken_of = (before.marking, document.marking) == (Marking.UNVERIFIED, Marking.NONE)
                assert not fell or spoken_of or self.lifted

    @invariant()
    def death_is_absorbing_and_an_unknown_code_is_never_open(self) -> None:
        for one, document in self.documents().items():
            if self.model.joined(one) & self.model.dead:
                assert document.status is not None
                assert document.status.state == "deceased"
                assert document.status.date in ("2026-03", None)
            elif document.status is not None and document.status.code in ("TA", "FI"):
                assert (document.status.state, document.quarantined) == ("quarantined", "code.unknown")

    @invariant()
    def each_employment_is_one_persona_of_one_person_in_the_state_that_its_dates_say(self) -> None:
        for one, document in self.documents().items():
            personas = {p.source_id: p for p in document.personas if p.type is PersonaType.EMPLOYEE}
            mine = {key: held for key, held in self.model.held.items() if held.who in self.model.joined(one)}
            assert personas.keys() == mine.keys()
            for key, held in mine.items():
                for on in (self.today - WEEK, self.today, self.today + WEEK):
                    assert personas[key].state(on) == held.state(on)

    @invariant()
    def an_event_about_one_person_changes_no_other(self) -> None:
        if self.touched is None:
            return
        after = self.documents()
        for one, document in self.before.items():
            if not self.model.joined(one) & self.touched:
                assert after[one] == document

    @invariant()
    def an_event_about_one_employment_changes_no_other_persona(self) -> None:
        """Invariant 11: what ends one persona leaves the others to the byte, but for their person's new number."""
        after = self.documents()
        for one, document in self.before.items():
            now = {persona.key: persona for persona in after[one].personas}
            changed = [p for p in document.personas if now.get(p.key) != p]
            assert len(changed) <= 1


def test_random_events_keep_the_state_machines_of_person_protection_employment_and_persona(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    class Here(Municipality):
        pass

    Here.master, Here.people = master, [persons(n) for n in range(CAST)]
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=times(25), stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
