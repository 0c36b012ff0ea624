"""The part of SCIM's User and Group (RFC 7643) that an account needs; what else a server sends is left alone.

Own models, because those of scim2-models refuse addresses such as `name@kommun.test` (RFC 2606) that servers accept.
"""

from typing import Annotated, ClassVar

from scim2_models import (
    URN,
    AnyExtension,
    ComplexAttribute,
    EnterpriseUser,
    Required,
    Resource,
    ScimPolicy,
    Uniqueness,
)

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


class Name(ComplexAttribute):
    given_name: str | None = None
    family_name: str | None = None


class Email(ComplexAttribute):
    value: str | None = None
    type: str | None = None
    primary: bool | None = None


class User(Resource[AnyExtension]):
    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    name: Name | None = None
    display_name: str | None = None
    title: str | None = None
    active: bool | None = None
    emails: list[Email] | None = None

    Name: ClassVar[type[ComplexAttribute]] = Name
    Emails: ClassVar[type[ComplexAttribute]] = Email


class Member(ComplexAttribute):
    value: str | None = None


class Group(Resource[AnyExtension]):
    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    members: list[Member] | None = None

    Members: ClassVar[type[ComplexAttribute]] = Member


Account = User[EnterpriseUser]

TOLERANT = ScimPolicy(unknown=ScimPolicy.Unknown.ignore)
