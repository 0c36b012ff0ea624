"""The stores are lost and come again: made from the log beside those in use, compared with them, and put in their place.

What the commands `rebuild`, `rebuild --accept` and `restore --finish` do, as one step of a scenario. On the way it is looked
at after every few records whether somebody who is protected in the store in use stands unprotected in the new one.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial

import psycopg
from psycopg import sql

from connectors.targets.port import Target
from deploy.operations.compare import differences, stand_of
from deploy.operations.rebuild import ReadTopic, rebuild, remember
from deploy.operations.shadow import STORES, Shadow, make_empty, shadow_of
from deploy.operations.switch import REPLACED, note
from deploy.settings import MasterSettings, ProvisioningSettings
from deploy.wiring.base import Base
from mmd.store.sealed import open_documents
from streams.contracts.claims import Marking
from streams.contracts.documents import PersonDocument
from streams.contracts.errors import Rejected

_BETWEEN_LOOKS = 5
_TOLD = 5
_PROTECTED = (Marking.SEKRETESSMARKERING, Marking.SKYDDAD_FOLKBOKFORING)
_PERSONS = "select id, kind, key_id, body from mmd.document where kind = 'person' and body <> ''"

Places = Mapping[str, Mapping[int, int]]
"""An offset by topic and partition."""


@dataclass(frozen=True, slots=True)
class Remaking:
    """`read` gives what the log holds of this scenario, which begins at `began`; `switch` puts a store that was made again
    in the place of the one in use, after what it is given to call, and returns when accounts may be changed again."""

    base: Base
    of_master: MasterSettings
    of_provisioning: ProvisioningSettings
    targets: Mapping[str, Target]
    read: ReadTopic
    began: Places
    switch: Callable[[Shadow, Callable[[], object]], None]

    def __call__(self) -> None:
        """Raises `Rejected("store.differs")` where the new store is not like the one in use, or somebody protected was
        without protection on the way: nothing is switched then."""
        with self._new_store() as shadow:
            watch = _Watch(self.base, shadow)
            found = rebuild(
                shadow,
                self.of_master,
                self.of_provisioning,
                self.read,
                self.targets,
                watch.look,
                most=_BETWEEN_LOOKS,
            )
            watch.verdict()
            if differing := differences(stand_of(self.base), stand_of(shadow)):
                told = ", ".join(f"{one.what} {one.id} {one.how}" for one in differing[:_TOLD])
                raise Rejected("store.differs", f"{len(differing)}: {told}")
            for topic, places in self.began.items():
                read = found.next_offsets.setdefault(topic, {})
                for part, place in places.items():
                    read.setdefault(part, place)
            note(shadow, found)
            self.switch(shadow, partial(remember, shadow, self.of_provisioning, self.read, self.targets))
        with psycopg.connect(self.of_master.store_url) as connection:
            for name in STORES:
                connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(name + REPLACED)))

    @contextmanager
    def _new_store(self) -> Iterator[Shadow]:
        name = f"again_{uuid.uuid4().hex[:12]}"
        make_empty(self.of_master, name)
        try:
            with closing(shadow_of(self.of_master, name, self.base.clock)) as shadow:
                yield shadow
        finally:
            with psycopg.connect(self.of_master.store_url, autocommit=True) as admin:
                admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


class _Watch:
    """Who is protected in the store in use, and whether the new one ever holds anything of them without it."""

    def __init__(self, base: Base, shadow: Shadow) -> None:
        self._shadow = shadow
        self._protected = {
            one: person.marking for one, person in _persons(base).items() if person.marking in _PROTECTED
        }
        self._seen: set[str] = set()

    def look(self, _events: int) -> None:
        for one, person in _persons(self._shadow).items():
            bare = not (person.names or person.birth or person.registered_addresses or person.personas)
            if one in self._protected and not bare and person.marking is not self._protected[one]:
                self._seen.add(one)

    def verdict(self) -> None:
        """Raises `Rejected("store.differs")`."""
        if self._seen:
            raise Rejected("store.differs", f"without protection on the way: {', '.join(sorted(self._seen))}")


def _persons(store: Base) -> dict[str, PersonDocument]:
    with store.pool.connection() as connection:
        rows = connection.execute(_PERSONS).fetchall()
    found = open_documents(store.keys, rows).whole()
    return {one: document for one, document in found.items() if isinstance(document, PersonDocument)}
