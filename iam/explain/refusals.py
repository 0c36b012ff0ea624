"""Which account rules of a policy give a person nothing now, and why: asked of the same pure functions as evaluation."""

import datetime as dt

from iam.domain.account import Existence
from iam.domain.bases import bases
from iam.domain.policy import Policy
from iam.domain.profile import restricted
from iam.domain.world import World, units_read
from iam.explain.explanation import NotGiven
from iam.store import world as store
from iam.store.bodies import open_person
from iam.store.world import Connection
from streams.contracts.time import local_date
from streams.sealing import KeyRing, KeyState


def not_given(
    connection: Connection, keys: KeyRing, person_id: str, policy: Policy, now: dt.datetime
) -> tuple[NotGiven, ...]:
    """Empty for a person whose document is not known here, or is sealed with a key that is gone."""
    person_id = store.redirects(connection, [person_id]).get(person_id, person_id)
    found: list[NotGiven] = []
    for row in store.persons(connection, [person_id]):
        if not row.body:
            continue
        person = open_person(keys.find({row.key_id}), row.id, row.key_id, row.body)
        if isinstance(person, KeyState):
            continue
        _, units = store.units_with_ancestors(connection, units_read(person))
        given, refused = bases(person, World(units), policy, local_date(now))
        found.extend(NotGiven(one.rule, one.persona, one.code) for one in refused)
        if restricted(person):
            closed = sorted(name for name, target in policy.targets.items() if not target.takes_restricted)
            found.extend(
                NotGiven(basis.rule.id, basis.persona.key, "protected-hosting", target)
                for basis in given
                if basis.existence is not Existence.LIMBO
                for target in closed
                if target in basis.rule.targets
            )
    return tuple(found)
