"""The municipality's decisions as data: source register, releases, forms, policy. A mistake names file and place."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from deploy.yaml_files import Unreadable, read_file
from iam.domain.authority import AuthorityPolicy
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
def _named(path: Path, place: str = "") -> Iterator[None]:
    try:
        yield
    except Rejected as error:
        raise KallanError("settings.invalid", f"{path.name}: {place}{error.detail}") from None


def read_register(path: Path) -> SourceRegister:
    with _named(path):
        return SourceRegister.from_data(read_yaml(path))


def read_policy(path: Path, authorities: str = "") -> Policy:
    """The core policy, and those of the authorities in a folder (empty: none), which can only make it stricter."""
    with _named(path):
        policy = Policy.from_data(read_yaml(path))
    if not authorities:
        return policy
    folder = Path(authorities)
    if not folder.is_dir():
        raise KallanError("settings.invalid", f"{folder.name}: no such folder")
    found: list[AuthorityPolicy] = []
    for one in sorted(folder.iterdir()):
        if one.name.startswith((".", "README")):
            continue
        if one.suffix not in (".yml", ".yaml"):  # left unread, it would restrict nobody
            raise KallanError("settings.invalid", f"{one.name}: a policy of an authority is a .yml file")
        with _named(one):
            found.append(AuthorityPolicy.from_data(read_yaml(one)))
            policy = policy.with_authorities(found)
    return policy


def read_forms(path: Path) -> dict[str, Form]:
    listed = _converted(path, _FormsFile).forms
    found: dict[str, Form] = {}
    for place, one in enumerate(listed):
        with _named(path, f"forms[{place}]."):
            form = Form.from_data(one)
        if form.id in found:
            raise KallanError("settings.invalid", f"{path.name}: forms[{place}].id: it stands twice")
        found[form.id] = form
    return found


def read_releases(path: Path) -> Releases:
    written = _converted(path, _ReleasesFile)
    found: dict[str, Release] = {}
    for name, one in written.releases.items():
        with _named(path, f"releases.{name}."):
            found[name] = Release.from_data(one)
    for client, names in written.clients.items():
        if missing := set(names) - set(found):
            raise KallanError("settings.invalid", f"{path.name}: clients.{client}: {', '.join(sorted(missing))}")
    topic = found.get(written.topic)
    if topic is None:
        raise KallanError("settings.invalid", f"{path.name}: topic")
    return Releases(found, written.clients, topic)


class _FormsFile(msgspec.Struct, forbid_unknown_fields=True):
    forms: list[dict[str, Any]]


class _ReleasesFile(msgspec.Struct, forbid_unknown_fields=True):
    releases: dict[str, dict[str, Any]]
    topic: str
    clients: dict[str, tuple[str, ...]] = {}


T = TypeVar("T")


def _converted(path: Path, kind: type[T]) -> T:
    """The whole file as a type: what it does not know is a mistake."""
    try:
        return msgspec.convert(read_yaml(path), kind)
    except msgspec.ValidationError as error:
        raise KallanError("settings.invalid", f"{path.name}: {error}") from None


def read_yaml(path: Path) -> dict[str, Any]:
    """A data file. Raises `KallanError("settings.invalid")` with its name and the place of the mistake."""
    try:
        data = read_file(path)
    except Unreadable as mistake:
        raise KallanError("settings.invalid", f"{path.name}: {mistake}") from None
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise KallanError("settings.invalid", f"{path.name}: a mapping is expected")
    return data
