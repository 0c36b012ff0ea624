"""SCIM 2.0 service providers (RFC 7643, RFC 7644) as a target."""

from connectors.targets.scim.settings import ScimSettings
from connectors.targets.scim.target import ScimTarget

__all__ = ["ScimSettings", "ScimTarget"]
