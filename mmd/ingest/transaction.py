"""The ingest transaction: one batch of prepared claims becomes documents, all or nothing.

Lock order: the join gate, the rows of the documents concerned (sorted, one statement), heads (sorted), document rows
(sorted), dirty rows (sorted). Ordinary batches share the gate. A batch that joins or parts persons, or that takes a head
away from another subject, holds it alone: only then can a document be concerned that was not known when locks were taken.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import psycopg

from mmd.domain.register import SourceRegister
from mmd.ingest import identities, rulings, storage
from mmd.ingest.documents import Cause, Writer
from mmd.ingest.erasure import erasures
from mmd.ingest.identities import Cursor, Edge, Joined
from mmd.ingest.prepare import NewClaim, Prepared
from mmd.ingest.rulings import Rulings
from mmd.store.own_ids import own_id
from mmd.store.row_ids import sends_row_ids
from streams.contracts.claims import NumberReference
from streams.contracts.time import local_date
from streams.sealing import KeyRing

_GATE = "select pg_advisory_xact_lock{}(hashtextextended('mmd.join', 0))"


class NeedsGateAlone(Exception):
    """The batch changes whom a subject or a head belongs to: roll back and run again with the gate held alone."""


class Outdated(Exception):
    """Somebody was erased after the batch was prepared: roll back, prepare it again. Their keys are known by then."""


@dataclass(frozen=True, slots=True)
class Ingest:
    """What the transaction is given. `person_secret` names persons, `digest_secret` keys hashes of what is stored."""

    keys: KeyRing
    register: SourceRegister
    person_secret: bytes
    digest_secret: bytes

    def run(self, connection: psycopg.Connection, batch: Prepared, now: dt.datetime, *, alone: bool) -> None:
        """Raises `Outdated`, and under the shared gate `NeedsGateAlone`: nothing is changed then (the caller rolls back)."""
        with connection.cursor(binary=True) as cursor:
            sends_row_ids(cursor)
            cursor.execute(_GATE.format("" if alone else "_shared"))
            if erasures(cursor) != batch.erasures:
                raise Outdated
            storage.store_conflicts(cursor, batch.conflicts.values())
            storage.store_aside(cursor, batch.aside.values())
            if batch.claims:
                self._claims(cursor, batch, now, alone)

    def _claims(self, cursor: Cursor, batch: Prepared, now: dt.datetime, alone: bool) -> None:
        own_ids = dict(batch.own_ids)
        new = identities.ensure_subjects(cursor, own_ids)
        known = {subject: own for subject, own in own_ids.items() if own not in new}  # the others are ours, and empty
        locked = frozenset(identities.survivors_of(cursor, known.values()).values())
        identities.lock(cursor, locked)
        heads = storage.heads_of(cursor, known)
        fresh, earlier = storage.sort_out(cursor, batch.claims.values(), known, heads)
        if not fresh and not earlier:
            return
        edges = [edge for one in (*fresh, *earlier) if (edge := _edge(one)) is not None]
        ruled = Rulings.of((*fresh, *earlier))
        settled = storage.settle_heads(cursor, fresh, heads)
        lost = settled.lost
        if (lost or ruled or identities.unknown_edges(cursor, edges)) and not alone:
            raise NeedsGateAlone
        storage.log_earlier(cursor, earlier)
        identities.add_edges(cursor, edges)
        rulings.add(cursor, ruled)
        joined = self._join(cursor, edges, ruled, own_ids) if alone else Joined()
        own_ids.update({subject: self._own_id(subject) for subject in lost})
        asked = own_ids.values() if alone else (own for own in own_ids.values() if own not in new)
        survivors = {one: one for one in new} | identities.survivors_of(cursor, asked)
        touched = {one.logged.subject for one in (*fresh, *earlier)} | lost
        concerned = {survivors[own_ids[subject]] for subject in touched} | joined.survivors
        identities.lock(cursor, concerned - locked - new)
        alone_here = (new & concerned) - joined.survivors
        first = storage.first_heard(alone_here, fresh, settled.won, own_ids, batch.live_keys)
        writer = self._writer(cursor, now, own_ids)
        # What is heard of for the first time is derived while the database takes in the claims: that asks it nothing.
        for document in storage.storing(cursor, _by_document(fresh, own_ids, first)):
            if document in first:
                writer.derive_first(document, first[document])
        stored: dict[bytes, NewClaim] = {one.id: one for one in fresh}
        groups = storage.counting(cursor, concerned - alone_here, stored, self.keys, batch.live_keys)
        causes = _causes([*fresh, *earlier], own_ids, survivors)
        redirects = {old: new for old, new in joined.renamed.items() if old != new}
        writer.write(groups, redirects, causes)

    def _join(self, cursor: Cursor, edges: list[Edge], ruled: Rulings, own_ids: dict[str, str]) -> Joined:
        """Number references and rulings; the subjects that are only referred to become known with them."""
        ends = {end for edge in edges for end in (edge.from_subject, edge.to_subject)} | ruled.subjects
        named = {subject: self._own_id(subject) for subject in ends}
        own_ids.update(named)
        if named:
            identities.ensure_subjects(cursor, named)
        return identities.join(cursor, ends, own_ids)

    def _own_id(self, subject: str) -> str:
        return own_id(self.person_secret, subject)

    def _writer(self, cursor: Cursor, now: dt.datetime, own_ids: Mapping[str, str]) -> Writer:
        known = dict(own_ids)

        def person_id_of(subject: str) -> str:
            found = known.get(subject)
            if found is None:
                found = known[subject] = self._own_id(subject)
            return found

        return Writer(cursor, self.keys, self.register, person_id_of, self.digest_secret, now, local_date(now))


def _edge(one: NewClaim) -> Edge | None:
    body = one.logged.claim.body
    if not isinstance(body, NumberReference):
        return None
    return Edge(one.logged.subject, body.other_subject, body.superseded, one.logged.logged_at)


def _by_document(
    fresh: Iterable[NewClaim], own_ids: Mapping[str, str], first: Iterable[str]
) -> Mapping[str, Sequence[NewClaim]]:
    """The new claims by the document that their subject has alone; every `first` one is there, with or without claims."""
    found: dict[str, list[NewClaim]] = {one: [] for one in first}
    for one in fresh:
        found.setdefault(own_ids[one.logged.subject], []).append(one)
    return found


def _causes(claims: list[NewClaim], own_ids: Mapping[str, str], survivors: Mapping[str, str]) -> dict[str, Cause]:
    """By document: the newest event of the batch that spoke about it."""
    found: dict[str, Cause] = {}
    for one in claims:
        document = survivors[own_ids[one.logged.subject]]
        cause = (one.logged.logged_at, one.logged.event)
        if document not in found or cause > found[document]:
            found[document] = cause
    return found
