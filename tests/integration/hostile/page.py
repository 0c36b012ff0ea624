"""`docs/hostile-input.md` from the tables of the tests: `python -m tests.integration.hostile.page` writes it."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.integration.hostile.bad_records import CONTENTS, DOCUMENTS, ENVELOPES, RECORDS, SEALS, BadRecord
from tests.integration.hostile.bounded import BOMBS
from tests.integration.hostile.doors import CONSUMED, IN_CLEAR
from tests.integration.hostile.requests import bad_requests
from tests.unit.hostile.case import Case
from tests.unit.hostile.data_files import FILES, cases
from tests.unit.hostile.test_source_files import FILES as SOURCE_FILES
from tests.unit.hostile.test_source_files import RECORDS as SOURCE_RECORDS

PAGE = Path(__file__).parents[3] / "docs" / "hostile-input.md"

_HEAD = """# Bad input, door by door

What comes from outside is never trusted, and what is refused never stops what stands behind it. This page is written from
the tables that the tests run over (`python -m tests.integration.hostile.page`); a test fails where it says otherwise.
The codes are those of [errors.md](errors.md), in English and Swedish. Where two codes stand, either may come.

What holds at every door: the refusal has a stable code; it names a field, a place or a count, never a value; no log holds
anything of the input; the good record behind the bad one gets through; a marking that can be read counts, even where the
rest is refused.

| door | what a bad input becomes | how to look |
|---|---|---|
| source files | a file is refused in its report, or one record is kept sealed, 30 days | `kallan load`, `kallan dlq list` |
| topics | a dead letter: a pointer into the log with code and field | `kallan dlq list`, `show`, `retry`, `discard` |
| API | a problem document (RFC 9457) | the answer itself |
| data files, settings, scenarios | the process does not start, the command ends and says why | the message |

`make fuzz` changes good inputs at random at every door for as long as `KALLAN_FUZZ_SECONDS` says (default 60 for each).
"""

_LIMITS = """
## What it does not do

- A file of Navet's that is not well formed ends at that place: what stands before it is published, what stands behind it
  comes when the source sends the file again. The same holds for a text of more than ten megabytes.
- A row of an export that cannot be decoded is rejected alone. Whose it was cannot be told, so another row of the same
  employment is published without it; the alarm says that a row is missing.
- A topic does not say which source may speak in it: that is for the rights in Kafka and for the source register.
- What is no HTTP, and headers that are too large for the web server, are refused by the server itself with 400 and one line
  of plain text that repeats nothing, before the API sees them.
"""


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _codes(code: str) -> str:
    found = [f"`{one}`" if one else "taken in" for one in code.split("|")]
    return " or ".join(found)


def _both(tables: dict[str, list[Case]]) -> Iterator[tuple[str, ...]]:
    """Equal names once, with the sources that they are tried at."""
    found: dict[tuple[str, str], list[str]] = {}
    for source, listed in tables.items():
        for case in listed:
            found.setdefault((case.name, case.code), []).append(source)
    for (name, code), sources in found.items():
        yield name, ", ".join(sources), _codes(code)


def _records(name: str, listed: tuple[BadRecord, ...], where: str) -> Iterator[str]:
    yield f"### {name}"
    yield ""
    yield where
    yield ""
    yield from _table(("input", "code"), ((one.name, _codes(one.code)) for one in listed))


_RECORD = """One record is rejected, the others of the file are published (the same, and
`tests/integration/hostile/test_source_doors.py` through the edge):
"""
_UNREADABLE = "A file that is missing, a folder, a link to itself, or on a disk that fails: `input.unreadable`.\n"
_TOPICS = """## Topics

Each becomes a dead letter (`tests/integration/hostile/test_topics.py` with the real handlers,
`tests/integration/hostile/test_through_the_broker.py` with Kafka and the workers).
"""
_PROTECTS = """A level of marking that is not known is read as the highest, and a raise in an envelope that says otherwise
counts (`tests/integration/hostile/test_protective.py`).
"""
_API = """## API

`tests/integration/hostile/test_api.py`; each is followed by a good request. Forged, ended and strange tokens, all of
`requests.tokens` and `requests.forged`: `access.unauthenticated`.
"""
_DATA = """## Data files and scenarios

Register, releases, forms and policy: `settings.invalid`; scenarios: `scenario.invalid`; with the file's name and the line
(`tests/unit/hostile/test_data_files.py`). Settings and secrets: `settings.invalid` with the variable or the secret file
(`tests/unit/hostile/test_settings.py`).
"""
_LETTERS = """
## Dead letters

`tests/integration/hostile/test_letters.py`: a letter that there is not, or whose record is gone from the log:
`resource.unknown`; one that is closed already: `letter.closed`, and what the first operator decided stands; a retry that
is refused again stays open with the newest code; one that is obsolete by now changes nothing; a server that is away
changes nothing.

## Memory

Each is read by a process that may take 600 MB (`tests/integration/hostile/test_memory.py`):
"""


def _of(kind: str) -> str:
    """The topics of a kind, as a sentence."""
    chosen = {
        "all": CONSUMED,
        "sealed": [name for name in CONSUMED if name not in IN_CLEAR],
        "source": [name for name in CONSUMED if name.startswith("source.")],
        "mmd": [name for name in CONSUMED if name.startswith("mmd.")],
    }
    return f"In {', '.join(f'`{name}`' for name in chosen[kind])}."


def page() -> str:
    lines = [_HEAD, "## Source files", "", "The file is refused (`tests/unit/hostile/test_source_files.py`):", ""]
    lines += _table(("input", "source", "code"), _both(SOURCE_FILES))
    lines += [_RECORD, *_table(("input", "source", "code"), _both(SOURCE_RECORDS)), _UNREADABLE, _TOPICS]
    lines += _records("Envelopes", ENVELOPES, _of("all"))
    lines += _records("Content", CONTENTS, _of("all"))
    lines += _records("Seals", SEALS, _of("sealed"))
    lines += _records("Source records", RECORDS, _of("source"))
    lines += [*_records("Documents", DOCUMENTS, _of("mmd")), _PROTECTS, _API]
    lines += _table(("request", "method", "code"), ((one.name, one.method, _codes(one.code)) for one in bad_requests()))
    lines += [_DATA, *(f"- {one.name}" for one in cases(FILES[0])), _LETTERS]
    said = ((name, _codes(code.replace(" ", "` then `"))) for name, (_, code) in BOMBS.items())
    return "\n".join([*lines, *_table(("bomb", "what is said"), said)]).rstrip("\n") + "\n" + _LIMITS


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
