"""Ways to use Faust that were measured to lose records are nowhere in the source (docs/decisions/0011)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("streams", "mmd", "iam", "connectors", "deploy")
LOSES = ("take", "take_events", "take_with_timestamp")
AGENTS = ("agent", "actor", "Agent")


def findings(tree: ast.AST, *, faust: bool) -> Iterator[str]:
    """What is wrong, with its line. `take` is looked for where Faust is used, for other classes may have one."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if isinstance(node.func, ast.Attribute) and (name in LOSES[1:] or (faust and name == LOSES[0])):
            yield f"{node.lineno}: .{name}() acknowledges a batch also when its handler raised"
        if name in AGENTS and any(keyword.arg == "concurrency" for keyword in node.keywords):
            yield f"{node.lineno}: concurrency loses records when the process is killed"
        if any(
            keyword.arg == "processing_guarantee" and not _is(keyword, "at_least_once") for keyword in node.keywords
        ):
            yield f"{node.lineno}: only at_least_once"


def _is(keyword: ast.keyword, value: str) -> bool:
    return isinstance(keyword.value, ast.Constant) and keyword.value.value == value


def uses_faust(tree: ast.AST) -> bool:
    for node in ast.walk(tree):
        names = [one.name for one in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if any(name.split(".")[0] in ("faust", "mode") for name in names):
            return True
    return False


def sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def test_nothing_in_the_source_uses_faust_in_a_way_that_loses_records() -> None:
    found = []
    for path in sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [f"{path.relative_to(ROOT)}:{one}" for one in findings(tree, faust=uses_faust(tree))]
    assert found == []


def test_faust_is_used_in_one_place() -> None:
    users = [path for path in sources() if uses_faust(ast.parse(path.read_text(encoding="utf-8")))]
    assert [str(path.relative_to(ROOT)) for path in users] == ["streams/faust_worker.py"]


@pytest.mark.parametrize(
    "code",
    [
        "import faust\nasync def f(s):\n async for x in s.take(5, within=1): pass",
        "import faust\nasync def f(s):\n async for x in s.noack().take_events(5, within=1): pass",
        "import faust\n@app.agent(t, concurrency=2)\nasync def f(s): pass",
        "import faust\napp.agent(t, concurrency=1)(f)",
        "import faust\nfaust.App('x', processing_guarantee='exactly_once')",
    ],
)
def test_each_of_them_would_be_found(code: str) -> None:
    tree = ast.parse(code)
    assert list(findings(tree, faust=uses_faust(tree)))


def test_what_the_worker_does_is_allowed() -> None:
    tree = ast.parse("import faust\napp.agent(t)(f)\nasync def f(s):\n async for x in s.noack_take(5, within=1): pass")
    assert list(findings(tree, faust=uses_faust(tree))) == []
