"""The data files that pages are made from are true: their rows are whole, what they name exists, their mutations fit."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from deploy.checks.references import Tree
from deploy.docs import demands
from deploy.docs.traces import Mutation, Row, complaints, read_traces

_TEST = re.compile(r"tests/(?!stack/test_kills)[\w/]+/test_\w+\.py(::Test\w+)?::test_\w+|tests/scenarios/\w+\.yml")
"""A test that `make test` runs, as pytest names it, without its parameters."""


def broken(root: Path) -> list[str]:
    """What does not hold, a line each."""
    traces, tree = read_traces(root), Tree(root)
    found = [*complaints(traces), *(f"{row.id}: {what}" for row in traces.rows for what in _broken(row, tree))]
    asked = demands.read_demands(root)
    named = [(one.id, reference) for one in asked for reference in (*one.code, *one.tests)]
    found += demands.complaints(asked)
    return found + [f"{name}: {reference}: {why}" for name, reference in named if (why := tree.lacks(reference))]


def _broken(row: Row, tree: Tree) -> Iterator[str]:
    for test in row.tests:
        if not _TEST.fullmatch(test):
            yield f"{test}: no test that make test runs"
    for reference in (*row.code, *row.tests):
        if why := tree.lacks(reference):
            yield f"{reference}: {why}"
    if row.mutation is not None and (tree.root / row.mutation.file).is_file():
        yield from _unfit(row.mutation, (tree.root / row.mutation.file).read_text(encoding="utf-8"))


def _unfit(mutation: Mutation, text: str) -> Iterator[str]:
    times = text.count(mutation.before)
    if times != 1:
        yield f"{mutation.file}: the text that its mutation changes occurs {times} times"
        return
    try:
        if mutation.file.endswith(".py"):
            ast.parse(text.replace(mutation.before, mutation.after))
    except SyntaxError:
        yield f"{mutation.file}: is no Python any more when mutated"
