"""docs/flows.md: the flow inventory, from the topic catalogue, the published types, the releases and the policy. Pure."""

import typing
from collections.abc import Iterable, Sequence

import msgspec

from deploy.docs.markdown import code, codes, page, table
from deploy.wiring.data import Releases
from iam.domain.policy import Policy
from mmd.domain.release import Marked, Release
from streams.catalogue import TOPICS, Cleanup, Topic
from streams.contracts.claims import Body, Claim, SourceRecord
from streams.contracts.documents import THINGS, PersonDocument, Published, Redirect, UnitDocument, Withheld
from streams.sealing import KeyClass

PARTIES: dict[str, tuple[str, ...]] = {
    "source-connectors": ("connectors/sources/edge.py", "kallan load", "kallan loads release", "kallan loads resume"),
    "operator": ("deploy/rulings/sending.py", "kallan merge", "kallan split", "kallan protection"),
    "ingest-bulk": ("mmd/ingest/handler.py", "kallan ingest"),
    "ingest-urgent": ("mmd/ingest/handler.py", "kallan ingest"),
    "mmd-relay": ("mmd/relay/relay.py", "kallan relay"),
    "evaluate-bulk": ("iam/evaluate/handler.py", "kallan evaluate"),
    "evaluate-urgent": ("iam/evaluate/handler.py", "kallan evaluate"),
    "iam-relay": ("iam/relay/relay.py", "kallan execute"),
}
"""Who writes and reads topics: the file where it is done, and the commands that run it."""

_KEYS: dict[KeyClass, tuple[str, str]] = {
    KeyClass.INNER: (
        "a subject (one personnummer), or a place, group or legal organisation",
        "source connectors seal; mmd opens",
    ),
    KeyClass.OUTER: (
        "a person, or a place, group or legal organisation",
        "mmd's relay seals; iam opens. A raised marking destroys the earlier keys",
    ),
    KeyClass.ACCOUNT: ("a person, by id", "iam seals; mmd opens"),
    KeyClass.SYSTEM: ("a source", "what an edge rejects is kept under it, on no topic"),
}
_PARTS: dict[str, type] = {
    "person": PersonDocument,
    "unit": UnitDocument,
    "place": THINGS["place"],
    "group": THINGS["group"],
    "legal_organisation": THINGS["legal-organisation"],
    "redirect": Redirect,
    "withheld": Withheld,
}
_KINDS: dict[str, type] = {str(body.__struct_config__.tag): body for body in typing.get_args(Body)}
_FIELD_ONLY_ABSENT = "absent"

_HEAD = """\
# Flows

Every flow of information between the parts of Källan, and out of it. Generated from the topic catalogue
(`streams/catalogue.py`), the published types (`streams/contracts`), the releases (`deploy/config/releases.yml`) and
the policy (`deploy/config/policy.yml`). The last two are those that come with Källan; a municipality names its own by
`KALLAN_RELEASES` and `KALLAN_POLICY`. There is no way past them: import contracts in `pyproject.toml` keep source and
target connectors from each other, and provisioning from the master.

Every message is a CloudEvent in Kafka's binary form (`streams/envelope.py`). Its headers and its Kafka key hold hashes,
ids and unit keys, never a personnummer or a name. `ce_mmdclass` is the class of the information (`personal`, `open`),
`ce_kallankeyid` the data key that the content is sealed with (AES-256-GCM, bound to the headers). How protected
somebody is stands inside the sealed content, never in a header: on source topics as the protection claim that every
bulk record of a post carries; on `mmd.*` content has passed `disclose` under the topic's release, and says `restricted`."""


def flows(releases: Releases, policy: Policy) -> str:
    """The page. Raises ValueError where the catalogue names something that is not described here."""
    lines = [_HEAD, "", "## Topics", "", *_topics(TOPICS), "", "## Who they are", "", *_parties(TOPICS)]
    lines += [
        "",
        "## What is in it",
        "",
        "Claim kinds of `source-record.v1` ([schema](../streams/schemas/source-record.v1.json)):",
        "",
    ]
    kinds = {kind for topic in TOPICS if topic.name.startswith("source.") for kind in topic.contents}
    lines += _fields({kind: _KINDS[kind] for kind in _KINDS if kind in kinds | {_FIELD_ONLY_ABSENT}}, TOPICS)
    lines += [
        "",
        "Parts of `published.v1` ([schema](../streams/schemas/published.v1.json)), exactly one in a record:",
        "",
    ]
    lines += _fields(_PARTS, TOPICS)
    lines += [
        "",
        "Beside them: " + codes(_names(SourceRecord)) + " (source record); " + codes(_names(Claim)) + " (claim); ",
    ]
    lines[-1] += codes(set_aside(_names(Published), _PARTS)) + " (published)."
    lines += ["", "## Keys", "", *_keys()]
    lines += ["", "## Out through the API: releases", "", *_releases(releases)]
    lines += ["", "## Out to target systems", "", *_targets(policy)]
    return page(*lines)


def set_aside(names: Iterable[str], without: Iterable[str]) -> list[str]:
    left_out = set(without)
    return [name for name in names if name not in left_out]


def _topics(topics: Sequence[Topic]) -> list[str]:
    headers = (
        "topic",
        "what",
        "written by",
        "read by",
        "Kafka key",
        "kept",
        "personal data",
        "sealed with",
        "in clear",
        "class",
    )
    return table(headers, [_topic(one) for one in topics])


def _topic(topic: Topic) -> tuple[str, ...]:
    key = KeyClass(topic.sealed_with) if topic.sealed_with else None
    clear = codes(topic.in_clear) or "nothing"
    return (
        code(topic.name),
        f"{topic.en} (*{topic.sv}*): {codes(topic.contents)}",
        ", ".join(topic.writers),
        ", ".join(topic.readers),
        topic.key,
        _kept(topic),
        "yes" if key else "no",
        f"{code(key)} key of {_KEYS[key][0]}" if key else "not sealed",
        clear,
        "`personal`; `open` for units"
        if key and {"unit", "unit-node"} & set(topic.in_clear)
        else code("personal" if key else "open"),
    )


def _kept(topic: Topic) -> str:
    if topic.cleanup is Cleanup.COMPACT:
        return "the newest of each key; a tombstone, with its version in `ce_mmdsourceversion`, when erased"
    return "for ever: the replay log" if topic.retention_ms < 0 else f"{topic.retention_ms // 86_400_000} days"


def _parties(topics: Iterable[Topic]) -> list[str]:
    named = {name for topic in topics for name in (*topic.writers, *topic.readers)}
    if named != set(PARTIES):
        raise ValueError(f"not described, or not in the catalogue: {', '.join(sorted(named ^ set(PARTIES)))}")
    return table(
        ("who", "run by", "where"),
        [(name, ", ".join(map(code, run)), code(where)) for name, (where, *run) in PARTIES.items()],
    )


def _fields(types: dict[str, type], topics: Sequence[Topic]) -> list[str]:
    rows = []
    for name, kind in types.items():
        on = [code(topic.name) for topic in topics if name in topic.contents]
        rows.append((code(name), codes(_names(kind)), ", ".join(on) or "where a source says that something is gone"))
    return table(("what", "fields", "on"), rows)


def _names(kind: type) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(kind)]


def _keys() -> list[str]:
    rows = [(code(key), owner, who) for key, (owner, who) in ((one, _KEYS[one]) for one in KeyClass)]
    told = [
        "Data keys are wrapped by a master key and live in a schema of their own (`streams/keys.py`). Which classes a",
        "worker opens is set where it is put together (`deploy/wiring`); a message under another class is refused",
        "(`key.unknown`). Erasure destroys all keys of a person, and no new one is made.",
        "",
    ]
    return [*told, *table(("class", "one key for each", "who uses it"), rows)]


def _releases(releases: Releases) -> list[str]:
    clients = {name: [client for client, has in releases.clients.items() if name in has] for name in releases.by_id}
    told = [
        "A reader sees what its release names, and nothing else (`mmd/domain/disclosure.py::disclose`): persons, units,",
        "the change feed, prefilled forms. This is also the usage map: who uses which information, and for what.",
        "",
    ]
    headers = (
        "release",
        "used by",
        "purpose",
        "legal basis",
        "attributes",
        "personas",
        "units",
        "of protected persons",
        "until",
    )
    rows = [_release(name, one, clients[name], one is releases.topic) for name, one in releases.by_id.items()]
    return [*told, *table(headers, rows)]


_MARKED = {
    Marked.RESTRICTED: "id, status, agreed name and personas at most, never why",
    Marked.CLEARED: "as released",
    Marked.NOTHING: "not known to exist",
}


def _release(name: str, one: Release, clients: Sequence[str], topic: bool) -> tuple[str, ...]:
    used = [*clients, *(["`mmd.person.v1` and `mmd.urgent.v1`"] if topic else [])]
    return (
        code(name),
        ", ".join(used) or "nobody",
        f"{one.purpose_en} ({one.purpose_sv})",
        one.legal_basis,
        codes(sorted(one.attributes)),
        "all" if one.persona_types is None else ", ".join(sorted(one.persona_types)),
        "all" if one.units is None else codes(sorted(one.units)) + (" and below" if one.subtree else ""),
        _MARKED[one.marked],
        str(one.valid_until),
    )


def _targets(policy: Policy) -> list[str]:
    told = [
        "What an account holds: `iam/domain/profile.py::attributes`. A restricted person shows the agreed name or the uid,",
        "and has no account in a target that does not take protected persons.",
        f"Policy version {code(policy.version)}, in force from {policy.valid_from}.",
        "",
    ]
    rows = [
        (code(name), rule.hosting, rule.classification, "allowed" if rule.takes_restricted else "refused")
        for name, rule in sorted(policy.targets.items())
    ]
    return [*told, *table(("target", "hosting", "information classification", "protected persons"), rows)]
