"""What Faust and its Kafka client log, as few lines of ours.

Their DEBUG lines hold keys and values, their crash reports the text of any exception, and a broker that is away gives
several lines a second. Here only warnings and worse come through, each place at most once in a while, as one line.
"""

import logging
import time

from streams.log_texts import said

log = logging.getLogger(__name__)

LIBRARIES = ("faust", "mode", "aiokafka")
_ONCE_IN = 10.0


class _Relay(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said: dict[tuple[str, int], float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        place, now = (record.name, record.lineno), time.monotonic()
        if now - self._said.get(place, float("-inf")) < _ONCE_IN:
            return
        self._said[place] = now
        if record.exc_info and record.exc_info[0]:
            text = f"{record.exc_info[0].__name__} at {record.module}:{record.lineno}"
        else:
            text = said(record)
        log.warning("%s: %s", record.name, text)


def calm() -> None:
    """Idempotent; for the whole process."""
    for name in LIBRARIES:
        library = logging.getLogger(name)
        library.setLevel(logging.WARNING)
        library.propagate = False
        library.handlers = [_Relay()]
