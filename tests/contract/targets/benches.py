"""What the contract tests need of each target beyond the port: another hand on it, sign-in, a way to cut its line."""

import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import httpx
import ldap3
from ldap3.utils.conv import escape_filter_chars

from connectors.targets.ldap import LdapSettings, LdapTarget
from connectors.targets.memory import MemoryTarget
from connectors.targets.port import AccountState, Disabling, Presence, Target
from connectors.targets.scim import ScimSettings, ScimTarget


def new_key() -> str:
    """A key, and a uid, that no other test has."""
    return f"k{uuid.uuid4().hex[:16]}"


def account(
    key: str, presence: Presence = Presence.ENABLED, uid: str = "", groups: Iterable[str] = (), **attributes: str
) -> AccountState:
    return AccountState(key, presence, uid or key, attributes, frozenset(groups))


class Bench(ABC):
    """A target with a server behind it that all tests share; every test has keys of its own."""

    name: str
    target: Target
    keeps_credential = True
    """Whether an account that is enabled again can sign in with its old password."""

    @abstractmethod
    def set_password(self, uid: str, password: str) -> None: ...

    @abstractmethod
    def signs_in(self, uid: str, password: str) -> bool:
        """A real sign-in where the target has one."""

    @abstractmethod
    def make_stranger(self, uid: str, mail: str) -> None:
        """An account that is not ours: no key."""

    @abstractmethod
    def rename_by_hand(self, uid: str, display_name: str) -> None: ...

    @abstractmethod
    def put_in_group(self, group: str, uid: str) -> None:
        """Membership made by hand; the group is made if there is none."""

    @abstractmethod
    def members(self, group: str) -> set[str]:
        """uids of the people in a group; dangling members show as they are stored."""

    @abstractmethod
    def seed(self, keys: Iterable[str], group: str) -> None:
        """Many enabled accounts, uid = key, in one group, made past the port because it is faster."""


class ServerBench(Bench):
    """A target over TCP."""

    host = "127.0.0.1"
    port: int

    @abstractmethod
    def target_at(self, port: int, *, timeout: float) -> LdapTarget | ScimTarget:
        """The same target reached over another port."""

    @staticmethod
    @abstractmethod
    def is_write(request: bytes) -> bool:
        """Whether what a client sent is a request that changes something."""

    @staticmethod
    @abstractmethod
    def is_request(sent: bytes) -> bool:
        """Whether what a client sent begins a request."""


class MemoryBench(Bench):
    name = "memory"

    def __init__(self) -> None:
        self.memory = MemoryTarget()
        self.target = self.memory

    def set_password(self, uid: str, password: str) -> None:
        """No passwords here: enabled accounts sign in."""

    def signs_in(self, uid: str, password: str) -> bool:
        return self.memory.may_sign_in(uid)

    def make_stranger(self, uid: str, mail: str) -> None:
        self.memory.ensure(account(f"stranger-{uid}", uid=uid, mail=mail))

    def rename_by_hand(self, uid: str, display_name: str) -> None:
        self.memory.change_by_hand(self._key(uid), attributes={"display_name": display_name})

    def put_in_group(self, group: str, uid: str) -> None:
        self.memory.change_by_hand(self._key(uid), join=frozenset({group}))

    def members(self, group: str) -> set[str]:
        found = [one for one in self.memory.read_all() if group in self.memory.groups_of(one.state.key)]
        return {one.state.uid for one in found}

    def seed(self, keys: Iterable[str], group: str) -> None:
        for key in keys:
            self.memory.ensure(account(key, groups=[group], display_name=key))

    def _key(self, uid: str) -> str:
        return next(one.state.key for one in self.memory.read_all() if one.state.uid == uid)


class LdapBench(ServerBench):
    def __init__(self, name: str, port: int, bind_dn: str, password: str, base_dn: str, disabling: Disabling) -> None:
        self.name = name
        self.port = port
        self.bind_dn, self.password, self.base_dn, self.disabling = bind_dn, password, base_dn, disabling
        self.keeps_credential = disabling is Disabling.LOCKED_TIME
        self.target = self.ldap = self.target_at(port, timeout=10)
        self.ldap_people = f"ou=people,{base_dn}"
        self._hand = self.connect(bind_dn, password)
        assert self._hand.bind()[0]

    def close(self) -> None:
        self._hand.unbind()
        self.ldap.close()

    def target_at(self, port: int, *, timeout: float) -> LdapTarget:
        return LdapTarget(self.settings(f"ldap://{self.host}:{port}", timeout=timeout))

    def settings(self, url: str, *, timeout: float = 10.0, **options: Any) -> LdapSettings:
        return LdapSettings(
            url=url,
            bind_dn=self.bind_dn,
            password=self.password,
            base_dn=self.base_dn,
            disabling=self.disabling,
            connect_timeout=timeout,
            receive_timeout=timeout,
            **options,
        )

    @staticmethod
    def is_write(request: bytes) -> bool:
        """The tag behind message length and id: modify, add, delete, modify DN (RFC 4511, section 4.2 and on)."""
        after_length = 2 if request[1] < 0x80 else 2 + (request[1] & 0x7F)
        tag = request[after_length + 2 + request[after_length + 1]]
        return tag in {0x66, 0x68, 0x4A, 0x6C}

    @staticmethod
    def is_request(sent: bytes) -> bool:
        return True

    def connect(self, dn: str, password: str) -> Any:
        server = ldap3.Server(f"ldap://{self.host}:{self.port}", get_info=ldap3.NONE)
        return ldap3.Connection(server, dn, password, client_strategy=ldap3.SAFE_SYNC, check_names=False)

    def dn(self, uid: str) -> str:
        found = self._hand.search(f"ou=people,{self.base_dn}", f"(uid={escape_filter_chars(uid)})")[2]
        return str(found[0]["dn"])

    def change(self, dn: str, changes: dict[str, Any]) -> None:
        status, result, _, _ = self._hand.modify(dn, changes)
        assert status, result["description"]

    def add(self, dn: str, classes: list[str], values: dict[str, Any]) -> None:
        status, result, _, _ = self._hand.add(dn, classes, values)
        assert status, result["description"]

    def delete(self, dn: str) -> None:
        status, result, _, _ = self._hand.delete(dn)
        assert status, result["description"]

    def set_password(self, uid: str, password: str) -> None:
        self.change(self.dn(uid), {"userPassword": [(ldap3.MODIFY_REPLACE, [password])]})

    def signs_in(self, uid: str, password: str) -> bool:
        connection = self.connect(self.dn(uid), password)
        allowed = bool(connection.bind()[0])
        connection.unbind()
        return allowed

    def make_stranger(self, uid: str, mail: str) -> None:
        values = {"uid": uid, "cn": "Stranger", "sn": "Stranger", "mail": mail}
        self.add(f"uid={uid},ou=people,{self.base_dn}", ["inetOrgPerson"], values)

    def rename_by_hand(self, uid: str, display_name: str) -> None:
        self.change(self.dn(uid), {"displayName": [(ldap3.MODIFY_REPLACE, [display_name])]})

    def put_in_group(self, group: str, uid: str) -> None:
        self._put_in_group(group, [self.dn(uid)])

    def members(self, group: str) -> set[str]:
        found = self._hand.search(f"ou=groups,{self.base_dn}", f"(cn={group})", attributes=["member"])[2]
        dns = [value for one in found for value in one["attributes"]["member"]]
        people = [dn for dn in dns if "ou=people" in dn.lower()]
        return {dn.partition(",")[0].partition("=")[2] for dn in people}

    def seed(self, keys: Iterable[str], group: str) -> None:
        classes = ["inetOrgPerson", "eduPerson", "kallanAccount"]
        dns = []
        for key in keys:
            dns.append(f"uid={key},ou=people,{self.base_dn}")
            values = {"uid": key, "cn": key, "sn": key, "displayName": key}
            self.add(dns[-1], classes, {**values, "kallanAccountKey": key, "kallanActive": "TRUE"})
        self._put_in_group(group, dns)

    def _put_in_group(self, group: str, dns: list[str]) -> None:
        dn = f"cn={group},ou=groups,{self.base_dn}"
        status, result, _, _ = self._hand.add(dn, ["groupOfNames"], {"cn": group, "member": dns})
        if not status:
            assert result["description"] == "entryAlreadyExists"
            self.change(dn, {"member": [(ldap3.MODIFY_ADD, dns)]})


_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
_PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class ScimBench(ServerBench):
    name = "scim"

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token
        self.target = self.scim = self.target_at(port, timeout=10)
        self._hand = httpx.Client(
            base_url=f"http://{self.host}:{port}/v2/",
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"},
            trust_env=False,
        )

    def close(self) -> None:
        self._hand.close()
        self.scim.close()

    def target_at(self, port: int, *, timeout: float) -> ScimTarget:
        return ScimTarget(
            ScimSettings(
                url=f"http://{self.host}:{port}/v2", token=self.token, connect_timeout=timeout, read_timeout=timeout
            )
        )

    @staticmethod
    def is_write(request: bytes) -> bool:
        return request.startswith((b"POST", b"PATCH", b"PUT", b"DELETE"))

    @staticmethod
    def is_request(sent: bytes) -> bool:
        return ScimBench.is_write(sent) or sent.startswith(b"GET")

    def user(self, uid: str) -> dict[str, Any]:
        found: dict[str, Any] = self._send("GET", "Users", params={"filter": f'userName eq "{uid}"'})["Resources"][0]
        return found

    def set_password(self, uid: str, password: str) -> None:
        """The server has no sign-in; `active` is what an application reads."""

    def signs_in(self, uid: str, password: str) -> bool:
        return bool(self.user(uid)["active"])

    def make_stranger(self, uid: str, mail: str) -> None:
        self._send("POST", "Users", json={"schemas": [_USER], "userName": uid, "emails": [{"value": mail}]})

    def rename_by_hand(self, uid: str, display_name: str) -> None:
        self.patch_user(uid, {"op": "replace", "path": "displayName", "value": display_name})

    def patch_user(self, uid: str, operation: dict[str, Any]) -> None:
        change = {"schemas": [_PATCH], "Operations": [operation]}
        self._send("PATCH", f"Users/{self.user(uid)['id']}", json=change)

    def put_in_group(self, group: str, uid: str) -> None:
        members = [{"value": self.user(uid)["id"]}]
        found = self.groups(group)
        if not found:
            self._send("POST", "Groups", json={"schemas": [_GROUP], "displayName": group, "members": members})
            return
        change = {"schemas": [_PATCH], "Operations": [{"op": "add", "path": "members", "value": members}]}
        self._send("PATCH", f"Groups/{found[0]['id']}", json=change)

    def groups(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._send("GET", "Groups", params={"filter": f'displayName eq "{name}"'}).get(
            "Resources", []
        )
        return found

    def members(self, group: str) -> set[str]:
        ids = [member["value"] for one in self.groups(group) for member in one.get("members", [])]
        users = {user_id: self._hand.get(f"Users/{user_id}").json() for user_id in ids}
        return {user.get("userName", user_id) for user_id, user in users.items()}

    def seed(self, keys: Iterable[str], group: str) -> None:
        members = []
        for key in keys:
            user = {"schemas": [_USER], "userName": key, "externalId": key, "displayName": key, "active": True}
            members.append({"value": self._send("POST", "Users", json=user)["id"]})
        self._send("POST", "Groups", json={"schemas": [_GROUP], "displayName": group, "members": members})

    def double(self, key: str) -> str:
        """A second user with the same key, and its id."""
        user = {"schemas": [_USER], "userName": f"double-{key}", "externalId": key}
        return str(self._send("POST", "Users", json=user)["id"])

    def delete_user(self, user_id: str) -> None:
        self._send("DELETE", f"Users/{user_id}")

    def make_group(self, name: str, uids: Iterable[str]) -> None:
        members = [{"value": self.user(uid)["id"]} for uid in uids]
        self._send("POST", "Groups", json={"schemas": [_GROUP], "displayName": name, "members": members})

    def delete_group(self, name: str) -> None:
        self._send("DELETE", f"Groups/{self.groups(name)[0]['id']}")

    def _send(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = self._hand.request(method, path, **options)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found
