"""docs/sparbarhet.md: each requirement and principle with the code and the tests that answer to it. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping

from deploy.docs.markdown import code, page, table
from deploy.docs.traces import Outcome, Recorded, Row, State, Traces

_STATES = {State.BUILT: "finns", State.PARTLY: "delvis", State.NOT_YET: "inte än"}
_OUTCOMES = {
    Outcome.RED: "röd: provet märkte det",
    Outcome.GREEN: "**grön: provet märkte ingenting**",
    Outcome.BROKEN: "**gick inte att köra**",
}
_SETS = {"M": "Masterdata (M)", "I": "Identitet och behörighet (I)", "H": "Integrationsnav (H)"}

_HEAD = """\
# Spårbarhet

Vad källdokumenten begär, och den kod och de prov som svarar mot det. Genererad ur `docs/sparbarhet/krav.yml` och
`docs/sparbarhet/principer.yml`. Raderna är våra egna omskrivningar; texterna är utgivarnas, och numren är våra.

- **finns**: byggt och prövat. **delvis**: en del är byggd, resten står under *inte än*. **inte än**: ingenting är byggt.
- Att kod och prov finns kontrolleras av `make check` (`deploy/checks/traces.py`). Att proven går igenom visar
  `make test`: ett prov som nämns här men hoppas över i varje form gör körningen underkänd (`tests/named.py`).
- Till varje princip som något är byggt för hör en *mutation*: en liten ändring av koden som provet måste märka. Alla körs av
  `make mutations`, var och en i en kopia av trädet (`deploy/checks/mutations.py`)."""


def traceability(traces: Traces, outcomes: Mapping[str, Recorded]) -> str:
    """The page, in Swedish. An outcome that was recorded of another mutation is not shown as one of this."""
    lines = [_HEAD, "", "## Källor", ""]
    lines += table(("nr", "dokument", "utgivare"), [(name, one.name, one.by) for name, one in traces.documents.items()])
    lines += ["", "## Läget", "", *_counts(traces)]
    for letter, title in _SETS.items():
        lines += ["", f"## {title}", "", *_rows(row for row in traces.requirements if row.id.startswith(letter))]
    lines += ["", "## Principer", "", *_rows(traces.principles)]
    lines += ["", "## Mutationer", "", *_mutations(traces, outcomes)]
    return page(*lines)


def _counts(traces: Traces) -> list[str]:
    groups = {title: [row for row in traces.requirements if row.id[0] == letter] for letter, title in _SETS.items()}
    groups["Principer"] = list(traces.principles)
    counted = {title: Counter(row.state for row in rows) for title, rows in groups.items()}
    rows = [(title, *(str(count[state]) for state in _STATES)) for title, count in counted.items()]
    return table(("", *_STATES.values()), rows)


def _rows(rows: Iterable[Row]) -> list[str]:
    cells = [
        (
            row.id,
            row.source,
            row.says,
            _STATES[row.state],
            "<br>".join(map(code, row.code)),
            "<br>".join(map(_test, row.tests)),
            row.not_yet,
        )
        for row in rows
    ]
    return table(("rad", "källa", "begär", "läge", "kod", "prov", "inte än"), cells)


def _test(test: str) -> str:
    """File, and name as the sentence that it is."""
    path, _, name = test.partition("::")
    sentence = name.rpartition("::")[2].removeprefix("test_").replace("_", " ")
    return f"{code(path)} {sentence}".strip()


def _mutations(traces: Traces, outcomes: Mapping[str, Recorded]) -> list[str]:
    rows = []
    for name, one in traces.mutations.items():
        told = outcomes.get(name)
        if told is None or told.digest != one.digest:
            result, date = "inte körd sedan den skrevs", ""
        else:
            result, date = _OUTCOMES[told.outcome], told.date
        rows.append((name, one.breaks, code(one.file), _test(one.test), result, date))
    return table(("princip", "det som förstörs", "i", "provet", "utfall", "kört"), rows)
