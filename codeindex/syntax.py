"""How many faults a grammar finds in a text: what it could not read, and what it misses."""

from __future__ import annotations

from codeindex.parse import LONGEST, readable, spoken, tree_of
from codeindex.parse_grammar import grammar


def faults(text: str, language: str) -> int | None:
    """The number of error nodes and missing tokens; None without a grammar, or if reading takes too long.

    Grammars forgive what is no matter of their rules: a block without a body, wrong indentation.
    """
    found = grammar(spoken(text, language)) if len(text) <= LONGEST else None
    tree = tree_of(readable(text), found.language) if found else None
    if tree is None:
        return None
    count = 0
    nodes = [tree.root_node]
    while nodes:
        node = nodes.pop()
        count += node.is_error or node.is_missing
        if node.has_error:
            nodes += node.children
    return count
