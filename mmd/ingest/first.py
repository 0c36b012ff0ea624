"""What is read first when the whole log is read again: markings, and the references by which they reach a person.

Whoever is protected at the end of the log is protected in a rebuilt store before anything else of that person is in it.
"""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from mmd.domain.claims import kind_of
from streams.codec import Decoded, Incoming, RecordCodec
from streams.contracts.claims import SourceRecord
from streams.envelope import Message

FIRST = frozenset({"protection", "number-reference", "merge", "split"})
"""Kinds of claims. A marking on an earlier number counts for the person, so references and rulings on identity belong to it;
a lift does not: until the second reading everything that was ever raised stands."""


class FirstCodec(RecordCodec):
    """Reads source records and leaves only their claims of the kinds `FIRST`; of a reorganisation nothing."""

    def decode(self, messages: Sequence[Message]) -> list[Decoded[SourceRecord]]:
        return [_first(one) if isinstance(one, Incoming) else one for one in super().decode(messages)]


def _first(one: Incoming[SourceRecord]) -> Incoming[SourceRecord]:
    claims = tuple(claim for claim in one.record.claims if kind_of(claim) in FIRST)
    return replace(one, record=msgspec.structs.replace(one.record, claims=claims, together=()))
