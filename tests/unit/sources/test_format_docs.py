"""The examples in docs/formats are what the readers read."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.sources.posts import Alarm, Item, Post, Reject

Read = Callable[..., list[Item]]
ROLES = ("hr", "consultants", "politicians", "robots")
MODULES = [
    ("organisation", "organisation/reader.py"),
    ("hr", "hr/employment.py"),
    *((source, f"{source}/reader.py") for source in ("school", *ROLES)),
    *((source, "roles.py") for source in ROLES),
]
FORMATS = Path(__file__).parents[3] / "docs" / "formats"


@pytest.mark.parametrize(
    ("source", "records"),
    [
        *(("hr", 1), ("organisation", 2), ("places", 1), ("groups", 1), ("companies", 1)),
        *(("school", 2), ("consultants", 1), ("politicians", 1), ("robots", 1)),
    ],
)
def test_the_example_of_a_format_is_read_as_it_stands(read: Read, source: str, records: int) -> None:
    text = (FORMATS / f"{source}.md").read_text(encoding="utf-8")
    example = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert example
    items = read(source, example[1].encode())
    assert len([item for item in items if isinstance(item, Post)]) == records
    assert not [item for item in items if isinstance(item, Reject | Alarm)]


@pytest.mark.parametrize(("source", "module"), MODULES)
def test_every_field_that_is_read_is_in_the_document(source: str, module: str) -> None:
    text = (FORMATS / f"{source}.md").read_text(encoding="utf-8")
    code = (Path(__file__).parents[3] / "connectors" / "sources" / module).read_text(encoding="utf-8")
    fields = set(re.findall(r'(?:word|number)\([a-z]+, "([A-Za-z]+)"\)|\.get\("([A-Za-z]+)"\)', code))
    if module != "roles.py":
        fields |= {(name, "") for name in re.findall(r'self\.(?:unit|subject)\([a-z]+, "([A-Za-z]+)"\)', code)}
    for pair in fields:
        assert f"`{pair[0] or pair[1]}`" in text or f'"{pair[0] or pair[1]}"' in text, pair


@pytest.mark.parametrize("module", ["navet/reader.py", "navet/post.py"])
def test_every_element_of_navet_that_is_read_is_in_the_document(module: str) -> None:
    text = (FORMATS / "navet.md").read_text(encoding="utf-8")
    code = (Path(__file__).parents[3] / "connectors" / "sources" / module).read_text(encoding="utf-8")
    calls = r"(?:text|child|children|attribute|_date|_mark|_number)\((?:self\.)?\w+, [\"'](\w+)[\"']"
    read = set(re.findall(calls, code))
    assert len(read) > 5
    assert {name for name in read if not re.search(rf"\b{name}\b", text)} == set()
