"""Which claims count: the winning version per head, and every version of the kinds that never forget."""

from collections.abc import Iterable

from mmd.domain.claims import KEEPS_ALL, HeadKey, LoggedClaim, first_logging, head_key, kind_of, rank_in_head
from streams.contracts.claims import REPLACES, Absent, Replaces

_Natural = tuple[str, str, str, str, str, str]


def winners(claims: Iterable[LoggedClaim]) -> list[LoggedClaim]:
    """The claims that count, without regard to the order or repetition of the input; the order out is total.

    Per head the greatest (version, digest) wins, on whichever subject it stands: give the claims of every subject that a
    head has ever had, or only those that already won. A winning `Absent` ends its head. An `Absent` without valid-from
    ends all older heads of a kind that keeps history, so winning absences belong in the input too. Of a claim that was
    logged twice, the first logging counts.
    """
    heads: dict[HeadKey, LoggedClaim] = {}
    every: dict[_Natural, LoggedClaim] = {}
    for logged in claims:
        kind = kind_of(logged.claim)
        if kind in KEEPS_ALL:
            if type(logged.claim.body) is Absent:
                continue  # absence never lowers a marking nor parts two numbers
            natural = (logged.subject, logged.source, logged.source_key, kind, logged.version, logged.digest)
            known = every.get(natural)
            if known is None or first_logging(logged) < first_logging(known):
                every[natural] = logged
            continue
        head = head_key(logged)
        best = heads.get(head)
        if best is None:
            heads[head] = logged
            continue
        new, old = rank_in_head(logged), rank_in_head(best)
        if new > old or (new == old and first_logging(logged) < first_logging(best)):
            heads[head] = logged
    found = _without_ended(heads)
    found.extend(every.values())
    found.sort(key=_order)
    return found


def _without_ended(heads: dict[HeadKey, LoggedClaim]) -> list[LoggedClaim]:
    absences = {head: logged for head, logged in heads.items() if type(logged.claim.body) is Absent}
    if not absences:
        return list(heads.values())
    living = []
    for head, logged in heads.items():
        if head in absences:
            continue
        source, source_key, kind, _ = head
        ended = absences.get((source, source_key, kind, None)) if REPLACES.get(kind) is Replaces.FROM else None
        if ended is None or ended.version < logged.version:
            living.append(logged)
    return living


def _order(logged: LoggedClaim) -> tuple[str, str, str, str, str]:
    return logged.source, logged.source_key, logged.version, logged.digest, logged.subject
