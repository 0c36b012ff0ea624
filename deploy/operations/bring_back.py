"""Return after an erasure (*återkomst efter gallring*): whoever was erased is taken in again, and what was erased is not.

The order makes a crash harmless: do it again. From the moment when keys can be made again until the ruling is stored no
edge reads a file, so whoever was marked is marked before anything else is said of them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from connectors.sources import snapshot
from connectors.sources.registry import SOURCES
from connectors.sources.state import all_exclusive
from deploy.operations.erase import finish
from deploy.rulings.sending import Desk, names_nobody
from deploy.settings import MasterSettings, ProvisioningSettings
from deploy.wiring import master
from deploy.wiring.base import Base
from mmd.domain.protection import LEVEL
from mmd.ingest.erasure import count_a_return, holds_claims, publish_again
from streams.contracts import claims
from streams.contracts.claims import Claim, Marking, Protection, SourceRecord
from streams.contracts.errors import Rejected
from streams.erasures import Erasure, Erasures
from streams.hashing import uuid8
from streams.keys import CACHE_SECONDS
from streams.returns import Return, Returns, standing

_RAISE = {
    Marking.SEKRETESSMARKERING: Protection(sekretessmarkering=True),
    Marking.SKYDDAD_FOLKBOKFORING: Protection(skyddad_folkbokforing=True),
}


@dataclass(frozen=True, slots=True)
class Why:
    """What the return rests on, and who decided it."""

    decision: str
    reason: str
    asked_by: str
    approved_by: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a return does: `ended` are the erasures that end with it, none where it was written down before."""

    found: Return
    ended: tuple[Erasure, ...]


def plan(base: Base, owner: str, why: Why) -> Plan:
    """The return of whoever has `owner` as an id or a subject. Changes nothing.

    Raises `Rejected`: return.not-erased; decision.used for a decision whose return was followed by an erasure; input.invalid
    where a text holds a personnummer; input.missing and decision.two-persons as `Return`.
    """
    names_nobody(decision=why.decision, reason=why.reason, asked_by=why.asked_by, approved_by=why.approved_by)
    erasures, returns = Erasures(base.keys_pool).all(), Returns(base.keys_pool).all()
    ended = standing(erasures, owner)
    owners = {one for erasure in ended for one in erasure.owners}
    numbers = {one for erasure in ended for one in erasure.numbers}
    now = base.clock.now()
    made = Return(
        *(why.decision, ended[0].person if ended else owner, why.reason, why.asked_by, why.approved_by, now),
        *(tuple(sorted(owners)), tuple(sorted(numbers)), _marking(ended)),
    )
    for one in returns:
        if one.decision == why.decision and not {owner, *owners}.isdisjoint((one.person, *one.owners)):
            if ended:
                raise Rejected("decision.used", why.decision)
            return Plan(one, ())
    if not numbers:
        raise Rejected("return.not-erased")
    return Plan(made, tuple(ended))


def _marking(ended: Sequence[Erasure]) -> Marking:
    """The highest that stood when the person was erased; where that was not written down it counts as raised."""
    found = [Marking.SEKRETESSMARKERING if one.marking is None else one.marking for one in ended]
    return max((one for one in found if one in _RAISE), key=LEVEL.__getitem__, default=Marking.NONE)


def bring_back(
    base: Base, of_master: MasterSettings, of_provisioning: ProvisioningSettings, desk: Desk, owner: str, why: Why
) -> Return:
    """Durable when it returns; what sources say afterwards counts. Done twice it publishes the person once more, and changes
    nothing else. Raises as `plan`."""
    returns = Returns(base.keys_pool)
    with returns.alone():
        planned = plan(base, owner, why)
        found = planned.found
        for erasure in planned.ended:
            if _holds(base, erasure):
                finish(base, of_provisioning, erasure)
        returns.record(found, planned.ended)
        base.ticker.sleep(CACHE_SECONDS)  # nobody opens anything any more with what was destroyed
        with base.pool.connection() as connection:
            count_a_return(connection)
        with all_exclusive(base.pool, SOURCES):
            base.keys.readmit(set(found.owners))
            snapshot.forget(base.pool, found.owners)
            messages = desk.messages(_rulings(desk, found))
            master.ingest_handler(base, of_master)(messages)  # the log tells it again: what is said twice counts once
            with base.pool.connection() as connection:
                publish_again(connection, found.owners, found.decision, base.clock.now())
            for message in messages:
                desk.producer.send(message)
            desk.producer.flush()
    return found


def _holds(base: Base, erasure: Erasure) -> bool:
    """Whether the erasure was cut off, or the store is an older one."""
    with base.pool.connection() as connection:
        return holds_claims(connection, erasure.owners)


def _rulings(desk: Desk, found: Return) -> list[SourceRecord]:
    """One on each number, the same however often it is said."""
    name = "return-" + uuid8(hashlib.sha256("\n".join((found.decision, found.person)).encode()).digest())
    body = claims.Return(found.decision, found.reason, found.asked_by, found.approved_by)
    raised = _RAISE.get(found.marking)
    return [
        msgspec.structs.replace(
            one,
            version=f"{found.at:%Y%m%d%H%M%S%f}",
            claims=one.claims if raised is None else (*one.claims, Claim(raised)),
        )
        for one in (desk.record(name, subject, body) for subject in found.numbers)
    ]
