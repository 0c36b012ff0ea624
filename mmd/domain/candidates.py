"""The designated claims of one person, ready to choose from: by kind, each with how good its source and number are."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mmd.domain.claims import LoggedClaim, kind_of
from mmd.domain.register import Place, SourceRegister


class Candidate(NamedTuple):
    """A claim of a designated source. `position`: where its subject stands in the number chain, 0 is the oldest."""

    logged: LoggedClaim
    place: Place
    position: int

    @property
    def level(self) -> tuple[int, int, int]:
        """Sort key over sources and posts, best first: rank, newest designation, newest number's post."""
        return *self.place, -self.position


Candidates = Mapping[str, list[Candidate]]


def designated(claims: Iterable[LoggedClaim], register: SourceRegister, positions: Mapping[str, int]) -> Candidates:
    """By kind, the claims whose source is designated for it on the claim's own date; the others are left out."""
    found: dict[str, list[Candidate]] = defaultdict(list)
    for logged in claims:
        place = register.place(logged)
        if place is not None:
            found[kind_of(logged.claim)].append(Candidate(logged, place, positions.get(logged.subject, 0)))
    return found


def of_post(candidates: list[Candidate] | None) -> LoggedClaim | None:
    """The best word on something that each post of the population register states whole: the best source, of it the
    post of the newest number, of that the newest version."""
    if not candidates:
        return None
    if len(candidates) == 1:
        return candidates[0].logged
    return max(candidates, key=lambda c: (-c.place[0], -c.place[1], c.position, *_version(c))).logged


def of_system(candidates: list[Candidate] | None) -> LoggedClaim | None:
    """The best word of systems that go on naming the person by an old number: the best source, of it the newest
    version, whichever number it names."""
    if not candidates:
        return None
    if len(candidates) == 1:
        return candidates[0].logged
    return max(candidates, key=lambda c: (-c.place[0], -c.place[1], *_version(c))).logged


def _version(candidate: Candidate) -> tuple[str, str, str, str]:
    logged = candidate.logged
    return logged.version, logged.digest, logged.source_key, logged.subject
