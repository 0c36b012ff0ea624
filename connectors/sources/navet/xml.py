"""Streamed XML from a sender that is not trusted: no network, no entities, no document type, one post in memory.

Names are compared without namespace: the elements are unqualified in Navet's schema while wrappers are qualified.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

from lxml import etree

from connectors.sources.texts import checked
from streams.contracts.errors import Rejected

FILE_INFORMATION = "Aviseringsinformation"
POST = "Folkbokforingspost"
_ROOT_NAMES = ("Navetavisering", "Envelope", "PersonpostResponse", "Folkbokforingsposter")
_HEAD = 512
POST_BYTES = 16_000_000
POST_ELEMENTS = 50_000
"""Of one post, or of what stands between posts: it is all in memory at once. A post of the register has some hundred."""


class _Rejoined:
    """A stream whose beginning has been looked at. `held` counts the bytes that were read since it was set to 0."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self.held = 0
        self._head = head
        self._rest = rest

    def read(self, size: int = -1) -> bytes:
        head, self._head = self._head, b""
        found = head or self._rest.read(size)
        self.held += len(found)
        if self.held > POST_BYTES:
            raise Rejected("input.too-large", "post")
        return found


def local(element: Any) -> str:
    """The element's name without its namespace; empty for comments and instructions."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def elements(stream: BinaryIO) -> Iterator[Any]:
    """File information and posts as they end. Each is emptied when the next is asked for.

    Raises `Rejected`: input.empty, input.not-decodable (with the line), input.markup-forbidden for a document type,
    input.too-large for a post that memory should not have to hold.
    """
    head = stream.read(_HEAD)
    if not head.strip():
        raise Rejected("input.empty", "XML")
    source = _Rejoined(head, stream)
    parser = etree.iterparse(
        source,
        events=("start", "end"),
        no_network=True,
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    begun, held = 0, 0
    try:
        for event, element in parser:
            if not begun:
                _check_root(element)
            if event == "start":
                begun, held = begun + 1, held + 1
                if held > POST_ELEMENTS:
                    raise Rejected("input.too-large", "post")  # noqa: TRY301
            elif local(element) in (POST, FILE_INFORMATION):
                yield element
                _free(element)
                source.held = held = 0
    except etree.XMLSyntaxError as error:
        raise Rejected("input.not-decodable", f"XML, line {error.position[0]}") from None
    except (etree.LxmlError, ValueError, LookupError) as error:
        raise Rejected("input.not-decodable", f"XML, {type(error).__name__}") from None


def _check_root(root: Any) -> None:
    info = root.getroottree().docinfo
    if info.doctype or info.internalDTD is not None or info.externalDTD is not None:
        raise Rejected("input.markup-forbidden", "document type")
    if local(root) not in _ROOT_NAMES:
        raise Rejected("input.unknown-schema", "root element")


def _free(element: Any) -> None:
    parent = element.getparent()
    element.clear()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


def child(element: Any, name: str) -> Any | None:
    """The first child of that local name, or None."""
    return next((one for one in element if local(one) == name), None)


def children(element: Any, name: str) -> list[Any]:
    return [one for one in element if local(one) == name]


def is_nil(element: Any) -> bool:
    return element.get("{http://www.w3.org/2001/XMLSchema-instance}nil") in ("true", "1")


def text(element: Any | None, name: str) -> str:
    """The stripped text of a child; empty where it is absent, nil or empty. Raises `Rejected("input.too-large")`."""
    found = None if element is None else child(element, name)
    if found is None or is_nil(found):
        return ""
    content = checked(found.text or "", name)
    if len(found):
        raise Rejected("input.invalid", name)
    return content


def attribute(element: Any | None, name: str) -> str:
    return "" if element is None else (element.get(name) or "").strip()
