"""The municipality's decisions as data: source register, releases, forms, policy. A mistake names file and place."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.wiring.base import read_yaml
from iam.domain.policy import Policy
from mmd.domain.prefill import Form
from mmd.domain.register import SourceRegister
from mmd.domain.release import Release
from streams.contracts.errors import KallanError, Rejected


@dataclass(frozen=True, slots=True)
class Releases:
    """`topic` is the release under which documents leave on `mmd.person.v1`; `clients` tells who may use which."""

    by_id: Mapping[str, Release]
    clients: Mapping[str, tuple[str, ...]]
    topic: Release


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except Rejected as error:
        raise KallanError("settings.invalid", f"{path.name}: {error.detail}") from None


def read_register(path: Path) -> SourceRegister:
    with _named(path):
        return SourceRegister.from_data(read_yaml(path))


def read_policy(path: Path) -> Policy:
    with _named(path):
        return Policy.from_data(read_yaml(path))


def read_forms(path: Path) -> dict[str, Form]:
    with _named(path):
        forms = [Form.from_data(data) for data in read_yaml(path).get("forms") or ()]
    return {form.id: form for form in forms}


def read_releases(path: Path) -> Releases:
    data = read_yaml(path)
    unknown = set(data) - {"releases", "clients", "topic"}
    if unknown:
        raise KallanError("settings.invalid", f"{path.name}: {', '.join(sorted(map(str, unknown)))}")
    found: dict[str, Release] = {}
    for name, one in (data.get("releases") or {}).items():
        try:
            found[name] = Release.from_data(one)
        except Rejected as error:
            raise KallanError("settings.invalid", f"{path.name}: releases.{name}.{error.detail}") from None
    clients = {client: tuple(names) for client, names in (data.get("clients") or {}).items()}
    for client, names in clients.items():
        if missing := set(names) - set(found):
            raise KallanError("settings.invalid", f"{path.name}: clients.{client}: {', '.join(sorted(missing))}")
    topic = found.get(str(data.get("topic")))
    if topic is None:
        raise KallanError("settings.invalid", f"{path.name}: topic")
    return Releases(found, clients, topic)
