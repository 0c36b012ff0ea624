"""The source register: which source is designated (*utpekad källa*) for what, when, and in which rank. Data, not code."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from mmd.domain.claims import KINDS, LoggedClaim, kind_of
from streams.contracts.claims import Claim
from streams.contracts.documents import PersonaType
from streams.contracts.errors import Rejected
from streams.contracts.time import day_after, holds, start_of

Place = tuple[int, int]
"""How good a designated source is: (rank, minus the day its designation began). The smaller is the better."""


class Designation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One dated entry. `attribute` is a claim kind; `sources` are in rank order, the best first; dates inclusive.

    `owner` is the information owner (*informationsägare*) that conflicts and findings are reported to.
    """

    information_set: str
    attribute: str
    sources: tuple[str, ...]
    owner: str
    persona_type: str = ""
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


@dataclass(frozen=True, slots=True)
class SourceRegister:
    """The register, immutable. `version` is a hash of its content: together with the log it decides every document."""

    designations: tuple[Designation, ...]
    version: str
    _by_kind: Mapping[tuple[str, str], tuple[tuple[Designation, int], ...]] = field(repr=False, compare=False)
    _terms: Mapping[tuple[str, str], tuple["_Term", ...]] = field(repr=False, compare=False)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "SourceRegister":
        """Read `{"designations": [{information_set, attribute, sources, owner, ...}, ...]}` (as from YAML).

        Raises `Rejected("input.invalid", path)` where the data do not have the form, name an unknown attribute or
        persona type, have the end before the start, or designate twice for the same attribute and day.
        """
        rows = data.get("designations")
        if not isinstance(rows, list | tuple) or set(data) != {"designations"}:
            raise Rejected("input.invalid", "designations")
        found = tuple(_read(row, f"designations[{index}]") for index, row in enumerate(rows))
        _refuse_overlaps(found)
        canonical = sorted(msgspec.json.encode(d, order="sorted") for d in found)
        index: dict[tuple[str, str], list[tuple[Designation, int]]] = {}
        for designation in found:
            for rank, source in enumerate(designation.sources):
                index.setdefault((designation.attribute, source), []).append((designation, rank))
        return cls(
            designations=found,
            version=hashlib.sha256(b"\n".join(canonical)).hexdigest()[:32],
            _by_kind={key: tuple(value) for key, value in index.items()},
            _terms={key: tuple(_Term.of(*one) for one in value) for key, value in index.items()},
        )

    def designated(self, kind: str, source: str, on: dt.date, persona_type: str = "") -> bool:
        """Whether the source is designated for the attribute on that day."""
        return self.rank(kind, source, on, persona_type) is not None

    def rank(self, kind: str, source: str, on: dt.date, persona_type: str = "") -> int | None:
        """The rank of the source (0 is best) on that day, or None where it is not designated.

        Without a persona type every entry of the attribute counts; with one, those for that type or for all types.
        """
        ranks = [
            rank
            for designation, rank in self._by_kind.get((kind, source), ())
            if holds(designation.valid_from, designation.valid_to, on)
            and (not persona_type or designation.persona_type in {"", persona_type})
        ]
        return min(ranks, default=None)

    def knows(self, kind: str, source: str) -> bool:
        """Whether the source is designated for the attribute at any time."""
        return (kind, source) in self._terms

    def place(self, logged: LoggedClaim) -> Place | None:
        """How good a logged claim is among those for its attribute; None: its source is not designated for it.

        A claim with a valid-from is judged on that day, or, where it began before the designation did, by whether it
        still held then and was said since; a claim without one on the day it was first logged. Ingest and derive both
        ask this, so that what is stored and what is shown agree.
        """
        best: Place | None = None
        for term in self._terms.get((kind_of(logged.claim), logged.source), ()):
            if (best is None or term.place < best) and term.covers(logged.claim, logged.logged_at):
                best = term.place
        return best


@dataclass(frozen=True, slots=True)
class _Term:
    """One source in one designation, with its dates as instants too: derive asks this of every claim."""

    place: Place
    valid_from: dt.date | None
    valid_to: dt.date | None
    since: dt.datetime | None
    until: dt.datetime | None

    @classmethod
    def of(cls, designation: Designation, rank: int) -> "_Term":
        start, end = designation.valid_from, designation.valid_to
        return cls(
            place=(rank, -start.toordinal() if start else 0),
            valid_from=start,
            valid_to=end,
            since=start_of(start) if start and start.year > 1 else None,
            until=start_of(day_after(end)) if end and end < dt.date.max else None,
        )

    def covers(self, claim: Claim, logged_at: dt.datetime) -> bool:
        start = claim.valid_from
        if start is None:
            return (self.since is None or self.since <= logged_at) and (self.until is None or logged_at < self.until)
        if self.valid_to is not None and self.valid_to < start:
            return False
        if self.valid_from is None or self.valid_from <= start:
            return True
        held = claim.valid_to is None or self.valid_from <= claim.valid_to
        return held and (self.since is None or self.since <= logged_at)


def _read(row: object, path: str) -> Designation:
    try:
        found = msgspec.convert(row, Designation)
    except msgspec.ValidationError as error:
        raise Rejected("input.invalid", path + _where(error)) from None
    if found.attribute not in KINDS:
        raise Rejected("input.invalid", f"{path}.attribute")
    if found.persona_type and found.persona_type not in set(PersonaType):
        raise Rejected("input.invalid", f"{path}.persona_type")
    if not found.sources or "" in found.sources or len(set(found.sources)) != len(found.sources):
        raise Rejected("input.invalid", f"{path}.sources")
    if not found.information_set or not found.owner:
        raise Rejected("input.invalid", f"{path}.owner" if found.information_set else f"{path}.information_set")
    if found.valid_from and found.valid_to and found.valid_to < found.valid_from:
        raise Rejected("input.invalid", f"{path}.valid_to")
    return found


def _where(error: msgspec.ValidationError) -> str:
    """The path that msgspec reports (``$.field``), as the rest of ours; never the value."""
    _, mark, tail = str(error).rpartition("`$")
    return tail.rstrip("`") if mark else ""


def _refuse_overlaps(designations: tuple[Designation, ...]) -> None:
    for index, later in enumerate(designations):
        for earlier in designations[:index]:
            same = (earlier.attribute, earlier.persona_type) == (later.attribute, later.persona_type)
            if same and not _apart(earlier, later):
                raise Rejected("input.invalid", f"designations[{index}].valid_from")


def _apart(a: Designation, b: Designation) -> bool:
    return bool(
        (a.valid_to and b.valid_from and a.valid_to < b.valid_from)
        or (b.valid_to and a.valid_from and b.valid_to < a.valid_from)
    )
