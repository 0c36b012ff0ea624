"""The target port over SCIM. An account is recognised by its externalId alone, looked up before anything is made."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace

from scim2_models import EnterpriseUser

from connectors.targets.port import AccountState, Capabilities, Disabling, Observed, Presence
from connectors.targets.rules import check, managed
from connectors.targets.scim.accounts import ATTRIBUTES, held, new_user, operations, state_of, wanted
from connectors.targets.scim.engine import HttpxScimClient, provider_with
from connectors.targets.scim.errors import HttpFailure, Outcome
from connectors.targets.scim.groups import Groups
from connectors.targets.scim.models import Account
from connectors.targets.scim.session import Operation, Session, equals
from connectors.targets.scim.settings import ScimSettings
from streams.contracts.errors import Rejected, Unavailable

_TRIES = 3


class _Contended(Exception):
    """Somebody else wrote the same user since it was read: read again."""


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
        session = self._session()
        for _ in range(_TRIES):
            try:
                if allowed.presence is Presence.ABSENT:
                    return self._remove(session, allowed.key)
                return self._make(session, allowed)
            except _Contended:
                continue
        raise Unavailable("target.unknown-outcome", f"{self._settings.name}: another writer in between")

    def read(self, key: str) -> Observed | None:
        session = self._session()
        user = self._find(session, key)
        return None if user is None else self._observe(session, user)

    def read_all(self) -> Iterator[Observed]:
        session = self._session(listing=True)
        users = [user for user in session.find_all(Account, "externalId pr") if user.external_id]
        groups = self._groups.by_member(session)
        keys = {user.id: user.external_id or "" for user in users}
        for user in users:
            yield _observed(user, keys.get(_manager_id(user), ""), groups.get(user.id or "", frozenset()))

    # --- present ---

    def _make(self, session: Session, allowed: AccountState) -> Observed:
        user = self._find(session, allowed.key)
        manager_id = self._id_of(session, allowed.attributes.get("manager", ""))
        if user is None:
            user_id = self._create(session, allowed, manager_id)
            changed, names = ["created"], frozenset[str]()
        else:
            user_id = user.id or ""
            groups = self._groups.of(session, user_id)
            names = managed(groups.values())
            changed = self._update(session, user, allowed, manager_id, groups)
        for name in sorted(allowed.groups - names):
            self._groups.join(session, name, user_id)
        changed += [f"group:{name}" for name in sorted(names ^ allowed.groups)]
        if user is not None and not changed:
            return _observed(user, allowed.attributes.get("manager", "") if manager_id else "", names)
        written = session.get(user_id)
        if written is None or written.external_id != allowed.key:
            raise _Contended
        return replace(self._observe(session, written), changed=tuple(changed))

    def _create(self, session: Session, allowed: AccountState, manager_id: str) -> str:
        try:
            return session.create(new_user(allowed, manager_id), {Outcome.CLASH})
        except HttpFailure:
            if self._find(session, allowed.key) is not None:
                raise _Contended from None
            raise self._taken() from None

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
                raise self._taken() from None
            raise _Contended from None

    # --- absent ---

    def _remove(self, session: Session, key: str) -> Observed:
        """Memberships first: a crash in between leaves a user that the next call finds, never a member without one."""
        gone = Observed(AccountState(key, Presence.ABSENT))
        user = self._find(session, key)
        if user is None:
            return gone
        for group_id in self._groups.of(session, user.id or ""):
            self._groups.leave(session, group_id, user.id or "")
        session.delete(Account, user.id or "")
        if self._find(session, key) is not None:
            raise _Contended
        return replace(gone, changed=("deleted",))

    # --- reading ---

    def _find(self, session: Session, key: str) -> Account | None:
        """The user with this key, alone. What the filter lets through is checked: some servers ignore filters."""
        found = [user for user in session.find_all(Account, equals("externalId", key)) if user.external_id == key]
        if len(found) > 1:
            raise Rejected("target.refused", f"{self._settings.name}: more than one user has this account key")
        return next(iter(found), None)

    def _id_of(self, session: Session, key: str) -> str:
        user = self._find(session, key) if key else None
        return (user.id or "") if user else ""

    def _observe(self, session: Session, user: Account) -> Observed:
        manager_id = _manager_id(user)
        manager = session.get(manager_id) if manager_id else None
        names = managed(self._groups.of(session, user.id or "").values())
        return _observed(user, (manager.external_id or "") if manager else "", names)

    def _session(self, *, listing: bool = False) -> Session:
        session = Session(self._client, self._settings, listing=listing)
        with self._probing:
            if self._conditional is None:
                config = session.configuration()
                self._client.provider = provider_with(config)
                self._conditional = bool(config and config.etag and config.etag.supported)
        return session

    def _taken(self) -> Rejected:
        return Rejected("target.refused", f"{self._settings.name}: uid belongs to another account")


def _manager_id(user: Account) -> str:
    extension = user[EnterpriseUser]
    return (extension.manager.value or "") if extension and extension.manager else ""


def _observed(user: Account, manager_key: str, groups: frozenset[str]) -> Observed:
    version = (user.meta.version or "") if user.meta else ""
    return Observed(state_of(user, manager_key, groups), user.id or "", version)
