"""People, units and a policy in few words, for the tests of provisioning."""

import datetime as dt

from iam.domain.account import Presence
from iam.domain.desired import Desired, DesiredAccount, desired, wanted
from iam.domain.naming import account_id, digest_salt, uids
from iam.domain.policy import Policy
from iam.domain.world import AccountKey, Given, Previous, World
from iam.evaluate.changes import existence_of
from streams.contracts.claims import Leave, Marking, Segment, UnitPeriod, persona_key, unit_key
from streams.contracts.documents import (
    NameEntry,
    Persona,
    PersonaType,
    PersonDocument,
    Stamp,
    StatusEntry,
    TextValue,
    UnitDocument,
    UnitNameEntry,
    UnitParentEntry,
)
from streams.contracts.time import STOCKHOLM

SECRET = b"a" * 32
DOMAIN = "kommun.test"
EMPLOYER = "kommun"
DAY = dt.date(2026, 10, 1)
LONG_AGO = dt.date(2000, 1, 1)
STAMP = Stamp("hr", "e1", "20260901000000", dt.datetime(2026, 9, 1, tzinfo=dt.UTC), "event-1")
O1, O2, TOP = (unit_key(EMPLOYER, name) for name in ("o1", "o2", "top"))

POLICY_DATA = {
    "version": "test-1",
    "targets": {
        "directory": {"hosting": "onprem", "classification": "K2"},
        "cloud": {"hosting": "cloud", "classification": "K1"},
    },
    "accounts": [{"id": "staff", "persona": "employee", "class": "staff", "targets": ["directory", "cloud"]}],
    "grants": [
        {"id": "org", "persona": "employee", "groups": ["org:{unit}"]},
        {"id": "usk", "persona": "employee", "when": {"aid": ["207008"]}, "groups": ["role:usk"], "leave": "remove"},
        {"id": "chef", "persona": "employee", "when": {"titles": ["Enhetschef"]}, "groups": ["role:chef"]},
        {
            "id": "attest",
            "persona": "employee",
            "when": {"titles": ["Enhetschef"]},
            "groups": ["role:attest-{responsibility}"],
        },
    ],
}
POLICY = Policy.from_data(POLICY_DATA)


def at(day: dt.date, hour: int = 12, minute: int = 0) -> dt.datetime:
    """An instant of the Swedish day, as UTC."""
    return dt.datetime.combine(day, dt.time(hour, minute), STOCKHOLM).astimezone(dt.UTC)


def unit(
    key: str, *, name: str = "", parent: str = TOP, since: dt.date = LONG_AGO, to: dt.date | None = None
) -> UnitDocument:
    parents = (UnitParentEntry(parent, STAMP, valid_from=LONG_AGO),) if parent else ()
    return UnitDocument(
        key,
        periods=(UnitPeriod(since, to),),
        node_stamp=STAMP,
        responsibility_code=key.rpartition(":")[2] + "-100",
        names=(UnitNameEntry(name or key, STAMP, valid_from=LONG_AGO),),
        parents=parents,
    )


UNITS = {key: unit(key) for key in (O1, O2)} | {TOP: unit(TOP, parent="")}


def work(
    number: str = "e1",
    *,
    since: dt.date = dt.date(2020, 1, 1),
    to: dt.date | None = None,
    at_unit: str = O1,
    aid: str = "207008",
    title: str = "Undersköterska",
    manager: str = "",
    leaves: tuple[Leave, ...] = (),
    segments: tuple[Segment, ...] = (),
    cancelled: bool = False,
) -> Persona:
    one = Segment(since, to, unit=at_unit, title=title, aid=aid, manager=manager)
    return Persona(
        persona_key("employment", EMPLOYER, number),
        PersonaType.EMPLOYEE,
        STAMP,
        employer=EMPLOYER,
        source_id=number,
        segments=segments or (one,),
        leaves=leaves,
        cancelled=cancelled,
    )


def person(
    *personas: Persona,
    who: str = "p1",
    given: str = "Kanariefågel",
    family: str = "Utpekad",
    marking: Marking | None = Marking.NONE,
    restricted: bool = False,
    agreed: str = "",
    status: str = "registered",
    aliases: tuple[str, ...] = (),
    quarantined: str = "",
) -> PersonDocument:
    return PersonDocument(
        who,
        aliases=aliases,
        marking=marking,
        restricted=restricted,
        names=(NameEntry(given, "", family, given, STAMP),),
        agreed_name=TextValue(agreed, STAMP) if agreed else None,
        status=StatusEntry(status, STAMP),
        personas=personas,
        quarantined=quarantined,
    )


def given_of(who: str = "p1", account_class: str = "staff") -> dict[AccountKey, list[Given]]:
    key = AccountKey(who, EMPLOYER, account_class)
    account = account_id(SECRET, key)
    uid = next(uids(SECRET, account))
    return {key: [Given(account, uid, f"{uid}@{DOMAIN}", digest_salt(SECRET, account))]}


class Provisioning:
    """A person's accounts through time: what was desired before is remembered, as evaluation does."""

    def __init__(self, policy: Policy = POLICY, units: dict[str, UnitDocument] | None = None) -> None:
        self.policy = policy
        self.units = UNITS if units is None else units
        self.names: dict[AccountKey, list[Given]] = {}
        self.previous: dict[tuple[str, str], Previous] = {}
        self.last: Desired | None = None

    def see(self, document: PersonDocument, now: dt.datetime) -> dict[str, DesiredAccount]:
        """What is desired now, by target (for a person with one account)."""
        world = World(self.units, {}, dict(self.previous))
        for key in wanted(document, world, self.policy, now) - self.names.keys():
            self.names |= given_of(key.person, key.account_class)
        self.last = desired(document, world, self.policy, self.names, now)
        for one in self.last.accounts:
            state = one.intent.state
            existence = existence_of(state.presence, create_missing=one.intent.create_missing)
            self.previous[one.account.id, one.target] = Previous(
                existence, state.groups, one.intent.reasons, state.attributes
            )
        return {one.target: one for one in self.last.accounts}

    def presence(self, document: PersonDocument, now: dt.datetime, target: str = "directory") -> Presence | None:
        found = self.see(document, now).get(target)
        return found.intent.state.presence if found else None

    def groups(self, document: PersonDocument, now: dt.datetime, target: str = "directory") -> frozenset[str]:
        found = self.see(document, now).get(target)
        return found.intent.state.groups if found else frozenset()
