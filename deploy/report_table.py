"""The side-by-side report as a table of text that is whole at 100 columns."""

from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from deploy.report import Row

_SOURCE, _MASTER, _TARGET = 22, 21, 20
"""Columns at most: a source with the time of its record, the longest words of the field, a group of a unit."""


def table_of(title: str, rows: Iterable[Row], targets: Sequence[str]) -> Table:
    """Source, MMD and each target side by side; under what a source says: which source, and the time of its record."""
    table = Table(title=Text(title), title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    table.add_column("")
    table.add_column("source says", overflow="fold", max_width=_SOURCE)
    table.add_column("MMD holds", overflow="fold", max_width=_MASTER)
    for name in targets:
        table.add_column(f"{name} has", overflow="fold", max_width=_TARGET)
    for row in rows:
        said = Text(row.source)
        if row.origin:
            said.append(f"\n{row.origin}", style="dim")
        cells = (Text(row.targets.get(name, "").replace(", ", "\n")) for name in targets)
        table.add_row(row.what, said, Text(row.master), *cells)
    return table
