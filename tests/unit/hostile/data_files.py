"""Bad data files: what every one of them (register, releases, forms, policy, scenario) refuses, and what some do."""

from collections.abc import Callable
from pathlib import Path

from deploy.replay.scenario import read_scenario
from deploy.settings import CONFIG
from deploy.wiring.data import read_forms, read_policy, read_register, read_releases
from tests.unit.hostile.case import CANARY, Case

SCENARIO = Path(__file__).parents[2] / "scenarios" / "s01_plain_joiner.yml"


class DataFile:
    """One kind of file: how it is read, a good one, and the key that its first entry stands under."""

    def __init__(self, name: str, read: Callable[[Path], object], good: Path, key: str) -> None:
        self.name = name
        self.read = read
        self.good = good.read_text(encoding="utf-8")
        self.key = key
        self.code = "scenario.invalid" if name == "scenario" else "settings.invalid"


FILES = (
    DataFile("register", read_register, CONFIG / "sources.yml", "designations"),
    DataFile("releases", read_releases, CONFIG / "releases.yml", "releases"),
    DataFile("forms", read_forms, CONFIG / "forms.yml", "forms"),
    DataFile("policy", read_policy, CONFIG / "policy.yml", "version"),
    DataFile("scenario", read_scenario, SCENARIO, "id"),
)


def _bomb(levels: int = 9) -> str:
    lines = [f'a0: &a0 ["{CANARY}"]']
    for level in range(1, levels):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]")
    return "\n".join(lines) + f"\nKEY: *a{levels - 1}\n"


TEXTS = {
    "an empty file": "",
    "nothing but white space": " \n\n",
    "a list at the top": f"- {CANARY}\n",
    "a text at the top": CANARY,
    "two documents": f"KEY: 1\n---\nKEY: {CANARY}\n",
    "a tab as indentation": f"KEY:\n\t- {CANARY}\n",
    "an undefined alias": f"KEY: *{CANARY}\n",
    "a tag of Python": f'KEY: !!python/object/apply:os.system ["{CANARY}"]\n',
    "a name of Python": "KEY: !!python/name:os.system\n",
    "an alias of itself": "KEY: &a [*a]\n",
    "a mapping in itself": "KEY: &a {x: *a}\n",
    "aliases that grow to a thousand million": _bomb(),
    "brackets a hundred thousand deep": "KEY: " + "[" * 100_000,
    "brackets three hundred deep": "KEY: " + "[" * 300 + "]" * 300 + "\n",
    "a date that there is not": "KEY: 2026-13-45\n",
    "a time that there is not": "KEY: 2026-01-01T99:00:00Z\n",
    "a number of 6,000 digits": "KEY: " + "9" * 6000 + "\n",
    "not a number": "KEY: .nan\n",
    "no value": "KEY:\n",
    "a text of another kind": f"KEY: {CANARY} \n",
    "a list of texts": f"KEY: [{CANARY}, ~, 1]\n",
    "a mapping of texts": f"KEY: {{a: {CANARY}}}\n",
    "a mapping of mappings": f"KEY: {{a: {{b: {CANARY}}}}}\n",
    "a set": f"KEY: !!set {{{CANARY}}}\n",
    "a number as a key": "1: 2\n",
    "a list as a key": f"? [{CANARY}]\n: b\n",
    "a NUL byte": "KEY: \0\n",
    "an escaped NUL byte": 'KEY: "\\0"\n',
    "half a surrogate pair": 'KEY: "\\ud800"\n',
    "an unknown key": "unheard_of: 1\n",
}


def cases(file: DataFile) -> list[Case]:
    """What this kind of file refuses. A good file with something wrong behind it is told apart from a small bad one."""

    def made(text: str) -> Callable[[], bytes]:
        return lambda: text.replace("KEY", file.key).encode()

    good = file.good.encode()
    found = [Case(name, made(text), file.code) for name, text in TEXTS.items()]
    return [
        *found,
        Case("an unknown key in a good file", lambda: good + b"\nunheard_of: 1\n", file.code),
        Case("every key twice", lambda: good + b"\n" + good, file.code),
        Case("five megabytes", lambda: good + b"\n# " + b"x" * 5_000_000, file.code),
        Case("Latin-1", lambda: f"{CANARY}: å\n".encode("latin-1"), file.code),
        Case("UTF-16", lambda: file.good.encode("utf-16"), file.code),
        Case("truncated in the middle of a line", lambda: good.rstrip().rpartition(b"\n")[0] + b"\n  {x", file.code),
        Case("a binary file", lambda: bytes(range(256)) * 10, file.code),
    ]
