"""What the documentation says, taken from the files themselves."""

import os
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "README.sv.md")
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if "decisions" not in path.parts
)
"""Every page but the decisions, which tell of their day."""
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:make|kallan|\.venv/bin/kallan) [^`]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s#]+)[^)]*\)")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str) -> list[str]:
    """The console blocks of a file, in order."""
    return _BLOCK.findall(text_of(name))


def block_with(name: str, words: str) -> str:
    """The one console block that holds these words."""
    (found,) = (block for block in blocks(name) if words in block)
    return found


def lines(name: str) -> list[str]:
    """Every command line of the console blocks."""
    return [line for block in blocks(name) for line in block.splitlines() if line.strip()]


def inline_commands(name: str) -> set[str]:
    """Commands that are written within the text."""
    return set(_INLINE.findall(_FENCED.sub("", text_of(name))))


def linked(name: str) -> set[str]:
    """The files of the project that a page links to; that they are there is for `deploy.checks.references`."""
    here = (ROOT / name).parent
    paths = [path for path in _LINK.findall(text_of(name)) if "://" not in path]
    return {os.path.relpath(here / path, ROOT) for path in paths}
