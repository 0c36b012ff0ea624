"""Protected identity (SM2): the effective marking is the highest that any source ever raised. Nothing here lowers it."""

from collections.abc import Iterable

from mmd.domain.claims import LoggedClaim, stamp_of
from mmd.domain.register import SourceRegister
from streams.contracts.claims import Marking, Protection
from streams.contracts.documents import Stamp

LEVEL: dict[Marking, int] = {
    Marking.NONE: 0,
    Marking.UNVERIFIED: 1,
    Marking.SEKRETESSMARKERING: 2,
    Marking.SKYDDAD_FOLKBOKFORING: 3,
}
"""How much is withheld: UNVERIFIED is disclosed like a marking, so it stands above NONE here."""


def effective(claims: Iterable[LoggedClaim], register: SourceRegister) -> tuple[Marking, tuple[Stamp, ...]]:
    """The effective marking over all versions of all protection claims, and the stamps that made it so.

    Any source may raise, designated or not. NONE needs a designated source that spoke, and nobody who raised. Stamps:
    of a marking the first logged raise to that level of each source; of NONE the newest word of each designated source.
    """
    level = Marking.UNVERIFIED
    raises: list[LoggedClaim] = []
    spoken: list[LoggedClaim] = []
    for logged in claims:
        body = logged.claim.body
        if not isinstance(body, Protection):
            raise TypeError("only protection claims say anything about protection")
        marking = body.marking
        if marking is Marking.NONE:
            if register.place(logged) is not None:
                spoken.append(logged)
        elif level is Marking.UNVERIFIED or LEVEL[marking] > LEVEL[level]:
            level, raises = marking, [logged]
        elif marking is level:
            raises.append(logged)
    if raises:
        return level, _one_a_source(sorted(raises, key=_logged, reverse=True))
    if spoken:
        return Marking.NONE, _one_a_source(sorted(spoken, key=_version))
    return Marking.UNVERIFIED, ()


def _one_a_source(claims: list[LoggedClaim]) -> tuple[Stamp, ...]:
    """The stamp of the last of each source, by source."""
    last = {logged.source: logged for logged in claims}
    return tuple(stamp_of(last[source]) for source in sorted(last))


def _logged(logged: LoggedClaim) -> tuple[object, ...]:
    return logged.logged_at, logged.event, logged.source_key, logged.version, logged.digest


def _version(logged: LoggedClaim) -> tuple[object, ...]:
    return logged.version, logged.source_key, logged.digest
