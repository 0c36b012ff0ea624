"""Population-register status (SM1) from the *Avregistrering* code."""

from collections.abc import Iterable, Sequence

from mmd.domain.candidates import Candidate, Candidates, of_post
from mmd.domain.claims import LoggedClaim, stamp_of
from streams.contracts.claims import DeathReversal, Registration
from streams.contracts.decisions import two_persons
from streams.contracts.documents import StatusEntry

REGISTERED = "registered"
DECEASED = "deceased"
QUARANTINED = "quarantined"

_STATES = {
    "": REGISTERED,
    "AV": DECEASED,
    "UV": "emigrated",
    "OB": "missing",
    "GN": "superseded",
    "GS": "superseded",
}
"""Every other code (TA, AS, AN, FI, what comes next) is quarantined: never read as registered, never as gone."""


def derive_status(candidates: Candidates) -> StatusEntry | None:
    """The status, or None where nobody designated has spoken.

    Death is absorbing: a later post without the code does not undo it, only a ruling that names its correction does.
    Otherwise the best source's newest word on the newest number counts, so that GN on the old post of a number change
    says nothing about the person.
    """
    spoken = candidates.get("registration")
    if not spoken:
        return None
    standing = _standing(spoken, candidates.get("death-reversal", ()))
    logged = of_post([c for c in standing if _tells_of_death(c)] or standing)
    if logged is None or not isinstance(logged.claim.body, Registration):
        return None
    body = logged.claim.body
    return StatusEntry(_STATES.get(body.code, QUARANTINED), stamp_of(logged), body.code, body.date)


def standing_deaths(candidates: Candidates) -> list[LoggedClaim]:
    """The words that make somebody deceased: of designated sources, on any number, taken back by no ruling."""
    standing = _standing(candidates.get("registration", ()), candidates.get("death-reversal", ()))
    return [c.logged for c in standing if _tells_of_death(c)]


def _standing(spoken: Sequence[Candidate], rulings: Iterable[Candidate]) -> list[Candidate]:
    corrected: dict[tuple[str, str, str], str] = {}
    for ruling in rulings:
        body = ruling.logged.claim.body
        if isinstance(body, DeathReversal) and two_persons(body.asked_by, body.approved_by):
            for name in body.corrections:
                record = ruling.logged.subject, name.source, name.source_key
                corrected[record] = max(name.version, corrected.get(record, ""))
    if not corrected:
        return list(spoken)
    return [c for c in spoken if not _tells_of_death(c) or c.logged.version > corrected.get(_record(c), "")]


def _record(candidate: Candidate) -> tuple[str, str, str]:
    return candidate.logged.subject, candidate.logged.source, candidate.logged.source_key


def _tells_of_death(candidate: Candidate) -> bool:
    body = candidate.logged.claim.body
    return isinstance(body, Registration) and _STATES.get(body.code) == DECEASED
