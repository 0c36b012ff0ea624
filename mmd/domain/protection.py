"""Protected identity (SM2): the effective marking is the highest that any source ever raised. Nothing lowers it but a
ruling of the protection officer that names the raise: one that is not named stands, whenever it comes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mmd.domain.claims import ClaimKey, LoggedClaim, claim_key, stamp_of
from mmd.domain.register import SourceRegister
from streams.contracts.claims import ClaimName, Lift, Marking, Protection
from streams.contracts.decisions import two_persons
from streams.contracts.documents import Stamp

LEVEL: dict[Marking, int] = {
    Marking.NONE: 0,
    Marking.UNVERIFIED: 1,
    Marking.SEKRETESSMARKERING: 2,
    Marking.SKYDDAD_FOLKBOKFORING: 3,
}
"""How much is withheld: UNVERIFIED is disclosed like a marking, so it stands above NONE here."""


@dataclass(frozen=True, slots=True)
class Raised:
    """A raise that stands. `taken_back`: the newest later word of the same record that says less: N, a complete post that
    does not speak of it any more, or a lower marking. It lowers nothing: it is what an officer looks at (LIFT_PENDING)."""

    subject: str
    name: ClaimName
    marking: Marking
    stamp: Stamp
    taken_back: Stamp | None


def lifted(claims: Iterable[LoggedClaim], register: SourceRegister) -> frozenset[ClaimKey]:
    """What the approved lifts among these claims lift. A lift counts on its own subject only."""
    found: set[ClaimKey] = set()
    for logged in claims:
        body = logged.claim.body
        if (
            isinstance(body, Lift)
            and two_persons(body.asked_by, body.approved_by)
            and register.place(logged) is not None
        ):
            found.update((logged.subject, name) for name in body.raises)
    return frozenset(found)


def standing_raises(claims: Sequence[LoggedClaim], register: SourceRegister) -> list[Raised]:
    """Every raise that no lift lifted, in order of logging."""
    gone = lifted(claims, register)
    found: list[Raised] = []
    for logged in sorted(claims, key=_logged):
        body = logged.claim.body
        if isinstance(body, Protection) and body.marking is not Marking.NONE and claim_key(logged) not in gone:
            key = claim_key(logged)
            found.append(Raised(*key, body.marking, stamp_of(logged), _taken_back(logged, body.marking, claims)))
    return found


def _taken_back(raised: LoggedClaim, marking: Marking, claims: Iterable[LoggedClaim]) -> Stamp | None:
    later = [
        one
        for one in claims
        if (one.subject, one.source, one.source_key) == (raised.subject, raised.source, raised.source_key)
        and isinstance(one.claim.body, Protection)
        and LEVEL[one.claim.body.marking] < LEVEL[marking]
        and one.version > raised.version
    ]
    return stamp_of(max(later, key=_version)) if later else None


def effective(claims: Sequence[LoggedClaim], register: SourceRegister) -> tuple[Marking, tuple[Stamp, ...]]:
    """The effective marking over all versions of all protection claims and lifts, and the stamps that made it so.

    Any source may raise, designated or not. NONE needs a designated source that spoke (a raise of its own that was lifted
    is a word too), and nobody whose raise stands. Stamps: of a marking the first logged raise to that level of each
    source; of NONE the newest word of each designated source, and the newest ruling that lifted something.
    """
    level = Marking.UNVERIFIED
    raises: list[LoggedClaim] = []
    spoken: list[LoggedClaim] = []
    rulings: list[LoggedClaim] = []
    gone = lifted(claims, register)
    for logged in claims:
        body = logged.claim.body
        if isinstance(body, Lift):
            if two_persons(body.asked_by, body.approved_by) and register.place(logged) is not None:
                rulings.append(logged)
            continue
        if not isinstance(body, Protection):
            raise TypeError("only protection claims and lifts say anything about protection")
        marking = body.marking
        if marking is Marking.NONE or claim_key(logged) in gone:
            if register.place(logged) is not None:
                spoken.append(logged)
        elif level is Marking.UNVERIFIED or LEVEL[marking] > LEVEL[level]:
            level, raises = marking, [logged]
        elif marking is level:
            raises.append(logged)
    if raises:
        return level, _one_a_source(sorted(raises, key=_logged, reverse=True))
    if spoken:
        return Marking.NONE, _one_a_source(sorted([*spoken, *rulings], key=_version))
    return Marking.UNVERIFIED, ()


def _one_a_source(claims: list[LoggedClaim]) -> tuple[Stamp, ...]:
    """The stamp of the last of each source, by source."""
    last = {logged.source: logged for logged in claims}
    return tuple(stamp_of(last[source]) for source in sorted(last))


def _logged(logged: LoggedClaim) -> tuple[object, ...]:
    return logged.logged_at, logged.event, logged.source_key, logged.version, logged.digest


def _version(logged: LoggedClaim) -> tuple[object, ...]:
    return logged.version, logged.source_key, logged.digest
