"""The target port over a directory. An account is recognised by its key alone, never by uid or mail."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ldap3.core import results

from connectors.targets.ldap.entries import (
    ATTRIBUTES,
    CLASSES,
    KEY,
    READ,
    READ_ALSO,
    canonical_names,
    equals,
    normal_dn,
    parent_dn,
    person_dn,
    person_rdn,
    presence_of,
    sign_in_changes,
    sign_in_values,
    state_of,
    unchanged_condition,
    value_changes,
    version_of,
    wanted_values,
)
from connectors.targets.ldap.groups import Groups
from connectors.targets.ldap.session import Entry, Pool, Session
from connectors.targets.ldap.settings import LdapSettings
from connectors.targets.port import AccountState, Capabilities, Observed, Presence
from connectors.targets.rules import check, managed
from streams.contracts.errors import Rejected, Unavailable

_TRIES = 3
_ALL = (*READ, *READ_ALSO)
_WRITTEN_BETWEEN = {results.RESULT_ASSERTION_FAILED, results.RESULT_NO_SUCH_OBJECT}


class _Contended(Exception):
    """Somebody else wrote the same entry since it was read: read again."""


class LdapTarget:
    """Thread-safe. Revocations come first within one call: stop sign-in, leave groups, then all else."""

    def __init__(self, settings: LdapSettings) -> None:
        self._settings = settings
        self._pool = Pool(settings)
        self._groups = Groups(settings)

    def close(self) -> None:
        self._pool.close()

    # --- the port ---

    def capabilities(self) -> Capabilities:
        """`conditional_writes` is known after the first connection (the server says whether it has RFC 4528)."""
        return Capabilities(
            self._settings.name,
            self._settings.disabling,
            groups=True,
            attributes=frozenset(ATTRIBUTES),
            conditional_writes=self._pool.conditional,
            hosting=self._settings.hosting,
        )

    def ensure(self, allowed: AccountState) -> Observed:
        check(allowed, self.capabilities())
        with self._pool.session() as session:
            for _ in range(_TRIES):
                try:
                    if allowed.presence is Presence.ABSENT:
                        return self._remove(session, allowed.key)
                    return self._make(session, allowed)
                except _Contended:
                    continue
            raise Unavailable("target.unknown-outcome", f"{self._settings.name}: another writer in between")

    def read(self, key: str) -> Observed | None:
        with self._pool.session() as session:
            entry = self._find(session, key)
            return None if entry is None else self._observe(session, entry)

    def read_all(self) -> Iterator[Observed]:
        with self._pool.session() as session:
            entries = list(session.search_pages(self._settings.people_dn, f"({KEY}=*)", _ALL))
            groups = self._groups.by_member(session)
        keys = {normal_dn(entry.dn): entry.first(KEY) for entry in entries}
        for entry in entries:
            manager = keys.get(normal_dn(entry.first("manager")), "")
            mine = groups.get(normal_dn(entry.dn), frozenset())
            yield self._observed(entry, manager, mine)

    # --- present ---

    def _make(self, session: Session, allowed: AccountState) -> Observed:
        entry = self._find(session, allowed.key, allowed.uid)
        manager_dn = self._dn_of(session, allowed.attributes.get("manager", ""))
        wanted = wanted_values(allowed, manager_dn)
        if entry is None:
            dn = self._create(session, allowed, wanted)
            changed, groups = ["created"], self._groups.of(session, dn)
        else:
            groups = self._groups.of(session, entry.dn)
            dn, changed = self._update(session, entry, allowed, wanted, groups)
        held = managed(groups.values())
        for name in sorted(allowed.groups - held):
            self._groups.join(session, name, dn)
        changed += [f"group:{name}" for name in sorted(held ^ allowed.groups)]
        if entry is not None and not changed:  # what was read a moment ago is what there is
            return self._observed(entry, allowed.attributes.get("manager", "") if manager_dn else "", held)
        return replace(self._read_back(session, allowed.key), changed=tuple(changed))

    def _create(self, session: Session, allowed: AccountState, wanted: Mapping[str, tuple[str, ...]]) -> str:
        enabled = allowed.presence is Presence.ENABLED
        values = {**wanted, "uid": (allowed.uid,), **sign_in_values(enabled, self._settings.disabling)}
        dn = person_dn(allowed.uid, self._settings.people_dn)
        present = {name: texts for name, texts in values.items() if texts}
        if session.add(dn, CLASSES, present, {results.RESULT_ENTRY_ALREADY_EXISTS}) != results.RESULT_SUCCESS:
            raise _Contended
        return dn

    def _update(
        self,
        session: Session,
        entry: Entry,
        allowed: AccountState,
        wanted: Mapping[str, tuple[str, ...]],
        groups: Mapping[str, str],
    ) -> tuple[str, list[str]]:
        """The entry's DN afterwards, and what was changed."""
        enabled = allowed.presence is Presence.ENABLED
        stops = not enabled and presence_of(entry, self._settings.disabling) is Presence.ENABLED
        changes = {**value_changes(entry, wanted), **sign_in_changes(entry, enabled, self._settings.disabling)}
        surplus = [dn for dn, name in groups.items() if name in managed(groups.values()) - allowed.groups]
        if changes and stops:
            self._modify(session, entry, changes)
        for group_dn in surplus:
            self._groups.leave(session, group_dn, entry.dn)
        if changes and not stops:
            self._modify(session, entry, changes)
        changed = canonical_names(changes)
        if entry.first("uid") == allowed.uid:
            return entry.dn, changed
        kept = [dn for dn in groups if dn not in surplus]
        return self._rename(session, entry, allowed.uid, kept), [*changed, "uid"]

    def _modify(self, session: Session, entry: Entry, changes: Mapping[str, list[tuple[str, list[str]]]]) -> None:
        code = session.modify(entry.dn, changes, _WRITTEN_BETWEEN, unchanged_condition(entry))
        if code != results.RESULT_SUCCESS:
            raise _Contended

    def _rename(self, session: Session, entry: Entry, uid: str, groups: list[str]) -> str:
        rdn = person_rdn(uid)
        taken = results.RESULT_ENTRY_ALREADY_EXISTS
        code = session.rename(entry.dn, rdn, {taken, *_WRITTEN_BETWEEN}, equals(KEY, entry.first(KEY)))
        if code != results.RESULT_SUCCESS:
            raise _Contended
        new_dn = f"{rdn},{parent_dn(entry.dn)}"
        for group_dn in groups:
            self._groups.follow(session, group_dn, entry.dn, new_dn)
        return new_dn

    # --- absent ---

    def _remove(self, session: Session, key: str) -> Observed:
        """Memberships first: a crash in between leaves an entry that the next call finds, never a member without one."""
        gone = Observed(AccountState(key, Presence.ABSENT))
        entry = self._find(session, key)
        if entry is None:
            return gone
        for group_dn in self._groups.of(session, entry.dn):
            self._groups.leave(session, group_dn, entry.dn)
        if session.delete(entry.dn, _WRITTEN_BETWEEN, equals(KEY, key)) == results.RESULT_ASSERTION_FAILED:
            raise _Contended
        if self._find(session, key) is not None:
            raise _Contended
        return replace(gone, changed=("deleted",))

    # --- reading ---

    def _find(self, session: Session, key: str, uid: str = "") -> Entry | None:
        """The entry with this key, alone. Raises `Rejected` where another account has the uid that is wanted."""
        condition = f"(|{equals(KEY, key)}{equals('uid', uid)})" if uid else equals(KEY, key)
        found = session.search(self._settings.people_dn, condition, _ALL)
        ours = [entry for entry in found if entry.first(KEY) == key]
        if len(ours) < len(found):
            raise Rejected("target.refused", f"{self._settings.name}: uid belongs to another account")
        if len(ours) > 1:
            raise Rejected("target.refused", f"{self._settings.name}: more than one entry has this account key")
        return next(iter(ours), None)

    def _dn_of(self, session: Session, key: str) -> str:
        entry = self._find(session, key) if key else None
        return entry.dn if entry else ""

    def _read_back(self, session: Session, key: str) -> Observed:
        entry = self._find(session, key)
        if entry is None:
            raise _Contended
        return self._observe(session, entry)

    def _observe(self, session: Session, entry: Entry) -> Observed:
        manager_dn = entry.first("manager")
        manager = session.search_entry(manager_dn, [KEY]) if manager_dn else None
        groups = managed(self._groups.of(session, entry.dn).values())
        return self._observed(entry, manager.first(KEY) if manager else "", groups)

    def _observed(self, entry: Entry, manager: str, groups: frozenset[str]) -> Observed:
        state = state_of(entry, manager, groups, self._settings.disabling)
        return Observed(state, entry.first("entryUUID"), version_of(entry))
