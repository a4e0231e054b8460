"""Pure: what a path says of its file: its words, and whether it is a test, an example, vendored or so."""

from __future__ import annotations

import re
from functools import lru_cache

from codeindex import identifiers
from codeindex.query import Place

PATTERNS = {
    Place.TESTS: r"""
        (?:^|/)(?:tests?|testing|__tests__|specs?|test[-_]\w+|fixtures?|testdata|testutils?|__mocks__|e2e)/
      | (?:^|/)src/(?:test|integrationtest|androidtest)/
      | (?:^|/)(?:tests?|conftest|test_[^/]*|[^/]*[-_.](?:tests?|spec|unittest|e2e|stories|fixtures?))\.\w+$
      | (?:^|/)[^/]*[a-z0-9](?-i:Tests?|Spec|TestCase)\.(?:java|kt|scala|cs|swift|php|groovy)$
    """,
    Place.DOCS: r"""
        (?:^|/)(?:docs|documentation|docs_src|website|man)/
      | (?:^|/)(?:readme|changelog|changes|history|news|contributing|code_of_conduct|license|authors)[^/]*$
      | \.(?:md|mdx|rst|adoc|txt)$
    """,
    Place.EXAMPLES: r"""
        (?:^|/)(?:_?examples?|samples?|demos?|bench(?:es|marks?)?|playground|tutorials?|sandbox)/
    """,
    Place.GENERATED: r"""
        (?:^|/)(?:generated|__generated__|gen|autogen)/ | [._-](?:generated|gen|pb|pb2|pb2_grpc|g)\.\w+$
      | \.d\.[cm]?ts$ | \.min\.\w+$
    """,
    Place.COMPAT: r"""
        (?:^|/)(?:compat|compatibility|legacy|deprecated|backports?|polyfills?|shims?|_?compat[^/]*|old)/
      | (?:^|/)_?(?:[^/]*[-_])?(?:compat|compatibility|legacy|deprecated|backports?|polyfills?|shims?)\.\w+$
    """,
    Place.VENDORED: r"(?:^|/)(?:_?vendor(?:ed)?|third[-_]?party|external|extern|bundled|node_modules|deps)/",
}
COMPILED = {place: re.compile(text, re.IGNORECASE | re.VERBOSE) for place, text in PATTERNS.items()}

# Files that are called like thousands of others: their folder's name is theirs.
FOLDERS_OWN = frozenset({"__init__", "__main__", "index", "lib", "main", "mod", "package"})
SAY_NOTHING = frozenset({"lib", "pkg", "source", "sources", "src"})
KEPT = 1 << 15
SAME_HEAD = 3  # Characters: words that differ in one of these are not forms of one.


@lru_cache(KEPT)
def places(path: str) -> frozenset[Place]:
    """What kinds of code that answers few questions a path is of."""
    return frozenset(place for place, pattern in COMPILED.items() if pattern.search(path))


@lru_cache(KEPT)
def stem_words(path: str) -> tuple[str, ...]:
    """The words of what a file is called: its name without its endings, or its folder's."""
    *folders, name = path.split("/")
    stem = name.lstrip(".").partition(".")[0]
    if stem.lower() in FOLDERS_OWN and folders and folders[-1].lower() not in SAY_NOTHING:
        return identifiers.split(folders[-1]) or (stem.lower(),)
    return identifiers.split(stem) or (stem.lower(),)


@lru_cache(KEPT)
def is_among(word: str, terms: tuple[str, ...]) -> bool:
    """Whether a word is a form of one of the terms."""
    head = word[:SAME_HEAD]
    return any(it.startswith(head) and alike(word, it) for it in terms)


def alike(word: str, term: str) -> bool:
    """Whether two words are forms of one: `routing` and `router`, `config` and `configuration`."""
    if word == term:
        return True
    shorter, longer = sorted((word, term), key=len)
    if len(shorter) < SAME_HEAD:
        return False
    if longer.startswith(shorter):
        return True
    shared = next((n for n, (a, b) in enumerate(zip(shorter, longer, strict=False)) if a != b), len(shorter))
    return 4 <= shared and len(shorter) - 2 <= shared
