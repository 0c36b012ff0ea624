"""A death that the population register took back (SM1): nothing but a ruling of two persons brings somebody back to life."""

from deploy.rulings.sending import Desk, Grounds, new_name
from mmd.domain.candidates import designated
from mmd.domain.claims import LoggedClaim, claim_key
from mmd.domain.status import standing_deaths
from streams.contracts.claims import ClaimName, DeathReversal, Registration, SourceRecord
from streams.contracts.errors import Rejected


def take_back(desk: Desk, person: str, grounds: Grounds) -> list[SourceRecord]:
    """That every death that stands is taken back, each corrected by a later post of the same record. To be sent.

    Raises `Rejected`: input.missing, decision.two-persons, resource.unknown; ruling.nothing where no death stands, or where
    its source still says so.
    """
    grounds.check()
    if not desk.reader.members(person):
        raise Rejected("resource.unknown", "person")
    claims = [one for one in desk.reader.claims(person) if isinstance(one.claim.body, Registration | DeathReversal)]
    deaths = standing_deaths(designated(claims, desk.register, {}))
    if not deaths:
        raise Rejected("ruling.nothing", "no death stands")
    by_subject: dict[str, set[ClaimName]] = {}
    for one in deaths:
        newest = max((word for word in claims if _record(word) == _record(one)), key=_version)
        if newest in deaths:
            raise Rejected("ruling.nothing", "the register has not taken it back")
        by_subject.setdefault(one.subject, set()).add(claim_key(newest)[1])
    name = new_name("death-reversal")
    return [
        desk.record(
            name, subject, DeathReversal(tuple(sorted(named)), grounds.evidence, grounds.asked_by, grounds.approved_by)
        )
        for subject, named in sorted(by_subject.items())
    ]


def _record(one: LoggedClaim) -> tuple[str, str, str]:
    return one.subject, one.source, one.source_key


def _version(one: LoggedClaim) -> tuple[str, str]:
    return one.version, one.digest
