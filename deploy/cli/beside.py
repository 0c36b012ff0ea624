"""Work beside the main work of a process. A thread that ends by an error ends its process: nobody would do its work."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def beside(name: str, work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Runs `work` in a thread for as long as the block lasts; the event that it is given says when to end.

    An error that it does not get over itself stops the main work, as SIGTERM does, and is raised when the block has ended:
    the process ends with it, its log tells it, and whoever started the process can start it again.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(1, thread_name_prefix=name) as thread:
        done = thread.submit(work, stop)
        done.add_done_callback(_stop_the_main_work)
        try:
            yield
        finally:
            stop.set()
            done.result()


def _stop_the_main_work(done: "Future[None]") -> None:
    if done.exception() is not None:
        os.kill(os.getpid(), signal.SIGTERM)
