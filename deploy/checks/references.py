"""What documents point at is there: links and their anchors, files of the tree, and names inside them.

A reference is written as code: `mmd/domain/register.py`, `mmd/domain/register.py::SourceRegister.rank`, a folder, or a
test as pytest names it, `tests/unit/x/test_y.py::TestZ::test_it`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from deploy.checks.files import tracked

_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
_REFERENCE = re.compile(r"(?:connectors|deploy|docs|iam|mmd|requirements|streams|tests)/[\w./*-]*(?:::[\w.:]+)?")


class Tree:
    """The files below `root`, and the names that its Python files define."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._names: dict[Path, frozenset[str]] = {}

    def lacks(self, reference: str) -> str:
        """Why the reference leads nowhere; empty where it leads to something."""
        path, _, name = reference.partition("::")
        if "*" in path:
            return "" if any(self.root.glob(path)) else "no file of that pattern"
        where = self.root / path
        if not where.exists():
            return "no such file"
        if not name:
            return ""
        if where.suffix != ".py":
            return "names are known of Python files only"
        return "" if name.replace("::", ".") in self._of(where) else "no such name in the file"

    def _of(self, path: Path) -> frozenset[str]:
        if path not in self._names:
            self._names[path] = frozenset(_defined(ast.parse(path.read_text(encoding="utf-8"))))
        return self._names[path]


def _defined(tree: ast.Module | ast.ClassDef, within: str = "") -> Iterator[str]:
    """Classes, functions and variables of a module, those of a class as `Class.name`."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield within + node.name
        if isinstance(node, ast.ClassDef):
            yield from _defined(node, f"{within}{node.name}.")
        for target in _targets(node):
            if isinstance(target, ast.Name):
                yield within + target.id


def _targets(node: ast.stmt) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign) else []


def documents(root: Path) -> Iterator[Path]:
    """The Markdown files of the project: those at the root, and all below docs/."""
    for path in tracked(root):
        below = path.relative_to(root)
        if path.suffix == ".md" and (len(below.parts) == 1 or below.parts[0] == "docs"):
            yield path


def broken_references(root: Path) -> list[str]:
    """`document: reference: why` of everything written as code that names a file, and leads nowhere."""
    tree = Tree(root)
    found = []
    for document in documents(root):
        for text in _CODE.findall(_prose(document)):
            if _REFERENCE.fullmatch(text) and (why := tree.lacks(text)):
                found.append(f"{document.relative_to(root)}: {text}: {why}")
    return found


def broken_links(root: Path) -> list[str]:
    """`document: link` of links within the project whose file or heading is not there."""
    found = []
    for document in documents(root):
        for link in _LINK.findall(_prose(document)):
            path, _, anchor = link.partition("#")
            if "://" in link or link.startswith("mailto:"):
                continue
            target = document.parent / path if path else document
            if not target.exists() or (anchor and anchor not in _anchors(target)):
                found.append(f"{document.relative_to(root)}: {link}")
    return found


def _prose(document: Path) -> str:
    return _FENCED.sub("", document.read_text(encoding="utf-8"))


def _anchors(document: Path) -> set[str]:
    """Headings as links name them: lower case, without punctuation, hyphens for spaces."""
    headings = _HEADING.findall(_prose(document))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
