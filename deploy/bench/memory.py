"""Resident memory of a process tree: PSS, in which shared pages count once over all, where the system tells it."""

from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes. `by_process` has the processes by their place in the tree; `proportional` is False where some could only
    tell their RSS, which counts shared pages once in each."""

    total: int
    by_process: dict[str, int]
    proportional: bool


def of_tree(root: int) -> Memory:
    """Of process `root` and all its descendants. Raises `psutil.NoSuchProcess` if it is gone."""
    top = psutil.Process(root)
    found: dict[str, int] = {}
    proportional = True
    for process in (top, *top.children(recursive=True)):
        try:
            name = _name(process)
            try:
                size = int(process.memory_full_info().pss)
            except (psutil.AccessDenied, AttributeError):
                size, proportional = int(process.memory_info().rss), False
        except psutil.NoSuchProcess:
            continue
        found[name] = found.get(name, 0) + size
    return Memory(sum(found.values()), found, proportional)


def _name(process: psutil.Process) -> str:
    """What it is, without paths, ports or addresses: the last words of a worker's command, else the program."""
    command = process.cmdline()
    if "deploy.cli" in command:
        return " ".join(word for word in command[command.index("deploy.cli") + 1 :] if word != "--lane")
    if "-m" in command:
        return command[command.index("-m") + 1].rpartition(".")[2]
    classes = [word for word in command if word.startswith(("kafka.", "Loopback"))]
    return classes[0] if classes else process.name()
