"""The last screen: source, master and target side by side, why, how long, and the two principles as figures."""

import datetime as dt
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from deploy.demo.forms import Form
from deploy.demo.stories import Told
from deploy.municipality.cast import Cast
from deploy.replay.live import LiveWorld
from deploy.report import side_by_side
from deploy.report_table import table_of
from iam.domain.conditions import WHY_NOT
from iam.domain.policy import Policy
from iam.explain.explain import explain
from iam.explain.explanation import InTarget, Operation
from streams.clock import today


def show_form(console: Console, form: Form) -> None:
    """One prefilled form, the way the applicant would see it before sending."""
    who = "The guardian of a protected child" if form.handed_over else f"{form.applicant.person.call_name}, a guardian,"
    console.print(f"[bold]{who}[/bold] opens the application for a preschool place:")
    if form.handed_over:
        console.print("    A case officer (handläggare) takes over; nothing is filled in, and no reason is told.\n")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for column in ("    field", "value", "from", "known since"):
        table.add_column(column)
    for field in form.fields:
        known = not field["asked"]
        value = _masked(field["name"], field["value"] or "") if known else "[italic]asked[/italic]"
        table.add_row(f"    {field['label_en']}", value, field["source"], (field["as_of"] or "")[:10] if known else "")
    console.print(table)
    console.print(f"    {form.questions} of {form.size} fields had to be asked.\n")


def _masked(name: str, value: str) -> str:
    """A personnummer is not printed whole, not even a test number."""
    return f"{value[:8]}-****" if name.endswith("number") else value


def report(
    console: Console, world: LiveWorld, cast: Cast, told: Sequence[Told], forms: Sequence[Form], policy: Policy
) -> bool:
    """The side-by-side report and the figures; True when all is as it should be."""
    console.rule("Source | MMD | target, side by side")
    console.print(
        "What each source says, what the master (MMD) holds, and what each target holds itself, read three times in"
        " three places. Under it: why, and what was done.\n"
    )
    seen: set[str] = set()
    for one in told:
        if one.story.role not in seen:
            seen.add(one.story.role)
            _person(console, world, cast, policy, [t for t in told if t.story.role == one.story.role])
    return _figures(console, world, told, forms)


def _person(console: Console, world: LiveWorld, cast: Cast, policy: Policy, told: Sequence[Told]) -> None:
    number = cast[told[0].story.role].number
    title = " / ".join(t.story.title for t in told)
    console.print(table_of(title, side_by_side(world.readings, number), sorted(world.readings.targets)))
    for line in _why(world, policy, number, min(one.stamp for one in told)):
        console.print(Padding(Text(line), (0, 0, 0, 4)))
    console.print()


def _why(world: LiveWorld, policy: Policy, number: str, since: dt.datetime) -> Iterator[str]:
    """Event, rule, operation and read-back of what was done since the story began, and what was refused in it."""
    readings = world.readings
    person = readings.person_id(number)
    if person is None:
        return
    explanation = explain(readings.pool, world.base.keys, person, readings.clock.now())
    for account in explanation.accounts:
        for target in account.targets:
            for done in target.operations:
                if done.at >= since and done.outcome == "done":
                    yield operation_told(target, done, policy)
    for conflict in readings.reader.conflicts(today(readings.clock), person):
        if conflict.logged_at >= since:
            yield (
                f"refused: {conflict.source} sent a {conflict.attribute} (its record {conflict.source_key}) and is not"
                " designated for it. The value was not kept; that it differs is shown to the information owner."
            )


def operation_told(target: InTarget, done: Operation, policy: Policy) -> str:
    """One change of one target: event, why, what, and when it was read back."""
    what = [f"the account is {done.found}"]
    what += [f"changed: {', '.join(done.attributes)}"] if done.attributes else []
    what += [f"added: {', '.join(done.added)}"] if done.added else []
    what += [f"removed: {', '.join(done.removed)}"] if done.removed else []
    took = f"{done.seconds:.1f} s after the event" if done.seconds is not None else "after the event"
    return f"{target.target}: event {done.cause[:8]}, {_basis(target, policy)}; {'; '.join(what)}; read back {took}"


def _basis(target: InTarget, policy: Policy) -> str:
    """The rules that give something, or why those that make accounts give nothing."""
    rules = sorted({why.rule for why in target.why} | {why.rule for group in target.groups for why in group.why})
    if rules:
        return f"by rule {', '.join(rules)}"
    making = {rule.id for rule in policy.accounts}
    codes = dict.fromkeys(one.code for one in target.not_given if one.rule in making)
    reasons = ", ".join(WHY_NOT[code][0] if code in WHY_NOT else code for code in codes)
    return f"no rule gives an account any more ({reasons})" if reasons else "no rule gives an account any more"


def _figures(console: Console, world: LiveWorld, told: Sequence[Told], forms: Sequence[Form]) -> bool:
    console.rule("The two principles, as figures computed from what is stored")
    open_forms = [form for form in forms if not form.handed_over]
    asked, fields = sum(f.questions for f in open_forms), sum(f.size for f in open_forms)
    letters = world.readings.dead_letters()
    differing = len(world.readings.reader.conflicts(today(world.readings.clock)))
    figures = [
        f"A fact is given only once: {asked} of {fields} fields of the form had to be asked.",
        f"Values that a source has otherwise than the designated one: {differing} (`kallan conflicts` lists them).",
        f"Records that could not be used: {sum(letters.values())}.",
    ]
    seconds = [one.seconds for one in told if one.seconds is not None]
    if seconds:
        figures.insert(
            0,
            f"A fact reaches those who act on it: {len(seconds)} changes, from the source's stamp until the last target had"
            f" been read back: median {statistics.median(seconds):.1f} s, worst {max(seconds):.1f} s.",
        )
    for figure in figures:
        console.print(Padding(Text(figure), (0, 0, 0, 2)))
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
        console.print(f"  {command}\n      {does}", markup=False)
