"""Generated histories of a small municipality: what several sources send about several persons, as records on the wire.

A history is a few *stories* (a number change, an employment that moves between persons, total loads as committed
differences, markings that come, are lifted and come again ...), each in its own order, laid into each other. The cast
is small and stories share it, so that they meet. Whoever tells a history may shuffle, repeat and cut it: see the laws.
"""

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import strategies as st

from mmd.domain.claims import digest_of
from streams.contracts.claims import (
    Absent,
    AccountFacts,
    AgreedName,
    Assurance,
    Birth,
    Body,
    Claim,
    ClaimName,
    Custody,
    Employment,
    IdentityAssurance,
    Leave,
    Lift,
    Marking,
    Merge,
    Name,
    PostalAddress,
    Protection,
    RegisteredAddress,
    Registration,
    Relation,
    Segment,
    SourceRecord,
    SpecialAddress,
    Split,
    UnitName,
    UnitNode,
    UnitParent,
    UnitPeriod,
    UnitStructure,
    persona_key,
)
from streams.contracts.claims import DatedName as UnitNamed
from streams.hashing import id_subject
from tests.unit.mmd_domain.laws_records import (
    CAST,
    DIGEST_KEY,
    EMPLOYMENTS,
    START,
    UNITS,
    Told,
    day,
    person_id_of,
    record,
    refers,
    stamp,
    subject,
)
from tests.unit.mmd_domain.laws_registers import companies, groups, places, roles

_GROUNDS = ("a decision", "anna", "bertil")
_who = st.sampled_from(CAST)
_days = st.integers(0, 6).map(day)
_names = st.sampled_from(["Anna", "Bo", "Åsa"])


@st.composite
def _stamps(draw: st.DrawFn, most: int) -> list[str]:
    """Versions of one source key in the order in which the source made them; some are equal."""
    steps = draw(st.lists(st.integers(0, 2), min_size=1, max_size=most))
    found, at = [], 1
    for step in steps:
        at += step
        found.append(stamp(at))
    return found


_MARKINGS = (
    *(Protection(), Protection(), Protection(True), Protection(skyddad_folkbokforing=True)),
    *(Protection(unknown_token=True), Protection(True, True)),
)
_inexact = st.sampled_from([None, "2026", "2026-02", "2026-02-01"])
_groups: tuple[st.SearchStrategy[Claim], ...] = (
    st.sampled_from(_MARKINGS).map(Claim),
    st.builds(Claim, st.builds(Name, given=_names, family=_names), _days),
    st.sampled_from(["1980", "1980-02", "1980-02-01"]).map(lambda text: Claim(Birth(text))),
    st.builds(Registration, st.sampled_from(["", "", "AV", "UV", "OB", "FI"]), _inexact).map(Claim),
    st.builds(Claim, st.builds(RegisteredAddress, st.builds(PostalAddress, street=_names)), _days),
    st.builds(Claim, st.builds(SpecialAddress, st.builds(PostalAddress, street=_names)), st.none() | _days),
    st.builds(IdentityAssurance, st.sampled_from(Assurance), st.booleans()).map(Claim),
    st.sampled_from(["special-address", "custody", "name", "registered-address"]).map(lambda of: Claim(Absent(of))),
)


@st.composite
def posts(draw: st.DrawFn) -> list[SourceRecord]:
    """Posts of one number: partial ones, corrections of the past (the same valid-from, another name), absences."""
    who = draw(_who)
    return [
        record(
            "navet",
            who,
            version,
            *[draw(_groups[at]) for at in draw(st.sets(st.integers(0, len(_groups) - 1), min_size=1))],
        )
        for version in draw(_stamps(3))
    ]


@st.composite
def number_changes(draw: st.DrawFn) -> list[SourceRecord]:
    """A line of numbers. Of each change both posts point at each other, or one of them has not come; a later post of the
    new number says nothing of the old one; a number is referred to twice; now and then the line bites its tail."""
    line = draw(st.permutations(CAST))[: draw(st.integers(2, 4))]
    told: list[SourceRecord] = []
    for at, (old, new) in enumerate(pairwise(line)):
        which = draw(st.sampled_from(["both", "both", "old", "new", "neither says so"]))
        code = draw(st.sampled_from(["GN", "GS"]))
        if which in ("both", "old"):
            gone = refers(new, superseded=True)
            told.append(record("navet", old, stamp(5 + at), Protection(), Registration(code), gone))
        if which in ("both", "new"):
            told.append(record("navet", new, stamp(5 + at), Protection(), Registration(), refers(old)))
        if which == "neither says so":
            told += [record("navet", a, stamp(5 + at), refers(b)) for a, b in ((old, new), (new, old))]
        if draw(st.booleans()):
            told.append(record("navet", new, stamp(6 + at), Registration(), Claim(Name("Ny", "", "Ny"), day(2))))
    end = draw(st.sampled_from(["", "", "", "cycle", "used again"]))
    if end == "cycle":
        told.append(record("navet", line[-1], stamp(9), refers(line[0], superseded=True)))
    elif end == "used again":
        told.append(record("navet", draw(_who.filter(lambda one: one != line[-1])), stamp(9), refers(line[-1])))
    return told


@st.composite
def _worked(draw: st.DrawFn, key: str) -> Employment:
    start = draw(st.integers(0, 6))
    end = draw(st.none() | st.integers(start, 7))
    first = Segment(
        day(start),
        None if end is None else day(end),
        draw(st.sampled_from((*UNITS, ""))),
        title=draw(_names),
        manager=draw(st.just("") | _who.map(subject)),
    )
    more = (Segment(day(start + 1), None, UNITS[1]),) if draw(st.booleans()) else ()
    leaves = (Leave(day(start), day(start + 1)),) if draw(st.booleans()) else ()
    return Employment("kommun", key, (first, *more), leaves, draw(st.sampled_from([False, False, False, True])))


@st.composite
def employments(draw: st.DrawFn) -> list[SourceRecord]:
    """One employment through its versions: its person's number is corrected, it is moved, ended, prolonged, taken back,
    said twice with one stamp in different words, or absent."""
    key = draw(st.sampled_from(EMPLOYMENTS))
    told = []
    for version in draw(_stamps(4)):
        what: Body = Absent("employment") if draw(st.integers(0, 5)) == 0 else draw(_worked(key))
        named = (AgreedName(draw(_names)),) if draw(st.booleans()) else ()
        raised = (Protection(True),) if draw(st.integers(0, 7)) == 0 else ()
        told.append(record("hr", draw(_who), version, *raised, what, *named, key=key))
    return told


@st.composite
def total_loads(draw: st.DrawFn) -> list[SourceRecord]:
    """Snapshots of the HR system as the edge publishes them: differences only, one stamp a load, absences for what is
    gone, on the subject that had it."""
    told: list[SourceRecord] = []
    before: dict[str, tuple[int, Employment]] = {}
    for load in range(draw(st.integers(1, 3))):
        keys = draw(st.sets(st.sampled_from(EMPLOYMENTS)))
        now = {key: (draw(_who), draw(_worked(key))) for key in sorted(keys)}
        version = stamp(4 + 2 * load)
        told += [
            record("hr", who, version, body, key=key) for key, (who, body) in now.items() if before.get(key) != now[key]
        ]
        told += [
            record("hr", before[key][0], version, Absent("employment"), key=key)
            for key in sorted(before.keys() - now.keys())
        ]
        before = now
    return told


@st.composite
def markings(draw: st.DrawFn) -> list[SourceRecord]:
    """Protection alone: raised, said not to be, raised again, by several sources, with and without a stamp."""
    return draw(_marked(draw(_who)))


@st.composite
def _marked(draw: st.DrawFn, who: int) -> list[SourceRecord]:
    return [
        record(
            draw(st.sampled_from(["navet", "navet", "hr", "gossip"])), who, version, draw(st.sampled_from(_MARKINGS))
        )
        for version in (*draw(_stamps(3)), *draw(st.sampled_from([(), ("",)])))
    ]


@st.composite
def lifts(draw: st.DrawFn) -> list[SourceRecord]:
    """Markings, an officer's lift of some of them (and of one that never came), and markings after it: equal ones, newer
    and older ones. A lift may be a proposal, or approved by the one who asks for it; it may come before what it names."""
    who = draw(_who)
    before, after = draw(_marked(who)), draw(_marked(who))
    named = [one for one in map(_raise_name, [*before, *after[:1]]) if one is not None and draw(st.integers(0, 3))]
    approved = draw(st.sampled_from(["bertil", "bertil", "bertil", ""]))
    lift = Lift((*named, ClaimName("navet", "never", "1", "")), "a decision", "anna", approved)
    return [*before, record("ruling", who, stamp(20), lift, key=f"lift-{who}"), *after]


def _raise_name(one: SourceRecord) -> ClaimName | None:
    (claim,) = one.claims
    raised = isinstance(claim.body, Protection) and claim.body.marking is not Marking.NONE
    digest = digest_of(claim, one.subject, DIGEST_KEY)
    return ClaimName(one.source, one.source_key, one.version, digest) if raised else None


@st.composite
def rulings(draw: st.DrawFn) -> list[SourceRecord]:
    """A merge of two persons; now and then another on top of it, or the split of one of them, or both."""
    gone, stays, other = draw(st.permutations(CAST))[:3]
    told = [record("ruling", gone, stamp(10), Merge(subject(stays), *_GROUNDS), key=f"merge-{gone}")]
    if draw(st.booleans()):
        told.append(record("ruling", stays, stamp(11), Merge(subject(other), *_GROUNDS), key=f"merge-{stays}"))
    if draw(st.booleans()):
        undone = draw(st.sampled_from([gone, stays]))
        told.append(record("ruling", undone, stamp(12), Split((f"merge-{undone}",), *_GROUNDS), key=f"split-{undone}"))
    return told


@st.composite
def custody(draw: st.DrawFn) -> list[SourceRecord]:
    """Guardian and child, each post with its side of the relation, which begins, ends, or is no longer there."""
    guardian, child = draw(st.permutations(CAST))[:2]
    told = []
    for version in draw(_stamps(2)):
        start, end = draw(st.none() | _days), draw(st.none() | _days)
        for who, other, kind in ((guardian, child, "VF"), (child, guardian, "V")):
            relation = Relation(
                kind, subject(other), start, end if end is None or start is None or end >= start else None
            )
            gone = draw(st.integers(0, 4)) == 0
            told.append(record("navet", who, version, Absent("custody") if gone else Custody((relation,))))
    return told


@st.composite
def units(draw: st.DrawFn) -> list[SourceRecord]:
    """A unit on its three axes, often after those who refer to it; parents may point at each other."""
    key, parent = draw(st.permutations(UNITS))
    told = []
    for version in draw(_stamps(2)):
        start = draw(_days)
        axes: tuple[Body, ...] = (
            UnitNode((UnitPeriod(start),)),
            UnitStructure((UnitParent(parent, start),)),
            UnitName((UnitNamed(draw(_names), start),)),
        )
        told.append(
            record("org", key, version, *[axes[at] for at in sorted(draw(st.sets(st.integers(0, 2), min_size=1)))])
        )
    return told


@st.composite
def accounts(draw: st.DrawFn) -> list[SourceRecord]:
    """What iam says of an account, about a person whom it knows by an id, which may be superseded since."""
    who, told = draw(_who), []
    for version in draw(_stamps(2)):
        served = tuple(
            persona_key("employment", "kommun", key) for key in sorted(draw(st.sets(st.sampled_from(EMPLOYMENTS))))
        )
        facts = AccountFacts(f"account-{who}", served, "ab12cd")
        told.append(record("iam", id_subject(person_id_of(subject(who))), version, facts, key=facts.account))
    return told


_of_sources = (
    *(number_changes(), employments(), posts(), total_loads(), markings(), custody(), accounts(), units()),
    *(number_changes(), employments(), posts()),  # more of those where most can go wrong
)
_of_registers = (roles(), roles(), places(), groups(), companies())
_of_officers = (lifts(), rulings())


@st.composite
def histories(draw: st.DrawFn, most: int = 4, *, ruled: bool = True, roled: bool = True) -> list[Told]:
    """At least one record, in the order of first logging; some are logged at the same instant. `ruled`: with what officers
    decide too; `roled`: with roles beside employment, and the things that other registers send."""
    kinds = st.one_of(*_of_sources, *(_of_registers if roled else ()), *(_of_officers if ruled else ()))
    stories = draw(st.lists(kinds.filter(bool), min_size=1, max_size=most))
    places = [at for at, story in enumerate(stories) for _ in story]
    rest = [iter(story) for story in stories]
    merged = [next(rest[at]) for at in draw(st.permutations(places))]
    together = draw(st.integers(1, 2))
    return [Told(one, f"event-{at}", START + dt.timedelta(hours=at // together)) for at, one in enumerate(merged)]


@st.composite
def told_anyhow(draw: st.DrawFn, history: Sequence[Told]) -> list[Told]:
    """The same records in any order, some of them again with a later logging."""
    repeated = draw(st.lists(st.sampled_from(history), max_size=4))
    again = [one.again(dt.timedelta(days=draw(st.integers(0, 3)))) for one in repeated]
    return draw(st.permutations([*history, *again]))
