"""Memberships in SCIM groups: one member added or removed by PATCH, never the list replaced."""

import datetime as dt
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from connectors.targets.rules import is_managed
from connectors.targets.scim.errors import HttpFailure, Outcome
from connectors.targets.scim.models import Group
from connectors.targets.scim.session import Session, equals


class Groups:
    """Thread-safe. A group is known by its display name; its id is remembered.

    SCIM does not make display names unique: of several groups with one name the oldest is used, and one that was made
    at the same moment as another is merged into it.
    """

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._making = threading.Lock()

    def of(self, session: Session, user_id: str) -> Mapping[str, str]:
        """Every group with this member: id to name; also groups that are not ours."""
        found = session.find_all(Group, equals("members.value", user_id), ["displayName"])
        return {group.id: group.display_name or "" for group in found if group.id}

    def by_member(self, session: Session) -> Mapping[str, frozenset[str]]:
        """All our groups at once: member id to names."""
        found: dict[str, set[str]] = {}
        for group in session.find_all(Group, "displayName pr", ["displayName", "members"]):
            name = group.display_name or ""
            for member in (group.members or ()) if is_managed(name) else ():
                found.setdefault(member.value or "", set()).add(name)
        return {member: frozenset(names) for member, names in found.items()}

    def join(self, session: Session, name: str, user_id: str) -> None:
        """Add one member; the group is made if there is none."""
        known = self._ids.get(name)
        if known and self._add(session, known, user_id):
            return
        with self._making:
            known = _oldest(_named(session, name))
            if not known:
                self._make(session, name, user_id)
                return
            self._ids[name] = known
        self._add(session, known, user_id)

    def leave(self, session: Session, group_id: str, user_id: str) -> None:
        """Remove one member; not being one is success."""
        operation = {"op": "remove", "path": f"members[{equals('value', user_id)}]"}
        try:
            session.patch_any_version(Group, group_id, operation, {Outcome.MISSING, Outcome.REFUSED})
        except HttpFailure as failure:
            if failure.outcome is Outcome.REFUSED and failure.scim_type != "noTarget":
                raise session.refusal(failure) from None

    def _add(self, session: Session, group_id: str, user_id: str) -> bool:
        """False: there is no such group (any more)."""
        operation = {"op": "add", "path": "members", "value": [{"value": user_id}]}
        try:
            session.patch_any_version(Group, group_id, operation, {Outcome.MISSING})
        except HttpFailure:
            return False
        return True

    def _make(self, session: Session, name: str, user_id: str) -> None:
        group: Group[Any] = Group.model_validate({"displayName": name, "members": [{"value": user_id}]})
        made = session.create(group, set())
        kept = _oldest(_named(session, name)) or made
        self._ids[name] = kept
        if kept != made and self._add(session, kept, user_id):  # another process made the same one a moment before
            session.delete(Group, made)


def _named(session: Session, name: str) -> list[Group[Any]]:
    """Groups with exactly this name: the filter does not tell upper from lower case."""
    return [
        group
        for group in session.find_all(Group, equals("displayName", name), ["displayName", "meta"])
        if group.display_name == name
    ]


def _oldest(groups: Iterable[Group[Any]]) -> str:
    """The id of the group that was made first; nothing where there is none."""
    never = dt.datetime.max.replace(tzinfo=dt.UTC)
    ranked = sorted(
        (group.meta.created if group.meta and group.meta.created else never, group.id or "") for group in groups
    )
    return ranked[0][1] if ranked else ""
