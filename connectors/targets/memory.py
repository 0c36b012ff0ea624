"""A target in memory that keeps the rules of the real ones: what the direct replay provisions into.

It enforces unique uids, refuses what a directory refuses, can go down, can be slow to answer, and can be changed by hand.
"""

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from connectors.targets.port import AccountState, Capabilities, Disabling, Observed, Presence
from connectors.targets.rules import ATTRIBUTES, check, managed
from streams.contracts.errors import Rejected, Unavailable


@dataclass(frozen=True, slots=True)
class _Row:
    """One account as the target holds it. `native_id` is the target's own id, `number` counts its writes."""

    native_id: str
    number: int
    uid: str
    enabled: bool
    attributes: Mapping[str, str] = field(default_factory=dict)


class MemoryTarget:
    """Thread-safe. `calls` lists every call as (verb, key) in the order in which they came; `read_all` has key ""."""

    def __init__(
        self,
        name: str = "memory",
        *,
        hosting: str = "onprem",
        attributes: frozenset[str] = ATTRIBUTES,
    ) -> None:
        self._capabilities = Capabilities(
            name, Disabling.ACTIVE_FLAG, groups=True, attributes=attributes, conditional_writes=True, hosting=hosting
        )
        self._lock = threading.RLock()
        self._rows: dict[str, _Row] = {}
        self._members: dict[str, set[str]] = defaultdict(set)  # group name -> account keys
        self._made = 0
        self._down = False
        self._timeouts = 0
        self.calls: list[tuple[str, str]] = []

    # --- the port ---

    def capabilities(self) -> Capabilities:
        return self._capabilities

    def ensure(self, allowed: AccountState) -> Observed:
        with self._lock:
            self._called("ensure", allowed.key)
            check(allowed, self._capabilities)
            changed = self._remove(allowed.key) if allowed.presence is Presence.ABSENT else self._write(allowed)
            if self._timeouts:
                self._timeouts -= 1
                raise Unavailable("target.unknown-outcome", self._capabilities.name)
            found = self._observe(allowed.key)
            absent = Observed(AccountState(allowed.key, Presence.ABSENT))
            return replace(found or absent, changed=changed)

    def read(self, key: str) -> Observed | None:
        with self._lock:
            self._called("read", key)
            return self._observe(key)

    def read_all(self) -> Iterator[Observed]:
        with self._lock:
            self._called("read_all", "")
            found = [self._observe(key) for key in sorted(self._rows)]
        return iter([one for one in found if one is not None])

    # --- what a scenario or a test does to the target itself ---

    def go_down(self) -> None:
        """From now on nothing answers; what is stored stays."""
        with self._lock:
            self._down = True

    def come_up(self) -> None:
        with self._lock:
            self._down = False

    def time_out_after_write(self, times: int = 1) -> None:
        """The next `times` calls of `ensure` do their work and then do not answer in time."""
        with self._lock:
            self._timeouts = times

    def change_by_hand(
        self,
        key: str,
        *,
        attributes: Mapping[str, str | None] | None = None,
        enabled: bool | None = None,
        uid: str | None = None,
        join: frozenset[str] = frozenset(),
        leave: frozenset[str] = frozenset(),
    ) -> None:
        """What an administrator of the target does past the hub. An attribute value of None removes it; `join` and
        `leave` name any group, also one that is not ours. Raises KeyError for an account that is not there."""
        with self._lock:
            row = self._rows[key]
            values = {**row.attributes, **(attributes or {})}
            self._rows[key] = replace(
                row,
                number=row.number + 1,
                uid=row.uid if uid is None else uid,
                enabled=row.enabled if enabled is None else enabled,
                attributes={name: value for name, value in values.items() if value is not None},
            )
            self._join(key, join)
            self._leave(key, leave)

    def delete_by_hand(self, key: str) -> None:
        """An administrator deletes the account past the hub."""
        with self._lock:
            self._remove(key)

    def groups_of(self, key: str) -> frozenset[str]:
        """Every group that the account is in, also those that are not ours."""
        with self._lock:
            return frozenset(group for group, members in self._members.items() if key in members)

    def may_sign_in(self, uid: str) -> bool:
        """Whether an enabled account has this uid."""
        with self._lock:
            return any(row.enabled and row.uid.lower() == uid.lower() for row in self._rows.values())

    # --- inside, under the lock ---

    def _called(self, verb: str, key: str) -> None:
        self.calls.append((verb, key))
        if self._down:
            raise Unavailable("target.unreachable", self._capabilities.name)

    def _observe(self, key: str) -> Observed | None:
        row = self._rows.get(key)
        if row is None:
            return None
        presence = Presence.ENABLED if row.enabled else Presence.DISABLED
        attributes = dict(row.attributes)
        if attributes.get("manager") not in self._rows:
            attributes.pop("manager", None)  # a reference to nobody reads as none, as in a directory
        state = AccountState(key, presence, row.uid, attributes, managed(self.groups_of(key)))
        return Observed(state, row.native_id, str(row.number))

    def _write(self, allowed: AccountState) -> tuple[str, ...]:
        for key, row in self._rows.items():
            if key != allowed.key and row.uid.lower() == allowed.uid.lower():
                raise Rejected("target.refused", "uid belongs to another account")
        wanted = dict(allowed.attributes)
        if wanted.get("manager") not in {*self._rows, None}:
            wanted.pop("manager")  # not there yet: left out, and the read-back says so
        before = self._rows.get(allowed.key)
        enabled = allowed.presence is Presence.ENABLED
        changed = ["created"] if before is None else _differences(before, allowed.uid, enabled, wanted)
        if before is None:
            self._made += 1
            self._rows[allowed.key] = _Row(f"m{self._made}", 1, allowed.uid, enabled, wanted)
        elif changed:
            self._rows[allowed.key] = _Row(before.native_id, before.number + 1, allowed.uid, enabled, wanted)
        groups = managed(self.groups_of(allowed.key))
        self._leave(allowed.key, groups - allowed.groups)
        self._join(allowed.key, allowed.groups - groups)
        return (*changed, *(f"group:{name}" for name in sorted(groups ^ allowed.groups)))

    def _remove(self, key: str) -> tuple[str, ...]:
        if self._rows.pop(key, None) is None:
            return ()
        self._leave(key, frozenset(self._members))
        return ("deleted",)

    def _join(self, key: str, groups: frozenset[str]) -> None:
        for group in groups:
            self._members[group].add(key)

    def _leave(self, key: str, groups: frozenset[str]) -> None:
        for group in groups:
            self._members[group].discard(key)


def _differences(row: _Row, uid: str, enabled: bool, attributes: Mapping[str, str]) -> list[str]:
    names = sorted({*row.attributes, *attributes})
    changed = [name for name in names if row.attributes.get(name) != attributes.get(name)]
    if row.uid != uid:
        changed.append("uid")
    if row.enabled != enabled:
        changed.append("presence")
    return changed
