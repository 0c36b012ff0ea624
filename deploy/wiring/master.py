"""The master's leg: ingest and relay."""

from deploy.settings import MasterSettings
from deploy.wiring.base import Base, Pool
from deploy.wiring.data import read_register, read_releases
from mmd.ingest.handler import IngestHandler
from mmd.ingest.portable import Importer
from mmd.ingest.prepare import Preparer
from mmd.ingest.transaction import Ingest
from mmd.relay.relay import Relay
from streams.bus import Producer
from streams.codec import PublishedCodec, RecordCodec
from streams.sealing import KeyClass


def ingest_handler(
    base: Base, settings: MasterSettings, pool: Pool | None = None, kind: type[RecordCodec] = RecordCodec
) -> IngestHandler:
    """`pool`: another than the base's, for a rehearsal; `kind`: the codec that opens the records."""
    codec = kind(base.keys, KeyClass.INNER, allowed=(KeyClass.INNER, KeyClass.ACCOUNT))
    return IngestHandler(
        pool or base.pool,
        codec,
        base.keys,
        read_register(settings.sources),
        settings.secret("person.secret"),
        settings.secret("digest.secret"),
        base.clock,
        ticker=base.ticker,
    )


def importer(base: Base, settings: MasterSettings) -> Importer:
    register, person = read_register(settings.sources), settings.secret("person.secret")
    digest = settings.secret("digest.secret")
    preparer = Preparer(RecordCodec(base.keys), base.keys, register, person, digest)
    return Importer(preparer, Ingest(base.keys, register, person, digest))


def relay(base: Base, settings: MasterSettings, producer: Producer) -> Relay:
    return Relay(
        base.pool,
        PublishedCodec(base.keys),
        base.keys,
        producer,
        read_releases(settings.releases).topic,
        base.clock,
        base.ticker,
        base.owner,
    )
