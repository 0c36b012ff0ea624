"""An operator's rulings (source `ruling`): asked for by one person and approved by another."""

import msgspec

from streams.contracts.claims.body import ClaimBody


class Merge(ClaimBody, frozen=True, tag="merge"):
    """The person of this subject and that of `other_subject` are one, under the id of the latter. The record's source key
    names the ruling."""

    other_subject: str
    evidence: str
    asked_by: str
    approved_by: str


class Split(ClaimBody, frozen=True, tag="split"):
    """The merges of these names that were said of the same subject are undone. A later merge has another name."""

    merges: tuple[str, ...]
    evidence: str
    asked_by: str
    approved_by: str


class ClaimName(msgspec.Struct, frozen=True, order=True):
    """The natural key of one claim, on the subject of the claim that names it."""

    source: str
    source_key: str
    version: str
    digest: str


class Lift(ClaimBody, frozen=True, tag="protection-lift"):
    """A protection officer lifts exactly these raises (SM2). While `approved_by` is empty it is a proposal, which lifts
    nothing."""

    raises: tuple[ClaimName, ...]
    evidence: str
    asked_by: str
    approved_by: str = ""


class DeathReversal(ClaimBody, frozen=True, tag="death-reversal"):
    """By these later posts the population register has corrected itself (SM1): what the same records said of a death in
    older versions is taken back, however often it is sent again. A death that a newer version tells of stands."""

    corrections: tuple[ClaimName, ...]
    evidence: str
    asked_by: str
    approved_by: str


class Return(ClaimBody, frozen=True, tag="return"):
    """Whoever has this number was erased, and is taken in again by this decision: what sources say from now on counts. A
    raise in the same record is the marking that the person had."""

    decision: str
    evidence: str
    asked_by: str
    approved_by: str
