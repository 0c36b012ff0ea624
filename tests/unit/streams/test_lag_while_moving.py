"""How far groups are behind while the broker that keeps their offsets changes.

A broker that has just started answers NOT_COORDINATOR for a while. librdkafka's admin client dies of that answer (a
segmentation fault, github.com/confluentinc/librdkafka/issues/5040), so the question is asked in a process of its own.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = """
import ctypes, sys
from pathlib import Path
import confluent_kafka
from streams.kafka_log import LagMeter

here = Path(confluent_kafka.__file__).parents[1] / "confluent_kafka.libs"
library = ctypes.CDLL(str(next(here.glob("librdkafka*"))))
handle, text = ctypes.c_void_p, ctypes.c_char_p
for name, result, arguments in (
    ("conf_new", handle, []),
    ("new", handle, [ctypes.c_int, handle, text, ctypes.c_size_t]),
    ("mock_cluster_new", handle, [handle, ctypes.c_int]),
    ("mock_cluster_bootstraps", text, [handle]),
    ("mock_topic_create", ctypes.c_int, [handle, text, ctypes.c_int, ctypes.c_int]),
    ("mock_push_request_errors_array", None, [handle, ctypes.c_int16, ctypes.c_size_t, handle]),
):
    function = getattr(library, f"rd_kafka_{name}")
    function.restype, function.argtypes = result, arguments

PRODUCER, OFFSET_FETCH = 0, 9
cluster = library.rd_kafka_mock_cluster_new(
    library.rd_kafka_new(PRODUCER, library.rd_kafka_conf_new(), None, 0), 1
)
library.rd_kafka_mock_topic_create(cluster, b"t", 2, 1)
errors = (ctypes.c_int * len(sys.argv[1:]))(*map(int, sys.argv[1:]))
library.rd_kafka_mock_push_request_errors_array(cluster, OFFSET_FETCH, len(errors), errors)
meter = LagMeter(library.rd_kafka_mock_cluster_bootstraps(cluster).decode())
for _ in range(20):
    try:
        print(meter.read({"g": ["t"]}, timeout=5.0))
        break
    except Exception as error:
        print(type(error).__name__, error)
meter.close()
sys.stdout.flush()
"""
COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR = 14, 15, 16


@pytest.mark.skipif(sys.platform != "linux", reason="finds the library of the Linux wheel")
@pytest.mark.parametrize("answer", [COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR])
def test_a_broker_that_does_not_keep_the_offsets_yet_is_asked_again(answer: int) -> None:
    asked = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(answer), str(answer)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    *before, last = asked.stdout.splitlines()
    assert last == "{('g', 't'): 0}"
    assert all(line.startswith("Unavailable") for line in before)
