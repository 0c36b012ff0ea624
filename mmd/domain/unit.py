"""`derive_unit`: an organisation unit on its three dated axes, node, structure and name (domain/facts.md 2.6)."""

from collections.abc import Sequence

from mmd.domain.candidates import designated, of_system
from mmd.domain.claims import LoggedClaim, stamp_of
from mmd.domain.dated import dated_names, merged
from mmd.domain.heads import winners
from mmd.domain.register import SourceRegister
from mmd.domain.timeline import Span, coalesce, without_overlap
from streams.contracts.claims import UnitName, UnitNode, UnitParent, UnitStructure
from streams.contracts.documents import UnitDocument, UnitParentEntry


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
        periods=merged(body.periods),
        node_stamp=stamp_of(node) if node else None,
        unit_type=body.unit_type,
        legal_authority=body.legal_authority,
        responsibility_code=body.responsibility_code,
        names=dated_names(name.claim.body.names, stamp_of(name))
        if name and isinstance(name.claim.body, UnitName)
        else (),
        parents=_parents(structure),
    )


def _parents(logged: LoggedClaim | None) -> tuple[UnitParentEntry, ...]:
    if logged is None or not isinstance(logged.claim.body, UnitStructure):
        return ()
    stamp = stamp_of(logged)
    spans = [Span(p.valid_from, p.valid_to, p) for p in logged.claim.body.parents]
    cut = coalesce(without_overlap(spans, lambda p: p.parent), _same_parent)
    return tuple(UnitParentEntry(p.parent, stamp, start, end) for start, end, p in cut)


def _same_parent(a: UnitParent, b: UnitParent) -> bool:
    return a.parent == b.parent
