"""Markdown as the generated pages write it: tables and code. Pure."""

from collections.abc import Iterable, Sequence


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table. Cells hold Markdown; a bar or a line break in one of them is made harmless."""
    lines = [_row(headers), "|" + "---|" * len(headers)]
    return [*lines, *(_row(row) for row in rows)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def code(text: str) -> str:
    return f"`{text}`"


def codes(texts: Iterable[str], between: str = ", ") -> str:
    return between.join(code(text) for text in texts)


def page(*lines: str) -> str:
    return "\n".join(lines) + "\n"
