"""Whatever a good input is changed into, where no server is needed: it is read, or refused with a code and no value."""

import io
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from connectors.sources.posts import Alarm, Header, Post, Reject
from connectors.sources.registry import SOURCES
from streams.codec import PublishedCodec, RecordCodec
from streams.contracts.claims import SourceRecord
from streams.contracts.errors import TEXTS, KallanError
from streams.envelope import Message
from streams.keys import MemoryKeyRing
from streams.wire import LIMIT_BYTES, Json
from tests.unit.hostile import json_files, navet_files
from tests.unit.hostile.case import CANARY
from tests.unit.hostile.data_files import FILES, DataFile
from tests.unit.hostile.mutations import EVERY_RUN, bytewise, encoded, fieldwise, run
from tests.unit.hostile.test_source_files import CONTEXT

GOOD = {"navet": navet_files.WHOLE} | {source: json_files.good(source) for source in json_files.ROWS}


def read(source: str, content: bytes) -> None:
    """Every item is one of the four kinds; a record can be sent or is refused; nothing said holds a text of the input."""
    wire = Json(SourceRecord)
    refused: list[str] = []
    try:
        for item in SOURCES[source].read(io.BytesIO(content), CONTEXT):
            assert isinstance(item, Header | Post | Reject | Alarm)
            if isinstance(item, Reject | Alarm):
                assert item.code in TEXTS
                assert CANARY not in item.detail
            if isinstance(item, Post):
                assert len(wire.encode(item.record)) <= LIMIT_BYTES
    except KallanError as error:
        refused.append(str(error))
    assert CANARY not in " ".join(refused)


@pytest.mark.parametrize("source", sorted(GOOD))
def test_a_source_file_with_changed_bytes_is_read_or_refused(source: str) -> None:
    @EVERY_RUN
    @given(bytewise(GOOD[source]))
    def check(content: bytes) -> None:
        read(source, content)

    run(check)


@pytest.mark.parametrize("source", sorted(json_files.ROWS))
def test_a_row_with_changed_fields_is_read_or_rejected(source: str) -> None:
    @EVERY_RUN
    @given(fieldwise([json_files.ROWS[source][0]]))
    def check(rows: list[object]) -> None:
        read(source, json_files.written(source, *(encoded(row).decode("utf-8", "surrogatepass") for row in rows)))

    run(check)


@pytest.mark.parametrize("file", FILES, ids=lambda one: one.name)
def test_a_data_file_with_changed_bytes_or_values_is_read_or_refused(file: DataFile, tmp_path: Path) -> None:
    path = tmp_path / "given.yml"
    values = json.loads(json.dumps(yaml.safe_load(file.good), default=str))

    @EVERY_RUN
    @given(bytewise(file.good.encode()) | fieldwise(values).map(encoded))
    def check(content: bytes) -> None:
        path.write_bytes(content)
        refused: list[KallanError] = []
        try:
            file.read(path)
        except KallanError as error:
            refused.append(error)
        assert all(one.code == file.code and one.detail.startswith("given.yml") for one in refused)

    run(check)


_headers = st.dictionaries(
    st.sampled_from(
        ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_dataschema", "ce_kallankeyid"]
    ),
    st.text(max_size=20)
    | st.sampled_from(["1.0", "s", "urn:kallan:schema:source-record.v1", "2026-03-02T08:00:00Z", "inner/s/1"]),
)


def test_a_message_of_any_headers_is_decoded_or_refused() -> None:
    codecs = (RecordCodec(MemoryKeyRing()), PublishedCodec(MemoryKeyRing()))

    @EVERY_RUN
    @given(_headers, st.text(max_size=10), st.none() | st.binary(max_size=60))
    def check(headers: dict[str, str], key: str, value: bytes | None) -> None:
        for codec in codecs:
            assert len(codec.decode([Message("source.person.v1", key, value, headers)])) == 1

    run(check)
