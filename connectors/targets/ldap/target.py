"""The target port over a directory. An account is recognised by its key alone, never by uid or mail."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ldap3.core import results

from connectors.targets.ensuring import Contended, only, persistently, uid_taken
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
    same_uid,
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

_ALL = (*READ, *READ_ALSO)
_WRITTEN_BETWEEN = {results.RESULT_ASSERTION_FAILED, results.RESULT_NO_SUCH_OBJECT}


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
            longest_call=self._settings.longest_call,
        )

    def ensure(self, allowed: AccountState) -> Observed:
        check(allowed, self.capabilities())
        act = self._remove if allowed.presence is Presence.ABSENT else self._make
        with self._pool.session() as session:
            return persistently(self._settings.name, lambda: act(session, allowed))

    def read(self, key: str) -> Observed | None:
        with self._pool.session() as session:
            entry, _ = self._find(session, key)
            if entry is None:
                return None
            return self._observed(entry, self._manager_key(session, entry), self._managed_groups(session, entry.dn))

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
        manager_key = allowed.attributes.get("manager", "")
        entry, manager = self._find(session, allowed.key, allowed.uid, manager_key)
        wanted = wanted_values(allowed, manager.dn if manager else "")
        if entry is None:
            dn, changed, held = self._create(session, allowed, wanted), ["created"], frozenset[str]()
        else:
            groups = self._groups.of(session, entry.dn)
            dn, changed = self._update(session, entry, allowed, wanted, groups)
            held = managed(groups.values())
        for name in sorted(allowed.groups - held):
            self._groups.join(session, name, dn)
        after = entry if entry and not changed else self._find(session, allowed.key)[0]
        if after is None:
            raise Contended
        joined = held
        if entry is None or dn != entry.dn or held != allowed.groups:  # written to: read back
            joined = self._without_surplus(session, after.dn, allowed.groups)
        changed += [f"group:{name}" for name in sorted(held ^ allowed.groups)]
        shown = manager_key if manager and _refers_to(after, manager) else self._manager_key(session, after)
        return replace(self._observed(after, shown, joined), changed=tuple(changed))

    def _without_surplus(self, session: Session, dn: str, allowed: frozenset[str]) -> frozenset[str]:
        """Our groups that the entry is in, read back. One that is not allowed is left: somebody who was deleted by hand
        may have had this DN, and be a member still."""
        groups = self._groups.of(session, dn)
        surplus = managed(groups.values()) - allowed
        for group_dn, name in groups.items():
            if name in surplus:
                self._groups.leave(session, group_dn, dn)
        return self._managed_groups(session, dn) if surplus else managed(groups.values())

    def _create(self, session: Session, allowed: AccountState, wanted: Mapping[str, tuple[str, ...]]) -> str:
        enabled = allowed.presence is Presence.ENABLED
        values = {**wanted, "uid": (allowed.uid,), **sign_in_values(enabled, self._settings.disabling)}
        dn = person_dn(allowed.uid, self._settings.people_dn)
        present = {name: texts for name, texts in values.items() if texts}
        if session.add(dn, CLASSES, present, {results.RESULT_ENTRY_ALREADY_EXISTS}) != results.RESULT_SUCCESS:
            if self._find(session, allowed.key)[0] is not None:
                raise Contended
            raise uid_taken(self._settings.name)
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
            raise Contended

    def _rename(self, session: Session, entry: Entry, uid: str, groups: list[str]) -> str:
        rdn = person_rdn(uid)
        taken = results.RESULT_ENTRY_ALREADY_EXISTS
        code = session.rename(entry.dn, rdn, {taken, *_WRITTEN_BETWEEN}, equals(KEY, entry.first(KEY)))
        if code != results.RESULT_SUCCESS:
            raise Contended
        new_dn = f"{rdn},{parent_dn(entry.dn)}"
        for group_dn in groups:
            self._groups.follow(session, group_dn, entry.dn, new_dn)
        return new_dn

    # --- absent ---

    def _remove(self, session: Session, allowed: AccountState) -> Observed:
        """Memberships first: a crash in between leaves an entry that the next call finds, never a member without one."""
        key = allowed.key
        gone = Observed(AccountState(key, Presence.ABSENT))
        entry, _ = self._find(session, key)
        if entry is None:
            return gone
        for group_dn in self._groups.of(session, entry.dn):
            self._groups.leave(session, group_dn, entry.dn)
        if session.delete(entry.dn, _WRITTEN_BETWEEN, equals(KEY, key)) == results.RESULT_ASSERTION_FAILED:
            raise Contended
        if self._find(session, key)[0] is not None:
            raise Contended
        return replace(gone, changed=("deleted",))

    # --- reading ---

    def _find(self, session: Session, key: str, uid: str = "", other: str = "") -> tuple[Entry | None, Entry | None]:
        """The entry with this key, alone, and that with the key `other`, if asked for, in one search. Raises `Rejected`
        where another account has the uid that is wanted."""
        asked = [equals(KEY, key), equals("uid", uid) if uid else "", equals(KEY, other) if other else ""]
        found = session.search(self._settings.people_dn, f"(|{''.join(asked)})", _ALL)
        strangers = [entry for entry in found if entry.first(KEY) != key]
        others = [entry for entry in strangers if other and entry.first(KEY) == other]
        if len(others) < len(strangers) or any(uid and same_uid(entry, uid) for entry in others):
            raise uid_taken(self._settings.name)
        name = self._settings.name
        mine = only(name, [entry for entry in found if entry.first(KEY) == key])
        return mine, mine if other == key else only(name, others)

    def _managed_groups(self, session: Session, dn: str) -> frozenset[str]:
        return managed(self._groups.of(session, dn).values())

    def _manager_key(self, session: Session, entry: Entry) -> str:
        dn = entry.first("manager")
        manager = session.search_entry(dn, [KEY]) if dn else None
        return manager.first(KEY) if manager else ""

    def _observed(self, entry: Entry, manager: str, groups: frozenset[str]) -> Observed:
        state = state_of(entry, manager, groups, self._settings.disabling)
        return Observed(state, entry.first("entryUUID"), version_of(entry))


def _refers_to(entry: Entry, manager: Entry) -> bool:
    return normal_dn(entry.first("manager")) == normal_dn(manager.dn)
