"""Documents lead to what is there, and the check finds what leads nowhere."""

from pathlib import Path

import pytest

from deploy.checks.references import Tree, broken_links, broken_references

ROOT = Path(__file__).parents[3]
MODULE = """
RANK = 1
LEVEL: int = 2

class Register:
    version = "1"

    def rank(self) -> int: ...

async def load() -> None: ...

class TestRegister:
    def test_it(self) -> None: ...
"""


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (tmp_path / "mmd" / "domain").mkdir(parents=True)
    (tmp_path / "mmd" / "domain" / "register.py").write_text(MODULE)
    (tmp_path / "mmd" / "data.yml").write_text("a: 1\n")
    return Tree(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "RANK",
        "LEVEL",
        "Register",
        "Register.rank",
        "Register::rank",
        "Register.version",
        "load",
        "TestRegister::test_it",
    ],
)
def test_names_of_a_python_file_are_found(tree: Tree, name: str) -> None:
    assert tree.lacks(f"mmd/domain/register.py::{name}") == ""


@pytest.mark.parametrize(
    "reference", ["mmd/domain/register.py", "mmd/domain", "mmd/domain/", "mmd/*/reg*.py", "mmd/data.yml"]
)
def test_files_folders_and_patterns_are_found(tree: Tree, reference: str) -> None:
    assert tree.lacks(reference) == ""


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("mmd/domain/registry.py", "no such file"),
        ("mmd/domain/register.py::rank", "no such name in the file"),
        ("mmd/domain/register.py::Register.ranks", "no such name in the file"),
        ("mmd/data.yml::a", "names are known of Python files only"),
        ("mmd/*.py", "no file of that pattern"),
    ],
)
def test_what_leads_nowhere_is_told_with_why(tree: Tree, reference: str, why: str) -> None:
    assert tree.lacks(reference) == why


def test_a_document_is_told_of_what_it_names_in_vain(tree: Tree) -> None:
    (tree.root / "docs").mkdir()
    (tree.root / "docs" / "a.md").write_text("`mmd/domain/register.py::rank`, `mmd/data.yml`, `not/ours.py`\n")
    (tree.root / "README.md").write_text("```\n`mmd/gone.py`\n```\nand `mmd/gone.py`\n")
    assert sorted(broken_references(tree.root)) == [
        "README.md: mmd/gone.py: no such file",
        "docs/a.md: mmd/domain/register.py::rank: no such name in the file",
    ]


def test_links_and_their_anchors_are_followed(tree: Tree) -> None:
    (tree.root / "docs").mkdir()
    (tree.root / "docs" / "b.md").write_text("# Vad `disclose` gör, och inte\n")
    (tree.root / "README.md").write_text(
        "# Here\n[1](docs/b.md) [2](docs/b.md#vad-disclose-gör-och-inte) [3](#here) [4](https://example.test/x)\n"
        "[5](docs/c.md) [6](docs/b.md#gone) [7](#gone)\n```\n[8](gone.md)\n```\n"
    )
    assert broken_links(tree.root) == ["README.md: docs/c.md", "README.md: docs/b.md#gone", "README.md: #gone"]


def test_every_document_of_this_repository_leads_to_what_is_there() -> None:
    assert broken_links(ROOT) == []
    assert broken_references(ROOT) == []
