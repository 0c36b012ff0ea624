"""YAML that people write: data files and scenarios. Read strictly, so that a slip or a trap in it is told and not obeyed.

Beyond safe YAML: a key that stands twice in a mapping is a mistake (the last one would win in silence), and what expands to
more than the file is long is refused before it is built.
"""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

LIMIT_BYTES = 1_000_000
DEPTH_MOST = 50
NODES_MOST = 200_000
"""After aliases are followed."""

_UNUSABLE = re.compile("[\x00\ud800-\udfff]")


class Unreadable(Exception):
    """Why a file cannot be read and, where known, the line. Never what stands there."""


class StrictLoader(yaml.SafeLoader):
    """Safe YAML of limited depth."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._depth += 1
        if self._depth > DEPTH_MOST:
            raise Unreadable("nested too deep")
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


class TextLoader(StrictLoader):
    """The same, but dates and times stay the text that they are written as."""


TextLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_file(path: Path, loader: type[StrictLoader] = StrictLoader) -> Any:
    """What the one document of a file says. Raises `Unreadable`."""
    try:
        with path.open("rb") as stream:
            content = stream.read(LIMIT_BYTES + 1)
        if len(content) > LIMIT_BYTES:
            raise Unreadable(f"larger than {LIMIT_BYTES} bytes")  # noqa: TRY301
        return _constructed(content.decode("utf-8"), loader)
    except OSError as error:
        raise Unreadable(error.strerror or type(error).__name__) from None
    except UnicodeDecodeError:
        raise Unreadable("not UTF-8") from None
    except yaml.YAMLError as error:
        raise Unreadable(f"{type(error).__name__}{_line(getattr(error, 'problem_mark', None))}") from None
    except (ValueError, OverflowError):
        raise Unreadable("a date or number that there is not") from None


def _constructed(text: str, loader: type[StrictLoader]) -> Any:
    reading = loader(text)
    try:
        node = reading.get_single_node()
        if node is None:
            return None
        _weigh(node, {}, set())
        return reading.construct_document(node)
    finally:
        reading.dispose()


def _weigh(node: yaml.Node, known: dict[int, int], above: set[int]) -> int:
    """How many nodes this is with its aliases followed. Raises `Unreadable`."""
    if id(node) in above:
        raise Unreadable(f"an alias of what it stands in{_line(node.start_mark)}")
    if id(node) in known:
        return known[id(node)]
    if isinstance(node, yaml.ScalarNode) and _UNUSABLE.search(node.value):
        raise Unreadable(f"a character that no text may hold{_line(node.start_mark)}")
    if isinstance(node, yaml.MappingNode):
        _refuse_twice(node)
    weight = 1 + sum(_weigh(part, known, above | {id(node)}) for part in _parts(node))
    if weight > NODES_MOST:
        raise Unreadable(f"more than {NODES_MOST} values{_line(node.start_mark)}")
    known[id(node)] = weight
    return weight


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _refuse_twice(node: yaml.MappingNode) -> None:
    seen: set[Hashable] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            if (key.tag, key.value) in seen:
                raise Unreadable(f"a key stands twice{_line(key.start_mark)}")
            seen.add((key.tag, key.value))


def _line(mark: Any) -> str:
    return "" if mark is None else f", line {mark.line + 1}"
