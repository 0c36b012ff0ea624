"""The target port over SCIM. An account is recognised by its externalId alone, looked up before anything is made."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace

from scim2_models import EnterpriseUser

from connectors.targets.ensuring import Contended, only, persistently, uid_taken
from connectors.targets.port import AccountState, Capabilities, Disabling, Observed, Presence
from connectors.targets.rules import check, managed
from connectors.targets.scim.accounts import ATTRIBUTES, held, new_user, operations, state_of, wanted
from connectors.targets.scim.engine import HttpxScimClient, provider_with
from connectors.targets.scim.errors import HttpFailure, Outcome
from connectors.targets.scim.groups import Groups
from connectors.targets.scim.models import Account
from connectors.targets.scim.session import Operation, Session, equals
from connectors.targets.scim.settings import ScimSettings


class ScimTarget:
    """Thread-safe. Revocations come first within one call: stop sign-in, leave groups, then all else."""

    def __init__(self, settings: ScimSettings) -> None:
        self._settings = settings
        self._client = HttpxScimClient(settings)
        self._groups = Groups()
        self._probing = threading.Lock()
        self._conditional: bool | None = None

    def close(self) -> None:
        self._client.close()

    # --- the port ---

    def capabilities(self) -> Capabilities:
        """`conditional_writes` is known after the first call (the server says whether it has ETags)."""
        return Capabilities(
            self._settings.name,
            Disabling.ACTIVE_FLAG,
            groups=True,
            attributes=ATTRIBUTES,
            conditional_writes=bool(self._conditional),
            hosting=self._settings.hosting,
            longest_call=self._settings.longest_call,
        )

    def ensure(self, allowed: AccountState) -> Observed:
        check(allowed, self.capabilities())
        act = self._remove if allowed.presence is Presence.ABSENT else self._make
        session = self._session()
        return persistently(self._settings.name, lambda: act(session, allowed))

    def read(self, key: str) -> Observed | None:
        session = self._session()
        user, _ = self._find(session, key)
        if user is None:
            return None
        return _observed(user, self._manager_key(session, user), self._managed_groups(session, user))

    def read_all(self) -> Iterator[Observed]:
        session = self._session(listing=True)
        users = [user for user in session.find_all(Account, "externalId pr") if user.external_id]
        groups = self._groups.by_member(session)
        keys = {user.id: user.external_id or "" for user in users}
        for user in users:
            yield _observed(user, keys.get(_manager_id(user), ""), groups.get(user.id or "", frozenset()))

    # --- present ---

    def _make(self, session: Session, allowed: AccountState) -> Observed:
        manager_key = allowed.attributes.get("manager", "")
        user, manager = self._find(session, allowed.key, manager_key)
        manager_id = (manager.id or "") if manager else ""
        if user is None:
            user_id = self._create(session, allowed, manager_id)
            changed, held = ["created"], frozenset[str]()
        else:
            user_id = user.id or ""
            groups = self._groups.of(session, user_id)
            held = managed(groups.values())
            changed = self._update(session, user, allowed, manager_id, groups)
        for name in sorted(allowed.groups - held):
            self._groups.join(session, name, user_id)
        after = user if user and not changed else session.get(user_id)
        if after is None or after.external_id != allowed.key:
            raise Contended
        joined = self._managed_groups(session, after) if user is None or held != allowed.groups else held
        changed += [f"group:{name}" for name in sorted(held ^ allowed.groups)]
        shown = manager_key if manager_id and _manager_id(after) == manager_id else self._manager_key(session, after)
        return replace(_observed(after, shown, joined), changed=tuple(changed))

    def _create(self, session: Session, allowed: AccountState, manager_id: str) -> str:
        try:
            return session.create(new_user(allowed, manager_id), {Outcome.CLASH})
        except HttpFailure:
            if self._find(session, allowed.key)[0] is not None:
                raise Contended from None
            raise uid_taken(self._settings.name) from None

    def _update(
        self, session: Session, user: Account, allowed: AccountState, manager_id: str, groups: Mapping[str, str]
    ) -> list[str]:
        before, after = held(user), wanted(allowed, manager_id)
        changes = operations(before, after)
        stops = before["presence"] == "true" and after["presence"] == "false"
        if changes and stops:
            self._patch(session, user, changes)
        for group_id, name in groups.items():
            if name in managed({name}) - allowed.groups:
                self._groups.leave(session, group_id, user.id or "")
        if changes and not stops:
            self._patch(session, user, changes)
        return list(changes)

    def _patch(self, session: Session, user: Account, changes: Mapping[str, Operation]) -> None:
        expected = {Outcome.CLASH, Outcome.WRITTEN_BETWEEN, Outcome.MISSING}
        try:
            session.patch(user, list(changes.values()), expected)
        except HttpFailure as failure:
            if failure.outcome is Outcome.CLASH and "uid" in changes:
                raise uid_taken(self._settings.name) from None
            raise Contended from None

    # --- absent ---

    def _remove(self, session: Session, allowed: AccountState) -> Observed:
        """Memberships first: a crash in between leaves a user that the next call finds, never a member without one."""
        gone = Observed(AccountState(allowed.key, Presence.ABSENT))
        user, _ = self._find(session, allowed.key)
        if user is None:
            return gone
        for group_id in self._groups.of(session, user.id or ""):
            self._groups.leave(session, group_id, user.id or "")
        session.delete(Account, user.id or "")
        if self._find(session, allowed.key)[0] is not None:
            raise Contended
        return replace(gone, changed=("deleted",))

    # --- reading ---

    def _find(self, session: Session, key: str, other: str = "") -> tuple[Account | None, Account | None]:
        """The user with this key, alone, and that with the key `other`, if asked for, in one request where the server
        knows `or`. What the filter lets through is checked: some servers ignore filters."""
        wanted = [key, other] if other and other != key else [key]
        found = session.find_any(Account, [equals("externalId", one) for one in wanted])
        mine = only(self._settings.name, [user for user in found if user.external_id == key])
        if other in ("", key):
            return mine, mine if other else None
        return mine, only(self._settings.name, [user for user in found if user.external_id == other])

    def _managed_groups(self, session: Session, user: Account) -> frozenset[str]:
        return managed(self._groups.of(session, user.id or "").values())

    def _manager_key(self, session: Session, user: Account) -> str:
        manager_id = _manager_id(user)
        manager = session.get(manager_id) if manager_id else None
        return (manager.external_id or "") if manager else ""

    def _session(self, *, listing: bool = False) -> Session:
        session = Session(self._client, self._settings, listing=listing)
        with self._probing:
            if self._conditional is None:
                config = session.configuration()
                self._client.provider = provider_with(config)
                self._conditional = bool(config and config.etag and config.etag.supported)
        return session


def _manager_id(user: Account) -> str:
    extension = user[EnterpriseUser]
    return (extension.manager.value or "") if extension and extension.manager else ""


def _observed(user: Account, manager_key: str, groups: frozenset[str]) -> Observed:
    version = (user.meta.version or "") if user.meta else ""
    return Observed(state_of(user, manager_key, groups), user.id or "", version)
