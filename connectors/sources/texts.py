"""What stands in no text of a source: it is refused where it is read, before it reaches a name, a directory or a screen."""

import re

from streams.contracts.errors import Rejected

TEXT_LIMIT = 4_000
"""Characters; the longest text in Navet's schema is 80."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\u202a-\u202e\u2066-\u2069]")
_TWICE_ENCODED = re.compile("\u00c3[\x80-\xbf\u2013\u201a\u201e\u2026\u2030]")


def checked(text: str, field: str) -> str:
    """The text without the space around it.

    Raises `Rejected`: input.too-large; input.nul-byte; input.not-decodable for UTF-8 that was taken for Latin-1 or
    Windows-1252 on its way (two letters where one with a ring or dots stood: such a name would be nobody's);
    input.invalid for control characters and for those that turn the direction of writing and so disguise a text.
    """
    if len(text) > TEXT_LIMIT:
        raise Rejected("input.too-large", field)
    if _TWICE_ENCODED.search(text):
        raise Rejected("input.not-decodable", field)
    if _CONTROL.search(text):
        raise Rejected("input.nul-byte" if "\0" in text else "input.invalid", field)
    return text.strip()
