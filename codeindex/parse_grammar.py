"""The grammars and our own queries for them, loaded when first needed, once."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import tree_sitter

log = logging.getLogger(__name__)

NAMES = "; names\n"  # between a query's definitions, read as matches, and its names, read as captures


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a grammar is, and the queries of ours that read it."""

    module: str
    queries: tuple[str, ...]
    function: str = "language"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """What it takes to read a language."""

    language: tree_sitter.Language
    definitions: tree_sitter.Query
    names: tree_sitter.Query


_JAVASCRIPT = Source(module="javascript", queries=("javascript", "ecmascript", "jsx"))
_CPP = Source(module="cpp", queries=("c", "cpp"))
SOURCES: Mapping[str, Source] = {
    "c": Source(module="c", queries=("c",)),
    "cpp": _CPP,
    "csharp": Source(module="c_sharp", queries=("csharp",)),
    "css": Source(module="css", queries=("css",)),
    "cuda-cpp": _CPP,
    "go": Source(module="go", queries=("go",)),
    "html": Source(module="html", queries=("html",)),
    "java": Source(module="java", queries=("java",)),
    "javascript": _JAVASCRIPT,
    "javascriptreact": _JAVASCRIPT,
    "json": Source(module="json", queries=("json",)),
    "jsonc": Source(module="json", queries=("json",)),
    "kotlin": Source(module="kotlin", queries=("kotlin",)),
    "lua": Source(module="lua", queries=("lua",)),
    "markdown": Source(module="markdown", queries=("markdown",)),
    "php": Source(module="php", queries=("php",), function="language_php"),
    "python": Source(module="python", queries=("python",)),
    "ruby": Source(module="ruby", queries=("ruby",)),
    "rust": Source(module="rust", queries=("rust",)),
    "scala": Source(module="scala", queries=("scala",)),
    "shellscript": Source(module="bash", queries=("bash",)),
    "swift": Source(module="swift", queries=("swift",)),
    "toml": Source(module="toml", queries=("toml",)),
    "typescript": Source(
        module="typescript", queries=("javascript", "typescript"), function="language_typescript"
    ),
    "typescriptreact": Source(
        module="typescript", queries=("javascript", "typescript", "jsx"), function="language_tsx"
    ),
    "yaml": Source(module="yaml", queries=("yaml",)),
}


@cache
def grammar(language: str) -> Grammar | None:
    """The grammar of a language; None if there is none, or none that can be loaded here."""
    source = SOURCES.get(language)
    if source is None:
        return None
    try:
        module = importlib.import_module(f"tree_sitter_{source.module}")
        loaded = tree_sitter.Language(getattr(module, source.function)())
        parts = [_query(it).partition(NAMES) for it in source.queries]
        return Grammar(
            language=loaded,
            definitions=tree_sitter.Query(loaded, "\n".join(it[0] for it in parts)),
            names=tree_sitter.Query(loaded, "\n".join(it[2] for it in parts)),
        )
    except (ImportError, AttributeError, OSError, ValueError, TypeError) as exc:
        log.warning("grammar=%s cannot be used: %s", language, exc)
        return None


def _query(name: str) -> str:
    return (resources.files("codeindex") / "tags" / f"{name}.scm").read_text(encoding="utf-8")
