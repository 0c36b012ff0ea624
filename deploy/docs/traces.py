"""docs/sparbarhet/*.yml as types: what the source documents ask for, and the code and tests that answer to it."""

import hashlib
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
import yaml

FILES = ("docs/sparbarhet/krav.yml", "docs/sparbarhet/principer.yml")
OUTCOMES = "docs/sparbarhet/utfall.json"


class State(StrEnum):
    """How far a requirement is met."""

    BUILT = "built"
    PARTLY = "partly"
    NOT_YET = "not-yet"


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A source document. Its text is others': rows paraphrase it."""

    name: str
    by: str


class Mutation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change of one place in `file` that `test` must notice. `before` occurs exactly once; `breaks` says what is lost."""

    file: str
    before: str
    after: str
    test: str
    breaks: str

    @property
    def digest(self) -> str:
        """Changes when the mutation does: an outcome holds for the mutation that it was recorded of."""
        return hashlib.sha256(msgspec.json.encode((self.file, self.before, self.after, self.test))).hexdigest()[:12]


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One requirement or principle. `says` is our paraphrase; `not_yet` what is missing, by its theme."""

    id: str
    source: str
    says: str
    state: State
    code: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    not_yet: str = ""
    mutation: Mutation | None = None

    @property
    def files(self) -> set[str]:
        return {one.partition("::")[0] for one in self.code}


class Traces(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    documents: dict[str, Document]
    requirements: tuple[Row, ...]
    principles: tuple[Row, ...]

    @property
    def rows(self) -> Iterator[Row]:
        yield from self.requirements
        yield from self.principles

    @property
    def named_tests(self) -> list[str]:
        """Every test that is named, once, in the order of the file."""
        return list(dict.fromkeys(test for row in self.rows for test in row.tests))

    @property
    def mutations(self) -> dict[str, Mutation]:
        return {row.id: row.mutation for row in self.principles if row.mutation is not None}


class Outcome(StrEnum):
    """Of a mutation: the test failed as it must, it did not notice, or it could not be run."""

    RED = "red"
    GREEN = "green"
    BROKEN = "broken"


class Recorded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came of one mutation, and of which (see `Mutation.digest`)."""

    digest: str
    outcome: Outcome
    date: str


def _numbers(prefix: str, last: int, digits: int = 1) -> list[str]:
    return [f"{prefix}{number:0{digits}}" for number in range(1, last + 1)]


REQUIREMENTS = (*_numbers("M", 33, 2), *_numbers("I", 18, 2), *_numbers("H", 9, 2))
PRINCIPLES = (
    *_numbers("Helsingborg-", 11),
    *_numbers("Storsthlm-", 12),
    *_numbers("Digg-", 13),
    *_numbers("eSam-", 3),
    "eSam-FAQ",
)
"""Every row that there must be, in order: none is left out because it is not met."""


def read_traces(root: Path) -> Traces:
    """Raises ValueError with the place where the files do not have their form."""
    data: dict[str, Any] = {}
    for name in FILES:
        data |= yaml.safe_load((root / name).read_text(encoding="utf-8"))
    try:
        return msgspec.convert(data, Traces)
    except msgspec.ValidationError as error:
        raise ValueError(f"docs/sparbarhet: {error}") from None


def read_outcomes(root: Path) -> dict[str, Recorded]:
    """What was recorded of each principle's mutation; nothing where none was ever run."""
    path = root / OUTCOMES
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Recorded]) if path.is_file() else {}


def complaints(traces: Traces) -> list[str]:
    """What is wrong with the rows themselves, without looking at the tree."""
    found = []
    for wanted, rows in ((REQUIREMENTS, traces.requirements), (PRINCIPLES, traces.principles)):
        if [row.id for row in rows] != list(wanted):
            odd = sorted({row.id for row in rows} ^ set(wanted)) or ["order or repetition"]
            found.append(f"docs/sparbarhet: rows differ from the documents': {', '.join(odd)}")
    for row in traces.rows:
        found += [f"{row.id}: {what}" for what in _wrong(row, row.id in PRINCIPLES, traces.documents)]
    return found


def _wrong(row: Row, principle: bool, documents: Iterable[str]) -> Iterator[str]:
    answered = row.state in {State.BUILT, State.PARTLY}
    if row.source not in documents:
        yield "an unknown source document"
    if not row.says:
        yield "says nothing"
    if answered != bool(row.code) or answered != bool(row.tests):
        yield "code and tests where something is built, and nowhere else"
    if (row.state is State.BUILT) == bool(row.not_yet):
        yield "what is missing must be said, unless nothing is"
    if (row.mutation is not None) != (principle and answered):
        yield "a mutation for each principle that something is built for, and for nothing else"
    if row.mutation is not None:
        if row.mutation.test not in row.tests:
            yield "its mutation is held against a test that it does not name"
        if row.mutation.file not in row.files:
            yield "its mutation changes code that it does not name"
        if row.mutation.before == row.mutation.after:
            yield "its mutation changes nothing"
