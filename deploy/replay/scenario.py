"""The scenario format: YAML with a published JSON Schema (`scenario.schema.json`, generated from these types).

A scenario has a cast (people by a short name, each given a published test personnummer), a virtual start time, and steps
in order. A step does exactly one thing: moves the clock (`at`), feeds a source (`source` with `records`, `file` or `text`),
acts as an operator (`operator`), acts on a target (`target`), or asserts (`expect`). `${name}` in records and text is
replaced by the number of that cast member.
"""

import datetime as dt
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from deploy.replay.operator import COMMANDS, mistake_in
from deploy.yaml_files import TextLoader, Unreadable, read_file
from streams.contracts.errors import Rejected
from streams.contracts.testnumbers import test_coordination_number, test_number
from streams.contracts.time import STOCKHOLM

SCHEMA_FILE = Path(__file__).parent / "scenario.schema.json"

NEEDS_NOT_BUILT = frozenset(
    {
        "mail",
        "attest",
        "notices",
        "egil",
        "brake",
        "reconcile",
        "purge",
        "name-rotation",
        "sponsor-rule",
    }
)
"""Parts that are built later: a step that needs one is reported by name as not run."""


class CastMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Born 1976-2013: those have a published test number that a rule computes. `coordination`: the *samordningsnummer*
    made from it, for somebody who is not (or was not yet) in the population register."""

    born: dt.date
    sex: Literal["female", "male"] = "female"
    coordination: bool = False

    @property
    def number(self) -> str:
        return (test_coordination_number if self.coordination else test_number)(self.born, self.sex)


class PersonExpectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`seen_by` is a release id (empty: the master's own document). `known`: False means this reader gets no person.
    `has` is matched partially against the view, see `views.person_view`."""

    seen_by: Annotated[str, msgspec.Meta(description="Release id of the audience")] = ""
    known: bool = True
    has: dict[str, Any] = {}


class GroupsExpectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    has: list[str] = []
    lacks: list[str] = []


class AccountExpectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As read from the target itself. A list of groups is compared whole, `has`/`lacks` in part."""

    state: Literal["enabled", "disabled", "absent"] | None = None
    groups: list[str] | GroupsExpectation | None = None
    attributes: dict[str, str | None] = {}


class ThingExpectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place, group, unit or legal organisation as a reader sees it, partial. `known` False: the reader may not know of
    it. `members` in `has` is one text: the cast names in order, with commas."""

    seen_by: Annotated[str, msgspec.Meta(description="Release id of the audience")]
    known: bool = True
    has: dict[str, Any] = {}


class ReportRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the report "source | MMD | target"; what is not written is not asserted."""

    what: str
    source: str | None = None
    master: str | None = None
    targets: dict[str, str] = {}


class HadBefore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the disclosure report says of the time before the first raise: attributes by target, readers by release. A target
    or reader that is not written is not asserted; `null` wants none."""

    targets: dict[str, list[str] | None] = {}
    readers: dict[str, list[str] | None] = {}


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    persons: dict[str, PersonExpectation] = {}
    accounts: dict[str, dict[str, AccountExpectation]] = {}  # cast name -> target, or target/class -> account
    target_calls: dict[str, int] | int | None = None  # writes since the last expectation, by target or all
    master_changes: int | None = None  # documents whose version rose since the last expectation
    dead_letters: dict[str, int] | None = None  # code -> number since the start; {} means none at all
    conflicts: list[dict[str, str]] | None = None  # partial: attribute, source
    nowhere: list[str] | None = None  # texts that no topic, table, log or target may hold in any readable form
    report: dict[str, list[ReportRow]] = {}  # cast name -> rows that the side-by-side report must have
    had_before: dict[str, HadBefore] = {}  # cast name -> who had what before the person was protected
    things: dict[str, ThingExpectation] = {}  # key of a unit, place, group or legal organisation -> as seen
    same_uid: list[str] | None = None  # cast names whose uids are what they were at their first expectation
    unused_uid: list[str] | None = None  # cast names whose uids, as seen first, no account in any target has


class TargetAction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    action: Literal["down", "up"]


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    at: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^$|^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?)?$",
            description="A date (its first instant in Sweden) or a time (Swedish local time where no zone is given)",
        ),
    ] = ""
    source: str = ""
    records: list[dict[str, Any]] | None = None
    file: str = ""
    text: Annotated[str, msgspec.Meta(description="A native file as it stands, where records cannot say it")] = ""
    total: bool = False
    operator: Annotated[
        str, msgspec.Meta(description=f"A command: {', '.join(COMMANDS)}; any other needs a part that is not built")
    ] = ""
    with_: Annotated[dict[str, Any], msgspec.Meta(description="Arguments of the operator command")] = msgspec.field(
        name="with", default_factory=dict
    )
    target: TargetAction | None = None
    expect: Expectation | None = None
    needs: Annotated[
        str,
        msgspec.Meta(description="Part that an expectation or an operator's command needs and that is not built yet"),
    ] = ""
    note: str = ""


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]+-[0-9]{2}[a-z]?$")]
    title: str
    start: dt.datetime
    steps: list[Step]
    cast: dict[str, CastMember] = {}
    about: str = ""


def json_schema() -> dict[str, Any]:
    """The published JSON Schema of a scenario file."""
    schema = msgspec.json.schema(Scenario)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Källan scenario", **schema}


def read_scenario(path: Path) -> Scenario:
    """Raises `Rejected("scenario.invalid")` with the file's name and the place in it."""
    try:
        data = read_file(path, TextLoader)
    except Unreadable as mistake:
        raise Rejected("scenario.invalid", f"{path.name}: {mistake}") from None
    try:
        scenario = msgspec.convert(data, Scenario)
    except msgspec.ValidationError as error:
        raise Rejected("scenario.invalid", f"{path.name}: {error}") from None
    _check(path.name, scenario)
    return scenario


def _check(name: str, scenario: Scenario) -> None:
    if not scenario.steps or not any(step.expect for step in scenario.steps):
        raise Rejected("scenario.invalid", f"{name}: a scenario without an expectation proves nothing")
    _check_cast(name, scenario.cast)
    for number, step in enumerate(scenario.steps, 1):
        where = f"{name}, step {number}"
        acts = [bool(step.at), bool(step.source), bool(step.operator), step.target is not None, step.expect is not None]
        if sum(acts) != 1:
            raise Rejected("scenario.invalid", f"{where}: exactly one of at, source, operator, target, expect")
        if step.source and [step.records is not None, bool(step.file), bool(step.text)].count(True) != 1:
            raise Rejected("scenario.invalid", f"{where}: a source step has either records or file or text")
        if step.needs and step.expect is None and not step.operator:
            raise Rejected(
                "scenario.invalid", f"{where}: only an expectation or an operator may need what is not built"
            )
        if step.with_ and not step.operator:
            raise Rejected("scenario.invalid", f"{where}: `with` is for an operator")
        if step.operator and not step.needs and (mistake := mistake_in(step.operator, step.with_)):
            raise Rejected("scenario.invalid", f"{where}: {mistake}")
        _check_time(where, step.at)
        if step.needs and step.needs not in NEEDS_NOT_BUILT:
            raise Rejected("scenario.invalid", f"{where}: unknown need, known are {', '.join(sorted(NEEDS_NOT_BUILT))}")
        if step.expect is not None:
            named = {
                *step.expect.persons,
                *step.expect.accounts,
                *step.expect.report,
                *step.expect.had_before,
                *(step.expect.same_uid or ()),
                *(step.expect.unused_uid or ()),
            }
            unknown = named - set(scenario.cast)
            if unknown:
                raise Rejected("scenario.invalid", f"{where}: not in the cast: {', '.join(sorted(unknown))}")


def _check_cast(name: str, cast: dict[str, CastMember]) -> None:
    """Each has a number, and no two the same: they would be one person."""
    of: dict[str, str] = {}
    for who, member in cast.items():
        try:
            number = member.number
        except Rejected as error:
            raise Rejected("scenario.invalid", f"{name}, cast {who}: {error.detail}") from None
        if number in of:
            raise Rejected(
                "scenario.invalid", f"{name}: {of[number]} and {who} are one person: same birth date and sex"
            )
        of[number] = who


def _check_time(where: str, at: str) -> None:
    try:
        if at:
            instant_of(at)
    except ValueError:
        raise Rejected("scenario.invalid", f"{where}: at is no time that there is") from None


_REFERENCE = re.compile(r"\$\{([a-z][a-z0-9_]*)\}")


def filled(value: Any, cast: dict[str, CastMember]) -> Any:
    """Native records with `${name}` replaced by that cast member's number."""
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: _number(match[1], cast), value)
    if isinstance(value, dict):
        return {key: filled(item, cast) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, cast) for item in value]
    return value


def _number(name: str, cast: dict[str, CastMember]) -> str:
    if name not in cast:
        raise Rejected("scenario.invalid", f"not in the cast: {name}")
    return cast[name].number


def instant_of(at: str | dt.datetime) -> dt.datetime:
    """A scenario's time as UTC: a date is its first instant in Sweden, a time without zone is Swedish local time."""
    instant = at if isinstance(at, dt.datetime) else dt.datetime.fromisoformat(at)
    return (instant if instant.tzinfo else instant.replace(tzinfo=STOCKHOLM)).astimezone(dt.UTC)
