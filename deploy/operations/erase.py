"""Erasure (*gallring*) of one person by a decision: keys, master, ledger. The order makes a crash harmless: do it again.

First it is written down, with digests of the names; then the keys are destroyed, and with them every copy in the log, in
topics, stores and backups; then the stores forget. The relay publishes tombstones, and provisioning removes the accounts.
"""

from dataclasses import dataclass

from deploy.rulings.sending import names_nobody
from deploy.settings import ProvisioningSettings
from deploy.wiring.base import Base
from iam.store import retired
from mmd.ingest.erasure import forget, heads_of, whole_of
from streams.contracts.errors import Rejected
from streams.erasures import Erasure, Erasures


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
    input.missing and decision.two-persons as `Erasure` does.
    """
    names_nobody(decision=decision, asked_by=asked_by, approved_by=approved_by)
    with base.pool.connection() as connection:
        whole = whole_of(connection, person)
        heads = heads_of(connection, whole)
        names = retired.names_of(connection, settings.secret("account.secret"), whole.ids)
    erasure = Erasure(decision, person, asked_by, approved_by, base.clock.now(), tuple(names), tuple(heads))
    if not whole.ids:
        raise Rejected("resource.unknown", "no such person")
    Erasures(base.keys_pool).record(erasure)
    base.keys.erase(set(whole.owners))
    with base.pool.connection() as connection:
        forget(connection, whole, decision, base.clock.now())
        retired.retire(connection, settings.secret("account.secret"), whole.ids)
    return Erased(person, len(whole.ids), len(whole.subjects), len(names))


def again(base: Base, settings: ProvisioningSettings) -> int:
    """Every erasure that was ever decided, where a store knows the person again: it was restored from a backup, or made anew
    while that was carried out. How many there were. Durable when it returns."""
    found = 0
    for erasure in Erasures(base.keys_pool).all():
        with base.pool.connection() as connection:
            whole = whole_of(connection, erasure.person)
            if whole.subjects:
                base.key_ring().erase(set(whole.owners))
                forget(connection, whole, erasure.decision, base.clock.now())
                retired.retire(connection, settings.secret("account.secret"), whole.ids)
                found += 1
    return found
