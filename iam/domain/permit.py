"""`permit`: the part of a desired state that may happen now. Removals are told apart from additions here only."""

from dataclasses import dataclass

import msgspec

from iam.domain.account import AccountState, Lane, Presence, changed_attributes


@dataclass(frozen=True, slots=True)
class BrakeView:
    """Which lanes may act. `open()`: all. `closed()`: protection and the making of new accounts go on, the rest waits."""

    allowed: frozenset[Lane]

    @classmethod
    def open(cls) -> "BrakeView":
        return cls(frozenset(Lane))

    @classmethod
    def closed(cls) -> "BrakeView":
        return cls(frozenset({Lane.PROTECT, Lane.CREATE}))


def lane_of(desired: AccountState, observed: AccountState | None, *, protect: bool = False) -> Lane | None:
    """The most urgent lane in the way from observed (None: never made) to desired; None where they are equal.

    `protect`: values shown of this person may be ones that must not be shown, so any change of attributes is urgent.
    """
    if observed is None or observed.presence is Presence.ABSENT:
        return None if desired.presence is Presence.ABSENT else Lane.CREATE
    attributes = set(changed_attributes(observed, desired)) - {"presence"}
    if protect and attributes:
        return Lane.PROTECT
    if desired.presence is not Presence.ENABLED and observed.presence is not desired.presence:
        return Lane.DISABLE
    if observed.groups - desired.groups:
        return Lane.REMOVE
    if attributes or desired != observed:
        return Lane.UPDATE
    return None


def permit(
    desired: AccountState, observed: AccountState | None, brake: BrakeView, lane: Lane | None = None
) -> AccountState | None:
    """What may be asked of the target now; None: nothing.

    `observed` None: the account was never made. Laws: with an open brake the whole of `desired`; while removals are held
    nothing is added to an existing account, so that a mover never has both; what is left out by a held lane stays as
    observed. `lane` is the one that the work waits in: work in `protect` may mask attributes although updates are held.
    """
    if brake.allowed >= frozenset(Lane):
        return desired
    if observed is None or observed.presence is Presence.ABSENT:
        return desired if lane_of(desired, observed) is None or Lane.CREATE in brake.allowed else None
    may_remove = Lane.REMOVE in brake.allowed
    may_disable = Lane.DISABLE in brake.allowed
    may_update = Lane.UPDATE in brake.allowed
    groups = observed.groups
    if may_remove:
        groups &= desired.groups
    if may_update and not groups - desired.groups:
        groups |= desired.groups
    presence: Presence = observed.presence
    if desired.presence is Presence.ENABLED:
        if may_update and not groups - desired.groups:
            presence = Presence.ENABLED
    elif may_disable:
        presence = desired.presence if may_remove else Presence.DISABLED
    values = may_update or (lane is Lane.PROTECT and Lane.PROTECT in brake.allowed)
    allowed = msgspec.structs.replace(
        desired if values else observed, key=desired.key, presence=presence, groups=frozenset(groups)
    )
    return None if allowed == observed else allowed
