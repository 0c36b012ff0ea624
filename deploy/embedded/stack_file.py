"""`stack.json`: what runs, where, as which process, with which log; for other tools that find, watch and kill it."""

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path


class StackFile:
    """Written anew at each change, by renaming; readable by its owner alone, for it holds passwords."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._services: dict[str, dict[str, object]] = {}
        self._workers: dict[str, dict[str, object]] = {}
        self._shown = False

    def show(self, services: Mapping[str, Mapping[str, object]]) -> None:
        """Begin: these servers are ready."""
        with self._lock:
            self._services = {name: dict(entry) for name, entry in services.items()}
            self._shown = True
            self._write()

    def add_service(self, name: str, entry: Mapping[str, object]) -> None:
        with self._lock:
            self._services[name] = dict(entry)
            self._write()

    def add_worker(self, name: str, entry: Mapping[str, object]) -> None:
        with self._lock:
            self._workers[name] = dict(entry)
            self._write()

    def pid(self, name: str, pid: int | None) -> None:
        """A process was started again."""
        with self._lock:
            for group in (self._services, self._workers):
                if name in group:
                    group[name]["pid"] = pid
            if self._shown:
                self._write()

    def remove(self) -> None:
        """End: nothing runs any more."""
        with self._lock:
            self._shown = False
            self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        making = self._path.with_suffix(".new")
        content = json.dumps({"services": self._services, "workers": self._workers}, indent=1)
        handle = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(content + "\n")
        making.replace(self._path)
