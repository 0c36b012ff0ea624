"""The account as a SCIM user and back: pure. PATCH operations touch what Källan answers for, and nothing else."""

from collections.abc import Mapping

from scim2_models import EnterpriseUser

from connectors.targets.port import AccountState, Presence
from connectors.targets.scim.models import ENTERPRISE, Account
from connectors.targets.scim.session import Operation

ATTRIBUTES = frozenset({"display_name", "given_name", "family_name", "title", "department", "mail", "manager"})
"""What SCIM's standard schemas have room for; there is none for an ePPN."""

_PATHS = {
    "uid": "userName",
    "presence": "active",
    "display_name": "displayName",
    "given_name": "name.givenName",
    "family_name": "name.familyName",
    "title": "title",
    "department": f"{ENTERPRISE}:department",
    "manager": f"{ENTERPRISE}:manager",
}
_WORK = "work"


def held(user: Account) -> dict[str, str]:
    """What the user holds, by canonical name; `manager` is a SCIM id here."""
    name = user.name
    extension = user[EnterpriseUser]
    manager = extension.manager if extension else None
    mails = [mail.value for mail in user.emails or () if mail.type == _WORK and mail.value]
    values = {
        "uid": user.user_name,
        "presence": "false" if user.active is False else "true",
        "display_name": user.display_name,
        "given_name": name.given_name if name else None,
        "family_name": name.family_name if name else None,
        "title": user.title,
        "department": extension.department if extension else None,
        "mail": " | ".join(mails),  # several (made by hand) read as one text that differs from what is desired
        "manager": manager.value if manager else None,
    }
    return {field: value for field, value in values.items() if value}


def wanted(state: AccountState, manager_id: str) -> dict[str, str]:
    """What the user shall hold, in the same form."""
    values = {
        **state.attributes,
        "uid": state.uid,
        "presence": "true" if state.presence is Presence.ENABLED else "false",
        "manager": manager_id,
    }
    return {field: value for field, value in values.items() if value}


def new_user(state: AccountState, manager_id: str) -> Account:
    values = wanted(state, manager_id)
    payload: dict[str, object] = {
        "externalId": state.key,
        "userName": state.uid,
        "active": values["presence"] == "true",
        "displayName": values.get("display_name"),
        "title": values.get("title"),
        "name": {"givenName": values.get("given_name"), "familyName": values.get("family_name")},
        "emails": [{"value": values["mail"], "type": _WORK, "primary": True}] if "mail" in values else None,
        ENTERPRISE: {
            "department": values.get("department"),
            "manager": {"value": manager_id} if manager_id else None,
        },
    }
    return Account.model_validate({name: value for name, value in payload.items() if value is not None})


def operations(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, Operation]:
    """One PATCH operation for each canonical name that differs."""
    changed = [field for field in sorted({*before, *after}) if before.get(field) != after.get(field)]
    return {field: _operation(field, before.get(field), after.get(field)) for field in changed}


def _operation(field: str, before: str | None, after: str | None) -> Operation:
    if field == "mail":
        if after is None:
            return {"op": "remove", "path": f'emails[type eq "{_WORK}"]'}
        if before is None:
            return {"op": "add", "path": "emails", "value": [{"value": after, "type": _WORK, "primary": True}]}
        return {"op": "replace", "path": f'emails[type eq "{_WORK}"].value', "value": after}
    path = _PATHS[field]
    if after is None:
        return {"op": "remove", "path": path}
    if field == "manager":
        return {"op": "replace", "path": path, "value": {"value": after}}
    return {"op": "replace", "path": path, "value": after == "true" if field == "presence" else after}


def state_of(user: Account, manager_key: str, groups: frozenset[str]) -> AccountState:
    """The user in the port's words."""
    values = held(user)
    presence = Presence.ENABLED if values.pop("presence") == "true" else Presence.DISABLED
    uid = values.pop("uid", "")
    values.pop("manager", None)
    if manager_key:
        values["manager"] = manager_key
    return AccountState(user.external_id or "", presence, uid, values, groups)
