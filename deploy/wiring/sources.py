"""The source leg: what `kallan load` and the replay feed sources through."""

from connectors.sources.edge import Edge
from deploy.wiring.base import Base
from streams.bus import Producer
from streams.codec import RecordCodec
from streams.sealing import KeyClass


def edge(base: Base, producer: Producer) -> Edge:
    codec = RecordCodec(base.keys, KeyClass.INNER)
    return Edge(base.pool, codec, producer, base.settings.secret("subject.secret"), base.clock, keys=base.keys)
