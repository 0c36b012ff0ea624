"""What a chunk of messages says, once each: the newest version of every document in it."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from iam.store.world import Cause
from streams.codec import Incoming
from streams.contracts.claims import is_thing
from streams.contracts.documents import PersonDocument, Published, Redirect, UnitDocument, Version, Withheld

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class News(Generic[T]):
    """A document with its version, the key that it came under (units and redirects: none), and its cause."""

    version: Version
    document: T
    key_id: str
    cause: Cause


@dataclass(slots=True)
class Arrived:
    persons: dict[str, News[PersonDocument]] = field(default_factory=dict)
    units: dict[str, News[UnitDocument]] = field(default_factory=dict)
    redirects: dict[str, News[Redirect]] = field(default_factory=dict)
    withheld: dict[str, News[Withheld]] = field(default_factory=dict)
    erased: dict[str, Version | None] = field(default_factory=dict)

    def add(self, incoming: Incoming[Published]) -> None:
        record, envelope = incoming.record, incoming.envelope
        cause = Cause(record.cause or envelope.id, record.caused_at or envelope.time)
        if record.person:
            _keep(self.persons, record.person.id, News(record.version, record.person, envelope.key_id, cause))
        if record.unit:
            _keep(self.units, record.unit.id, News(record.version, record.unit, "", cause))
        if record.redirect:
            _keep(self.redirects, record.redirect.id, News(record.version, record.redirect, "", cause))

        if record.withheld and not is_thing(record.withheld.id):
            _keep(self.withheld, record.withheld.id, News(record.version, record.withheld, "", cause))

    def add_erased(self, document_id: str, version: str) -> None:
        """A tombstone, or a document whose key an erasure destroyed. Of things that are no persons none has an account."""
        if not is_thing(document_id):
            told, known = Version.read(version), self.erased.get(document_id)
            self.erased[document_id] = max(told, known) if told and known else told or known

    def aliases_of(self, person: str) -> set[str]:
        """As the newest that is told of the person has them."""
        news, withheld = self.persons.get(person), self.withheld.get(person)
        if news is None or (withheld is not None and withheld.version > news.version):
            return set()
        return set(news.document.aliases)

    def person_ids(self) -> set[str]:
        """Every person whose rows may be written because of these messages themselves."""
        found = set(self.persons) | set(self.redirects) | set(self.withheld) | set(self.erased)
        found |= {news.document.to for news in self.redirects.values()}
        return found.union(*(news.document.aliases for news in self.persons.values()))


def _keep(known: dict[str, News[T]], key: str, news: News[T]) -> None:
    if key not in known or known[key].version < news.version:
        known[key] = news
