"""Identity: which numbers are one person, which of them is the oldest and which is current. Never a guess."""

import heapq
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reference:
    """One *HanvisningsPersonNr*. `superseded`: the post of `from_subject` carries GN or GS, so its number is the old
    one. Without it the reference joins the two, and is only a hint that the number referred to is the older."""

    from_subject: str
    to_subject: str
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """The numbers of one person. `order` runs from the oldest to the current; a `cycle` needs a human."""

    oldest: str
    current: str
    order: tuple[str, ...]
    cycle: bool


def components(edges: Iterable[tuple[str, str]]) -> list[set[str]]:
    """The groups that the edges join, the group with the smallest member first."""
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for a, b in edges:
        parent[root(a)] = root(b)
    groups: dict[str, set[str]] = defaultdict(set)
    for node in parent:
        groups[root(node)].add(node)
    return sorted(groups.values(), key=min)


def resolve(subjects: set[str], references: Iterable[Reference]) -> Chain:
    """The chain of one person's subjects, those only referred to included.

    Both posts of a number change point at each other: the one that carries GN or GS gives the direction, so that is no
    cycle. A cycle of superseded-by edges is: the order is then still the same for the same set, and `cycle` is true.
    Depends on the sets alone. Raises `ValueError` where there is no subject at all.
    """
    refs = set(references)
    nodes = set(subjects)
    for reference in refs:
        nodes.add(reference.from_subject)
        nodes.add(reference.to_subject)
    if not nodes:
        raise ValueError("a chain needs a subject")
    if len(nodes) == 1 and not refs:
        only = next(iter(nodes))
        return Chain(only, only, (only,), False)
    later: dict[str, set[str]] = {node: set() for node in nodes}
    for reference in refs:
        if reference.superseded:
            later[reference.from_subject].add(reference.to_subject)
    order, cycle = _topological(later)
    if not cycle:
        for reference in sorted((r for r in refs if not r.superseded), key=lambda r: (r.to_subject, r.from_subject)):
            older, newer = reference.to_subject, reference.from_subject
            if not _reaches(later, newer, older):
                later[older].add(newer)
        order, _ = _topological(later)
    return Chain(order[0], order[-1], tuple(order), cycle)


def _topological(later: dict[str, set[str]]) -> tuple[list[str], bool]:
    """Older before newer, ties by subject; where a cycle blocks the way, its smallest member goes first."""
    before = dict.fromkeys(later, 0)
    for newer in later.values():
        for node in newer:
            before[node] += 1
    ready = [node for node, count in before.items() if count == 0]
    heapq.heapify(ready)
    order: list[str] = []
    left = set(later)
    cycle = False
    while left:
        if not ready:
            cycle = True
            ready = [min(left)]
        node = heapq.heappop(ready)
        if node not in left:
            continue
        left.discard(node)
        order.append(node)
        for newer_node in later[node]:
            before[newer_node] -= 1
            if before[newer_node] == 0 and newer_node in left:
                heapq.heappush(ready, newer_node)
    return order, cycle


def _reaches(later: dict[str, set[str]], start: str, goal: str) -> bool:
    seen, todo = {start}, [start]
    while todo:
        node = todo.pop()
        if node == goal:
            return True
        for following in later[node] - seen:
            seen.add(following)
            todo.append(following)
    return False
