"""Files that are generated from the code and kept in the tree: written by `make generated`, checked by `make check`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deploy import settings
from deploy.docs.demands import demands_page, read_demands
from deploy.docs.flows import flows
from deploy.docs.source_map import source_map
from deploy.docs.traceability import traceability
from deploy.docs.traces import read_outcomes, read_traces
from deploy.operations import metrics, portable
from deploy.replay import scenario
from deploy.wiring.data import read_policy, read_register, read_releases
from mmd.api.app import create_app
from streams import schema_files
from streams.contracts.errors import TEXTS


def _json(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _settings_page() -> str:
    lines = [
        "# Settings",
        "",
        "Environment variables, or a file named by `KALLAN_SETTINGS`. Generated from `deploy/settings.py`.",
        "",
    ]
    seen: set[str] = set()
    kinds = (
        settings.Settings,
        settings.KafkaSettings,
        settings.PrepareSettings,
        settings.MasterSettings,
        settings.ProvisioningSettings,
        settings.ExecuteSettings,
        settings.ApiSettings,
    )
    for kind in kinds:
        fields = {name: field for name, field in kind.model_fields.items() if name not in seen}
        seen |= set(fields)
        lines += [f"## {kind.__name__}", "", (kind.__doc__ or "").strip().splitlines()[0], ""]
        lines += ["| variable | default | meaning |", "|---|---|---|"]
        for name, field in fields.items():
            default = "needed" if field.is_required() else f"`{_shown(field.default)}`"
            lines.append(f"| `KALLAN_{name.upper()}` | {default} | {field.description or ''} |")
        lines.append("")
    return "\n".join(lines)


def _shown(default: Any) -> str:
    if isinstance(default, Path) and default.is_relative_to(settings.CONFIG):
        return f"config/{default.name} of the package"
    return str(default) or "empty"


def _errors_page() -> str:
    lines = ["# Error codes", "", "The same codes in HTTP problem details, dead letters and on the command line.", ""]
    lines += ["| code | HTTP | English | svenska |", "|---|---|---|---|"]
    lines += [f"| `{code}` | {text.status} | {text.en} | {text.sv} |" for code, text in sorted(TEXTS.items())]
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "docs/settings.md": _settings_page,
    "docs/errors.md": _errors_page,
    "docs/metrics.md": metrics.page,
    "docs/source-map.md": lambda: source_map(read_register(settings.CONFIG / "sources.yml")),
    "docs/flows.md": lambda: flows(
        read_releases(settings.CONFIG / "releases.yml"), read_policy(settings.CONFIG / "policy.yml")
    ),
    "docs/openapi.json": lambda: _json(create_app(None).openapi()),
    "deploy/replay/scenario.schema.json": lambda: _json(scenario.json_schema()),
    "deploy/operations/export.schema.json": lambda: _json(portable.json_schema()),
}

TREE_PAGES: dict[str, Callable[[Path], str]] = {
    "docs/sparbarhet.md": lambda root: traceability(read_traces(root), read_outcomes(root)),
    "docs/krav-pa-malsystem.md": lambda root: demands_page(read_demands(root)),
}
"""Pages that are made from files of the tree too."""


def _wanted(root: Path) -> dict[str, str]:
    found = {path: make() for path, make in PAGES.items()}
    found.update({path: make(root) for path, make in TREE_PAGES.items()})
    found.update({f"streams/schemas/{name}.json": _json(schema) for name, schema in schema_files.schemas().items()})
    return found


def stale(root: Path) -> list[str]:
    """Generated files that are missing or differ from what the code says now."""
    return [
        f"{path}: not fresh, run `make generated`"
        for path, text in _wanted(root).items()
        if not (root / path).is_file() or (root / path).read_text(encoding="utf-8") != text
    ]


def write(root: Path) -> list[str]:
    """Write them all; returns the paths."""
    wanted = _wanted(root)
    for path, text in wanted.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return list(wanted)
