"""`derive_unit`: an organisation unit on its three dated axes, node, structure and name (domain/facts.md 2.6)."""

import datetime as dt
from collections.abc import Sequence

from mmd.domain.candidates import designated, of_system
from mmd.domain.claims import LoggedClaim, stamp_of
from mmd.domain.heads import winners
from mmd.domain.register import SourceRegister
from mmd.domain.timeline import Span, adjoins, coalesce, without_overlap
from streams.contracts.claims import DatedName, UnitName, UnitNode, UnitParent, UnitPeriod, UnitStructure
from streams.contracts.documents import UnitDocument, UnitNameEntry, UnitParentEntry


def derive_unit(key: str, claims: Sequence[LoggedClaim], register: SourceRegister) -> UnitDocument:
    """The document of the unit `key` (see `streams.contracts.claims.unit_key`). Claims as for `derive_person`; each axis
    comes from the best designated source's newest version. Depends on the set of claims and the register alone."""
    candidates = designated((w for w in winners(claims) if w.subject == key), register, {})
    node = of_system(candidates.get("unit-node"))
    structure = of_system(candidates.get("unit-structure"))
    name = of_system(candidates.get("unit-name"))
    body = node.claim.body if node else None
    if not isinstance(body, UnitNode):
        body = UnitNode()
    return UnitDocument(
        id=key,
        periods=_merged(body.periods),
        node_stamp=stamp_of(node) if node else None,
        unit_type=body.unit_type,
        legal_authority=body.legal_authority,
        responsibility_code=body.responsibility_code,
        names=_names(name),
        parents=_parents(structure),
    )


def _merged(periods: Sequence[UnitPeriod]) -> tuple[UnitPeriod, ...]:
    """The days on which the unit exists: sorted, overlapping and adjoining periods as one."""
    found: list[UnitPeriod] = []
    for period in sorted(periods, key=lambda p: (p.valid_from, p.valid_to or dt.date.max)):
        end = None if period.valid_to == dt.date.max else period.valid_to
        if end is not None and end < period.valid_from:
            continue
        last = found[-1] if found else None
        if last is None or (
            last.valid_to is not None
            and last.valid_to < period.valid_from
            and not adjoins(last.valid_to, period.valid_from)
        ):
            found.append(UnitPeriod(period.valid_from, end))
        elif last.valid_to is not None and (end is None or end > last.valid_to):
            found[-1] = UnitPeriod(last.valid_from, end)
    return tuple(found)


def _names(logged: LoggedClaim | None) -> tuple[UnitNameEntry, ...]:
    if logged is None or not isinstance(logged.claim.body, UnitName):
        return ()
    stamp = stamp_of(logged)
    spans = [Span(n.valid_from, n.valid_to, n) for n in logged.claim.body.names]
    cut = coalesce(without_overlap(spans, lambda n: f"{n.name}\n{n.short}"), _same_name)
    return tuple(UnitNameEntry(n.name, stamp, n.short, start, end) for start, end, n in cut)


def _same_name(a: DatedName, b: DatedName) -> bool:
    return (a.name, a.short) == (b.name, b.short)


def _parents(logged: LoggedClaim | None) -> tuple[UnitParentEntry, ...]:
    if logged is None or not isinstance(logged.claim.body, UnitStructure):
        return ()
    stamp = stamp_of(logged)
    spans = [Span(p.valid_from, p.valid_to, p) for p in logged.claim.body.parents]
    cut = coalesce(without_overlap(spans, lambda p: p.parent), _same_parent)
    return tuple(UnitParentEntry(p.parent, stamp, start, end) for start, end, p in cut)


def _same_parent(a: UnitParent, b: UnitParent) -> bool:
    return a.parent == b.parent
