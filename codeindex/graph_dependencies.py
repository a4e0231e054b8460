"""Pure: which files build on which, by folders too; what goes in circles; what is not the project's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from posixpath import dirname


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Who imports what."""

    own: Mapping[str, tuple[str, ...]]
    """For each file or folder those of the project that it imports, sorted."""
    others: Mapping[str, tuple[str, ...]]
    """For each the modules it imports that are no files of the project."""
    cycles: tuple[tuple[str, ...], ...]
    """Those that import each other in circles, the largest first."""


def dependencies_of(own: Mapping[str, Iterable[str]], others: Mapping[str, Iterable[str]]) -> Dependencies:
    """From imports that are resolved."""
    edges = {it: tuple(sorted(set(targets) - {it})) for it, targets in sorted(own.items())}
    return Dependencies(
        own=edges,
        others={it: tuple(sorted(set(found))) for it, found in sorted(others.items())},
        cycles=cycles(edges),
    )


def by_folder(it: Dependencies) -> Dependencies:
    """The same between folders."""
    own: dict[str, set[str]] = {}
    others: dict[str, set[str]] = {}
    for path, targets in it.own.items():
        own.setdefault(dirname(path) or ".", set()).update(dirname(one) or "." for one in targets)
    for path, found in it.others.items():
        others.setdefault(dirname(path) or ".", set()).update(found)
    return dependencies_of(own, others)


def cycles(edges: Mapping[str, Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    """Groups in which each leads to each, largest first: Tarjan's way, without recursion."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_: list[str] = []
    is_open: set[str] = set()
    found: list[tuple[str, ...]] = []
    for root in edges:
        if root in order:
            continue
        work = [(root, iter(edges.get(root, ())))]
        order[root] = lowest[root] = len(order)
        open_.append(root)
        is_open.add(root)
        while work:
            node, rest = work[-1]
            child = next(rest, None)
            if child is None:
                work.pop()
                if work:
                    lowest[work[-1][0]] = min(lowest[work[-1][0]], lowest[node])
                if lowest[node] == order[node]:
                    start = open_.index(node)
                    group, open_[start:] = tuple(sorted(open_[start:])), []
                    is_open.difference_update(group)
                    found += [group] if 1 < len(group) else []
            elif child not in order:
                order[child] = lowest[child] = len(order)
                open_.append(child)
                is_open.add(child)
                work.append((child, iter(edges.get(child, ()))))
            elif child in is_open:
                lowest[node] = min(lowest[node], order[child])
    return tuple(sorted(found, key=lambda it: (-len(it), it)))
