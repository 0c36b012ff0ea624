"""Erasure (*gallring*) of one person by a decision: keys, master, ledger. The order makes a crash harmless: do it again.

First it is written down, with digests of the names; then the keys are destroyed, and with them every copy in the log, in
topics, stores and backups; then the stores forget. The relay publishes tombstones, and provisioning removes the accounts.
"""

from dataclasses import dataclass

from deploy.rulings.sending import names_nobody
from deploy.settings import ProvisioningSettings
from deploy.wiring.base import Base
from iam.store import retired
from mmd.ingest.erasure import Whole, forget, heads_of, marking_of, whole_of
from streams.contracts.errors import Rejected
from streams.erasures import Erasure, Erasures
from streams.returns import Returns


@dataclass(frozen=True, slots=True)
class Erased:
    """How much of it there was."""

    person: str
    ids: int
    subjects: int
    names: int


def erase(
    base: Base, settings: ProvisioningSettings, person: str, decision: str, asked_by: str, approved_by: str
) -> Erased:
    """Durable when it returns; tombstones and accounts follow by the workers. Done twice it changes nothing more.

    Raises `Rejected`: resource.unknown for an id that nobody has, input.invalid where a text holds a personnummer,
    decision.used for a decision whose erasure was ended by a return, input.missing and decision.two-persons as `Erasure`.
    """
    names_nobody(decision=decision, asked_by=asked_by, approved_by=approved_by)
    erasures = Erasures(base.keys_pool)
    with Returns(base.keys_pool).alone():
        with base.pool.connection() as connection:
            whole = whole_of(connection, person)
            heads = heads_of(connection, whole)
            marking = marking_of(connection, whole)
            names = retired.names_of(connection, settings.secret("account.secret"), whole.ids)
        erasure = Erasure(
            *(decision, person, asked_by, approved_by, base.clock.now(), tuple(names), tuple(heads)),
            owners=tuple(sorted(whole.owners)),
            numbers=whole.numbers,
            marking=marking,
        )
        if not whole.ids:
            raise Rejected("resource.unknown", "no such person")
        if any((one.decision, one.person) == (decision, person) and one.ended_by is not None for one in erasures.all()):
            raise Rejected("decision.used", decision)
        erasures.record(erasure)
        base.keys.erase(set(whole.owners))
        _forget(base, settings, whole, decision)
    return Erased(person, len(whole.ids), len(whole.subjects), len(names))


def _forget(base: Base, settings: ProvisioningSettings, whole: Whole, decision: str) -> None:
    with base.pool.connection() as connection:
        forget(connection, whole, decision, base.clock.now())
        retired.retire(connection, settings.secret("account.secret"), whole.ids)


def finish(base: Base, settings: ProvisioningSettings, erasure: Erasure) -> bool:
    """Carry out an erasure that was decided, where the store knows the person; whether it did. Durable when it returns."""
    with base.pool.connection() as connection:
        whole = whole_of(connection, erasure.person)
    if whole.subjects:
        if erasure.ended_by is None:
            base.key_ring().erase(set(whole.owners))
        _forget(base, settings, whole, erasure.decision)
    return bool(whole.subjects)


def again(base: Base, settings: ProvisioningSettings, *, returned: bool = False) -> int:
    """Every erasure that stands, where a store knows the person again: it was restored from a backup, or made anew while
    that was carried out. How many there were. Durable when it returns.

    `returned`: those that were ended by a return too. Only while the store holds nothing that was said after it.
    """
    decided = Erasures(base.keys_pool).all()
    return sum(finish(base, settings, one) for one in decided if returned or one.ended_by is None)
