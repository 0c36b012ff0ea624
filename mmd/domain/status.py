"""Population-register status (SM1) from the *Avregistrering* code."""

from mmd.domain.candidates import Candidate, of_post
from mmd.domain.claims import LoggedClaim, stamp_of
from streams.contracts.claims import Registration
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


def derive_status(candidates: list[Candidate] | None) -> StatusEntry | None:
    """The status, or None where nobody designated has spoken.

    Death is absorbing: a later post without the code does not undo it, only a better ranked source (a ruling) that was
    logged after it does. Otherwise the best source's newest word on the newest number counts, so that GN on the old
    post of a number change says nothing about the person.
    """
    if not candidates:
        return None
    standing = [c for c in candidates if not any(_overrules(other, c) for other in candidates)]
    deaths = [c for c in standing if _code(c.logged) == "AV"]
    logged = of_post(deaths or standing)
    if logged is None or not isinstance(logged.claim.body, Registration):
        return None
    body = logged.claim.body
    return StatusEntry(_STATES.get(body.code, QUARANTINED), stamp_of(logged), body.code, body.date)


def _overrules(better: Candidate, worse: Candidate) -> bool:
    return better.place < worse.place and better.logged.logged_at >= worse.logged.logged_at


def _code(logged: LoggedClaim) -> str:
    body = logged.claim.body
    return body.code if isinstance(body, Registration) else ""
