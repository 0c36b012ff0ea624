"""Where a run was made is found out, and memory and load are read from the processes themselves."""

import os
import subprocess
import sys

from deploy.bench.machine import Machine, OthersMeter, versions
from deploy.bench.memory import of_tree


def test_the_machine_has_processors_and_memory() -> None:
    here = Machine.here()
    assert here.processor
    assert here.processors >= 1
    assert here.memory_gb > 0


def test_the_versions_name_what_takes_part() -> None:
    found = versions("18.4")
    assert found["postgresql"] == "18.4"
    assert {"python", "faust-streaming", "kafka_2.13", "unboundid-ldapsdk", "ldap3", "fastapi"} <= found.keys()
    assert all(found.values())


def test_the_load_of_others_is_a_share() -> None:
    meter = OthersMeter()
    meter.start()
    sum(range(200_000))
    assert 0 <= meter.share() <= 1


def test_the_memory_of_a_tree_covers_its_children() -> None:
    alone = of_tree(os.getpid()).total
    ten = "x = b'x' * 30_000_000; import sys; print(len(x), flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", ten], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        both = of_tree(os.getpid())
        child.terminate()
    assert both.total > alone + 20_000_000 or not both.proportional
    assert sum(both.by_process.values()) == both.total
