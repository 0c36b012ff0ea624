"""What an operator's rulings are made with."""

from deploy.rulings.sending import Desk
from deploy.settings import MasterSettings
from deploy.wiring.base import Base
from deploy.wiring.data import read_register
from mmd.store.reader import Reader
from streams.bus import Producer
from streams.codec import RecordCodec
from streams.sealing import KeyClass


def desk(base: Base, settings: MasterSettings, reader: Reader, producer: Producer) -> Desk:
    codec = RecordCodec(base.keys, KeyClass.INNER)
    return Desk(reader, read_register(settings.sources), codec, producer, base.clock)
