"""The last screen: source, master and target side by side, why, how long, and the two principles as figures."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from deploy.demo.forms import Form
from deploy.municipality import cast as roles
from deploy.municipality.cast import Cast
from deploy.replay.live import LiveWorld
from deploy.report import side_by_side
from iam.explain.explain import explain
from iam.explain.explanation import Operation
from streams.clock import today

if TYPE_CHECKING:
    from deploy.demo.play import Told

APPLICANTS = ((roles.GUARDIAN, roles.CHILD), (roles.PROTECTED_GUARDIAN, roles.PROTECTED_CHILD))
_ROWS = ("name", "marking", "address", "title", "unit", "state", "groups")


def show_form(console: Console, form: Form) -> None:
    """One prefilled form, the way the applicant would see it before sending."""
    who = "The guardian of a protected child" if form.handed_over else f"{form.applicant.person.call_name}, a guardian,"
    console.print(f"[bold]{who}[/bold] opens the application for a preschool place:")
    if form.handed_over:
        console.print("    a case officer (handläggare) takes over; nothing is filled in, and no reason is told\n")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for column in ("    field", "value", "from", "known since"):
        table.add_column(column)
    for field in form.fields:
        known = not field["asked"]
        value = _masked(field["name"], field["value"] or "") if known else "[italic]asked[/italic]"
        table.add_row(f"    {field['label_en']}", value, field["source"], (field["as_of"] or "")[:10] if known else "")
    console.print(table)
    console.print(f"    {form.questions} of {form.size} fields had to be asked\n")


def _masked(name: str, value: str) -> str:
    """A personnummer is not printed whole, not even a test number."""
    return f"{value[:8]}-****" if name.endswith("number") else value


def report(console: Console, world: LiveWorld, cast: Cast, told: "Sequence[Told]", forms: Sequence[Form]) -> bool:
    """The side-by-side report and the figures; True when all is as it should be."""
    console.rule("Source | MMD | target, side by side")
    seen: set[str] = set()
    for one in told:
        if one.story.role not in seen:
            seen.add(one.story.role)
            _person(console, world, cast, one.story.role, [t for t in told if t.story.role == one.story.role])
    return _figures(console, world, told, forms)


def _person(console: Console, world: LiveWorld, cast: Cast, role: str, told: "Sequence[Told]") -> None:
    member = cast[role]
    targets = sorted(world.readings.targets)
    table = Table(title=" / ".join(t.story.title for t in told), title_justify="left", title_style="bold", expand=True)
    for column in ("", "source says", "MMD holds", *(f"{name} has" for name in targets), "said by, stamp"):
        table.add_column(column, overflow="fold")
    for row in side_by_side(world.readings, member.number):
        cells = [row.targets.get(name, "") for name in targets]
        table.add_row(row.what, row.source, row.master, *(cell.replace(", ", "\n") for cell in cells), row.origin)
    console.print(table)
    _why(console, world, member.number, told)


def _why(console: Console, world: LiveWorld, number: str, told: "Sequence[Told]") -> None:
    """Event, claim, rule, operation and read-back of what was done since the story began."""
    person = world.readings.person_id(number)
    if person is None:
        return
    explanation = explain(world.readings.pool, world.base.keys, person, world.readings.clock.now())
    since = min(one.stamp for one in told)
    for account in explanation.accounts:
        for target in account.targets:
            rules = sorted({why.rule for why in target.why} | {why.rule for g in target.groups for why in g.why})
            for done in target.operations:
                if done.at >= since and done.outcome == "done":
                    console.print(f"    {_operation(target.target, done, rules)}", markup=False)
    for conflict in world.readings.reader.conflicts(today(world.readings.clock), person):
        console.print(
            f"    refused: {conflict.source} sent a {conflict.attribute} (record {conflict.source_key}); not designated,"
            " kept as a conflict without its value",
            markup=False,
        )
    console.print()


def _operation(target: str, done: Operation, rules: Sequence[str]) -> str:
    what = [f"{done.lane} -> {done.found}"]
    what += [f"changed {', '.join(done.attributes)}"] if done.attributes else []
    what += [f"+{group}" for group in done.added] + [f"-{group}" for group in done.removed]
    took = f"{done.seconds:.1f} s after" if done.seconds is not None else "after"
    basis = f"rule {', '.join(rules)}" if rules else "no rule gives anything any more"
    return f"{target}: event {done.cause[:8]} -> {basis} -> {'; '.join(what)}; read back {took} the event"


def _figures(console: Console, world: LiveWorld, told: "Sequence[Told]", forms: Sequence[Form]) -> bool:
    console.rule("The two principles, as figures computed from what is stored")
    seconds = [one.seconds for one in told if one.seconds is not None]
    if seconds:
        console.print(
            f"  A fact reaches those who act on it: source stamp to target read-back, {len(seconds)} changes: "
            f"median {statistics.median(seconds):.1f} s, worst {max(seconds):.1f} s"
        )
    open_forms = [form for form in forms if not form.handed_over]
    asked, fields = sum(f.questions for f in open_forms), sum(f.size for f in open_forms)
    console.print(f"  A fact is given only once: {asked} of {fields} fields of the form had to be asked")
    letters = world.readings.dead_letters()
    console.print(f"  Records that could not be used: {sum(letters.values())}")
    wrong = [line for one in told for line in one.wrong] + [text for form in forms for text in form.leaked]
    wrong += [] if any(form.handed_over for form in forms) else ["the protected child's form was not handed over"]
    wrong += [f"{count} records were set aside: {code}" for code, count in letters.items()]
    verdict = "NOT everything is as it should be:" if wrong else "Everything is as it should be."
    console.print(f"  [bold]{verdict}[/bold]\n")
    for line in wrong:
        console.print(f"    [red]{line}")
    return not wrong


def what_next(console: Console, home: Path, *, kept: bool) -> None:
    """What to type now."""
    console.rule("What to type next")
    lines = [
        ("make up", "the same servers, workers and API, until Ctrl-C"),
        (".venv/bin/kallan replay --through direct tests/scenarios/*.yml", "the municipality's stories as tests"),
        (".venv/bin/kallan --help", "every command"),
    ]
    if kept:
        lines.insert(0, (f"KALLAN_HOME={home} make up", "go on with this municipality"))
    for command, does in lines:
        console.print(f"  {command:<64} {does}", markup=False)
