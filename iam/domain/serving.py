"""Which of a person's accounts serves which persona: one employment has one account, also where a merge left two."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from iam.domain.policy import Policy
from iam.domain.world import AccountKey, Given
from streams.contracts.documents import Persona, PersonDocument

JOINING = dt.timedelta(minutes=1)
"""How long an account that came with a redirect may wait for the document that tells of the merge: both are published
together, and the redirect may arrive first."""

_OVER = ("closed", "cancelled")


def served(person: PersonDocument, key: AccountKey, policy: Policy) -> tuple[Persona, ...]:
    """The personas that accounts of this key serve, whatever the day: those whose type has a rule of this class."""
    types = {rule.persona for rule in policy.accounts if rule.account_class == key.account_class}
    found = (p for p in person.personas if p.type in types and p.employer == key.employer)
    return tuple(sorted(found, key=lambda persona: persona.key))


def shares(accounts: Sequence[Given], personas: Collection[Persona], today: dt.date) -> Mapping[str, tuple[str, ...]]:
    """By account id: the keys of the personas that it serves. `accounts` of one key, the oldest first.

    Each persona is served by one of them: by the one that served it first. One that none has served goes to the oldest
    account that is in use, so that nobody gets a second login, or to the oldest of all. Stable: what comes out may be
    written down as served and gives the same again.
    """
    found: dict[str, list[str]] = {account.id: [] for account in accounts}
    new: list[str] = []
    used: set[str] = set()
    for persona in personas:
        before = [
            (account.served[persona.key], n) for n, account in enumerate(accounts) if persona.key in account.served
        ]
        if not before:
            new.append(persona.key)
            continue
        owner = accounts[min(before)[1]].id
        found[owner].append(persona.key)
        if persona.state(today) not in _OVER:
            used.add(owner)
    if accounts:
        found[next((account.id for account in accounts if account.id in used), accounts[0].id)] += new
    return {account: tuple(sorted(keys)) for account, keys in found.items()}


def awaits(account: Given, personas: Collection[Persona], now: dt.datetime) -> dt.datetime | None:
    """Until when the account waits for the document that knows the person whose it was, None: not at all. What was is
    kept so long: a document from before the merge says nothing about the personas that come with it."""
    if account.joined_at is None or any(persona.key in account.served for persona in personas):
        return None
    until = account.joined_at + JOINING
    return until if now < until else None
