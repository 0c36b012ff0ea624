"""Stricter policies of the legal authorities (*nämnd*, company): each decides for its own, and only takes away or asks more.

A file of an authority has no word by which anything could be given: no rule, no target, no group. What it may say is in
`AuthorityPolicy`, and whatever else stands there is refused. The effective policy of a persona is the core's *and* that of
the authority of its unit (docs/decisions/0231).
"""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from streams.contracts.errors import Rejected
from streams.contracts.time import holds

_NAMED = msgspec.Meta(min_length=1, max_length=200)


class AuthorityPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one authority asks beyond the core policy. Dates inclusive.

    `authority`: as units name it (`legal_authority`), compared without regard to case and spaces. `decision`: on what it
    rests. `refused_targets`, `refused_hosting`: no account there. `refused_groups`: never given; `role:*` for all that
    start so. `withheld`: account attributes that are left out. `statuses`: register statuses of which one is needed.
    `lead_days`: an account is staged no sooner than this. `leave`: accounts are disabled during leave of absence.
    """

    authority: Annotated[str, _NAMED]
    decision: Annotated[str, _NAMED]
    refused_targets: tuple[str, ...] = ()
    refused_hosting: tuple[Literal["onprem", "cloud"], ...] = ()
    refused_groups: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    lead_days: Annotated[int, msgspec.Meta(ge=0, le=3650)] | None = None
    leave: Literal["suspend"] | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "AuthorityPolicy":
        """Raises `Rejected("input.invalid")` with the path of the first mistake."""
        try:
            found = msgspec.convert(dict(data), cls)
        except msgspec.ValidationError as error:
            raise Rejected("input.invalid", f"authority: {error}") from None
        if found.valid_from and found.valid_to and found.valid_to < found.valid_from:
            raise Rejected("input.invalid", "authority: the end is before the start - at `$.valid_to`")
        return found

    def is_of(self, authority: str, on: dt.date) -> bool:
        """Whether it holds for units of this authority on a day."""
        return _folded(self.authority) == _folded(authority) and holds(self.valid_from, self.valid_to, on)

    def refuses(self, target: str, hosting: str) -> bool:
        return target in self.refused_targets or hosting in self.refused_hosting

    def refuses_group(self, group: str) -> bool:
        return any(
            group.startswith(asked[:-1]) if asked.endswith("*") else group == asked for asked in self.refused_groups
        )


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
