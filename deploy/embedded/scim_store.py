"""SCIM resources in memory and in one SQLite file: a write is answered only when it is in the file."""

import itertools
import json
import sqlite3
from pathlib import Path
from typing import Any

from scim2_models import Resource, ResourceType, ScimProvider
from scim2_server.memory import InMemoryStorage


class FileStorage(InMemoryStorage):
    """The server's own in-memory storage (indexes, uniqueness, filters), written through to `path` and loaded from it.

    Versions go on where they were: an ETag that a client holds is never given to another state.
    """

    def __init__(self, path: Path, provider: ScimProvider) -> None:
        super().__init__()
        self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)  # used under self.lock only
        self._file.execute("pragma journal_mode = wal")
        self._file.execute("pragma synchronous = normal")
        self._file.execute(
            "create table if not exists resource (type text, id text, body text not null, primary key (type, id))"
        )
        self._file.execute("create table if not exists version (last integer not null)")
        rows = self._file.execute("select type, body from resource order by rowid").fetchall()
        self.resources = [_resource(provider, type_, body) for type_, body in rows]
        self.versions = itertools.count(self._last_version() + 1)

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        with self.lock:
            created = super().create(resource_type, resource)
            self._keep(resource_type, created)
            return created

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        with self.lock:
            updated = super().update(resource_type, resource, expected_version=expected_version)
            self._keep(resource_type, updated)
            return updated

    def delete(self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None) -> None:
        with self.lock:
            super().delete(resource_type, resource_id, expected_version=expected_version)
            self._file.execute("delete from resource where type = ? and id = ?", (resource_type.name, resource_id))

    def close(self) -> None:
        self._file.close()

    def _keep(self, resource_type: ResourceType, resource: Resource[Any]) -> None:
        body = json.dumps(resource.model_dump(scim_ctx=None, mode="json", by_alias=True, exclude_none=True))
        row = (resource_type.name, resource.id, body)
        version = int(str(resource.meta.version).strip('W/"')) if resource.meta else 0
        self._file.execute("begin")
        self._file.execute(
            "insert into resource values (?, ?, ?) on conflict (type, id) do update set body = excluded.body", row
        )
        self._file.execute("delete from version")
        self._file.execute("insert into version values (?)", (version,))
        self._file.execute("commit")

    def _last_version(self) -> int:
        row = self._file.execute("select max(last) from version").fetchone()
        return int(row[0] or 0)


def _resource(provider: ScimProvider, type_: str, body: str) -> Resource[Any]:
    model = provider.model_for(type_)
    if model is None or not issubclass(model, Resource):
        raise ValueError(f"the file holds the resource type {type_}, which is not served")
    return model.model_validate(json.loads(body))
