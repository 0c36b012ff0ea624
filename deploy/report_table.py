"""The side-by-side report as a table of text that is whole at 100 columns."""

from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from deploy.report import Row


def table_of(title: str, rows: Iterable[Row], targets: Sequence[str]) -> Table:
    """Source, MMD and each target side by side; under what a source says: which source, and the time of its record."""
    table = Table(
        title=Text(title),
        title_justify="left",
        title_style="bold",
        expand=False,
        show_lines=True,
    )
    table.add_column("")
    for heading in ("source says", "MMD holds", *(f"{name} has" for name in targets)):
        table.add_column(heading, overflow="fold", max_width=25)
    for row in rows:
        said = Text(row.source)
        if row.origin:
            said.append(f"\n{row.origin}", style="dim")
        cells = (Text(row.targets.get(name, "").replace(", ", "\n")) for name in targets)
        table.add_row(row.what, said, Text(row.master), *cells)
    return table
