"""After a restore accounts are left as they are until the log has been read again: what the store says of them is old."""

import threading

import psycopg

from deploy.operations.backup import EXECUTE, RESTORED
from deploy.wiring.base import Base
from iam.execute.patience import Patience
from streams.brake import HeldFlows

_LOOK_SECONDS = 1.0


class RestoreHold:
    """What execution asks before it begins. `told`: what is held, for the watch; it is asked from another thread."""

    def __init__(self, base: Base) -> None:
        self._flows = HeldFlows(base.keys_pool)
        self._holds = False

    def told(self) -> list[str]:
        return ["accounts, since a restore"] if self._holds else []

    def wait(self, stop: threading.Event) -> None:
        """Returns when nothing is held any more, or when asked to stop. A database that is away is waited for."""
        patience = Patience("execute hold")
        while not stop.is_set():
            try:
                self._holds = RESTORED in self._flows.read(EXECUTE)
            except psycopg.OperationalError as error:
                patience.wait(error, stop)
                continue
            patience.over()
            if not self._holds:
                return
            stop.wait(_LOOK_SECONDS)
