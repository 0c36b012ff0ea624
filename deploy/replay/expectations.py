"""Expectations held against what is stored and what the targets hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.targets.port import Observed
from deploy.readings import Readings
from deploy.replay.matching import differences
from deploy.replay.scenario import (
    AccountExpectation,
    Expectation,
    GroupsExpectation,
    HadBefore,
    PersonExpectation,
    ReportRow,
    Scenario,
    ThingExpectation,
    filled,
)
from deploy.replay.views import account_view, person_view, thing_view
from deploy.report import side_by_side
from deploy.rulings.disclosed import report as disclosed
from streams.clock import today


@dataclass(frozen=True, slots=True)
class Baseline:
    """Counts at the last expectation, the uids seen first, and the person ids seen last, by cast name: accounts of whoever
    is erased are found by them."""

    calls: Mapping[str, int]
    changes: int
    uids: Mapping[str, str] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, readings: Readings, uids: Mapping[str, str] | None = None, ids: Mapping[str, str] | None = None
    ) -> "Baseline":
        return cls(readings.target_calls(), readings.master_changes(), uids or {}, ids or {})


def check(want: Expectation, scenario: Scenario, world: Readings, since: Baseline) -> tuple[list[str], Baseline]:
    """The expectations that failed, as lines, and the baseline for the next ones."""
    failures: list[str] = []
    for name, person in want.persons.items():
        failures += [f"person {name}{line}" for line in _person(person, scenario.cast[name].number, world)]
    for key, thing in want.things.items():
        failures += [f"{key} seen by {thing.seen_by}: {line}" for line in _thing(key, thing, scenario, world)]
    uids, ids = dict(since.uids), {**since.ids, **_ids(scenario, world)}
    for name, targets in want.accounts.items():
        for target, account in targets.items():
            if target.partition("/")[0] not in world.targets:
                failures.append(f"account {name}: there is no target {target}")
                continue
            got = account_view(_account_in(world, ids.get(name), target))
            if got["uid"]:
                uids.setdefault(f"{name}@{target}", got["uid"])
            failures += [f"account {name} in {target}: {line}" for line in _account(account, got)]
    for name, rows in want.report.items():
        failures += [f"report {name}: {line}" for line in _report(rows, world, scenario.cast[name].number)]
    for name, had in want.had_before.items():
        failures += [f"had before {name}: {line}" for line in _had_before(had, world, scenario.cast[name].number)]
    failures += _counts(want, world, since)
    for key, uid in uids.items():
        name, _, target = key.partition("@")
        if want.same_uid and name in want.same_uid:
            now = account_view(_account_in(world, ids.get(name), target))["uid"]
            if now != uid:
                failures.append(f"account {name} in {target}: want the same uid as before, got another")
    for name in want.unused_uid or ():
        failures += [f"uid of {name}: {line}" for line in _used(name, uids, world)]
    for text in want.nowhere or ():
        failures += [f"{text!r} is readable in {place}" for place in world.leaks.find(filled(text, scenario.cast))]
    return failures, Baseline.of(world, uids, ids)


def _ids(scenario: Scenario, world: Readings) -> dict[str, str]:
    found = ((name, world.person_id(one.number)) for name, one in scenario.cast.items())
    return {name: person for name, person in found if person is not None}


def _account_in(world: Readings, person: str | None, target: str) -> Observed | None:
    """`target`: its name, and behind a slash the class of account where a person has several."""
    name, _, account_class = target.partition("/")
    return None if person is None else world.account_of(person, name, account_class)


def _used(name: str, uids: Mapping[str, str], world: Readings) -> list[str]:
    """In which targets an account has a uid that was this cast member's."""
    theirs = {uid for key, uid in uids.items() if key.partition("@")[0] == name}
    if not theirs:
        return ["none was seen before"]
    held = {target for target, one in world.targets.items() if any(o.state.uid in theirs for o in one.read_all())}
    return [f"is in {target}" for target in sorted(held)]


def _person(want: PersonExpectation, number: str, world: Readings) -> list[str]:
    document = world.person(number)
    if document is not None and want.seen_by:
        release = world.releases.get(want.seen_by)
        if release is None:
            return [f": no release {want.seen_by!r}"]
        document = world.answer(document, release)
    seen = f" seen by {want.seen_by}" if want.seen_by else ""
    if document is None or not want.known:
        return [] if (document is not None) == want.known else [f"{seen}: want known {want.known}"]
    view = person_view(document, today(world.clock))
    unknown = [f"{seen}: there is nothing called {name} to see" for name in want.has if name not in view]
    return unknown + [f"{seen}: {line}" for line in differences(want.has, view)]


def _thing(key: str, want: ThingExpectation, scenario: Scenario, world: Readings) -> list[str]:
    release = world.releases.get(want.seen_by)
    if release is None:
        return ["there is no such release"]
    document = world.thing(key, release)
    if document is None or not want.known:
        return [] if (document is not None) == want.known else [f"want known {want.known}"]
    people = {world.person_id(one.number): name for name, one in scenario.cast.items()}
    view = thing_view(document, {one: name for one, name in people.items() if one}, today(world.clock))
    unknown = [f"there is nothing called {name} to see" for name in want.has if name not in view]
    return unknown + differences(want.has, view)


def _account(want: AccountExpectation, got: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    if want.state is not None and got["state"] != want.state:
        found.append(f"want state {want.state}, got {got['state']}")
    found += [f"attributes.{line}" for line in differences(want.attributes, got["attributes"])]
    groups = set(got["groups"])
    if isinstance(want.groups, GroupsExpectation):
        if missing := set(want.groups.has) - groups:
            found.append(f"want groups {sorted(missing)}, got {sorted(groups)}")
        if surplus := set(want.groups.lacks) & groups:
            found.append(f"want no groups {sorted(surplus)}, got {sorted(groups)}")
    elif want.groups is not None and set(want.groups) != groups:
        found.append(f"want groups {sorted(want.groups)}, got {sorted(groups)}")
    return found


def _report(want: Sequence[ReportRow], world: Readings, number: str) -> list[str]:
    got = {row.what: row for row in side_by_side(world, number)}
    found: list[str] = []
    for row in want:
        actual = got.get(row.what)
        if actual is None:
            found.append(f"no row {row.what}")
            continue
        for column in ("source", "master"):
            wanted = getattr(row, column)
            if wanted is not None and wanted != getattr(actual, column):
                found.append(f"{row.what}: want {column} {wanted!r}, got {getattr(actual, column)!r}")
        found += [f"{row.what}: {line}" for line in differences(dict(row.targets), dict(actual.targets))]
    return found


def _had_before(want: HadBefore, world: Readings, number: str) -> list[str]:
    person = world.person_id(number)
    found = None if person is None else disclosed(world.reader, world.pool, person)
    if found is None:
        return ["no such person"]
    had: dict[str, set[str]] = {}
    for target in found.targets:
        had.setdefault(f"target {target.target}", set()).update(target.attributes)
    for reader in found.readers:
        if reader.before:
            had.setdefault(f"reader {reader.release}", set()).update(reader.attributes)
    wanted = {f"target {name}": one for name, one in want.targets.items()}
    wanted |= {f"reader {name}": one for name, one in want.readers.items()}
    return [
        f"{name}: want {attributes}, got {sorted(had[name]) if name in had else None}"
        for name, attributes in wanted.items()
        if (None if attributes is None else set(attributes)) != had.get(name)
    ]


def _counts(want: Expectation, world: Readings, since: Baseline) -> list[str]:
    found: list[str] = []
    if want.target_calls is not None:
        now = world.target_calls()
        calls = {target: now.get(target, 0) - since.calls.get(target, 0) for target in {*world.targets, *now}}
        if isinstance(want.target_calls, int):
            if sum(calls.values()) != want.target_calls:
                found.append(f"target calls: want {want.target_calls}, got {calls}")
        else:
            found += [f"target calls {line}" for line in differences(want.target_calls, calls)]
    if want.master_changes is not None and world.master_changes() - since.changes != want.master_changes:
        found.append(f"master changes: want {want.master_changes}, got {world.master_changes() - since.changes}")
    if want.dead_letters is not None and world.dead_letters() != want.dead_letters:
        found.append(f"dead letters: want {want.dead_letters}, got {world.dead_letters()}")
    if want.conflicts is not None:
        found += [f"conflicts{line}" for line in differences(want.conflicts, world.conflicts())]
    return found
