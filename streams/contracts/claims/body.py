"""What every claim body has in common."""

import msgspec


class ClaimBody(msgspec.Struct, frozen=True, tag_field="kind", omit_defaults=True, forbid_unknown_fields=False):
    """Base of every claim body; the tag is the claim kind."""
