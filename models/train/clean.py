"""Which files are worth learning from: rules on path and text, and duplicates dropped; all pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

SUFFIXES: Final = {
    ".py": "python",
    ".js": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".jsx": "javascript",
    ".ts": "typescript",
    ".tsx": "typescript",
    ".mts": "typescript",
    ".go": "go",
    ".rs": "rust",
    ".java": "java",
    ".c": "c",
    ".h": "c",
}
# Folders that hold other people's code, bundles, generated code, translations or recorded data.
SKIPPED_FOLDERS: Final = frozenset({
    "_vendor", "vendor", "vendored", "vendored_packages", "third_party", "third-party", "thirdparty",
    "3rdparty", "node_modules", "extern", "external", "externals", "_extern", "extlib", "bundled",
    "deps", "submodules", "corejs", "blib2to3", "gnulib", "typeshed", "dist", "build", "umd", "esm",
    "cjs", "es", "es5", "es2015", "commonjs", "amd", "bundles", "target", "generated", "gen", "autogen",
    "__generated__", "generated-sources", "bindings", "bindata", "locale", "locales", "i18n", "static",
    "fixtures", "testdata", "test_data", "data", "datasets", "corpus", "examples_data", "__snapshots__",
})  # fmt: skip
SKIPPED_NAMES: Final = re.compile(
    r"\.min\.|\.bundle\.|\.d\.m?ts$|_pb2|\.generated\.|^parsetab|^lextab|^_version"  # Python, JavaScript
    r"|\.pb(\.gw)?\.go$|[._]gen(erated)?\.(go|rs|java|c|h)$|^zz_generated|bindata|_string\.go$"  # Go
    r"|^z(errors|sysnum|sys|types|syscall)_\w+\.go$|^bindings?\.rs$|^ffi\.rs$"  # tables of systems
    r"|^(package|module)-info\.java$|^(R|BuildConfig)\.java$"  # Java
    r"|\.tab\.[ch]$|^lex\.yy\.c$|_wrap\.c$|amalgam|^(sqlite3|miniz|duktape)\.[ch]$|^config\.h$"  # C
)
GENERATED: Final = re.compile(
    r"(auto(matically |-| )?generated|do not (edit|modify)|(code|file|was|machine) generated"
    r"|generated (by|from)|@generated|sourceMappingURL|__esModule|rust-bindgen|A Bison parser|javacc)",
    re.IGNORECASE,
)
# A header that only C++ can read; its body is another language than C's.
CPLUSPLUS: Final = re.compile(
    r"^\s*(class \w+\s*(final\s*)?[:{;]|template\s*<|namespace\s+[\w:]+\s*(\{|$)|using namespace\b"
    r"|(public|private|protected):)",
    re.MULTILINE,
)
LEGAL: Final = re.compile(r"(copyright|licen[cs]e|spdx)", re.IGNORECASE)

SHORTEST = 250  # Characters; below this a file is an import list or empty.
LONGEST = 150_000  # Characters; above this a file is nearly always a table.
LONGEST_LINE = 300  # Characters; nobody types longer lines.
MEAN_LINE = 70  # Characters; prose, tables and minified code lie above.
DIGIT_SHARE = 0.15  # Of all characters; tables of numbers lie above.
FOREIGN_SHARE = 0.03  # Of all characters, not ASCII; word lists lie above.
SEEN_SHARE = 0.6  # Of the telling lines; above this a file is a near-duplicate of what was kept.
TELLING_LINE = 20  # Characters; shorter lines repeat everywhere.
COPIED_SHARE = 0.5  # Of the telling lines; above this a file is a copy of what is held out.
HEAD = 1_000  # Characters in which a file says that it is generated.


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One kept file of one project."""

    project: str
    path: str
    language: str
    text: str


def language_of(path: str) -> str | None:
    """The language of a path worth reading, or None for what must be skipped."""
    parts = PurePosixPath(path)
    if any(folder.lower() in SKIPPED_FOLDERS for folder in parts.parts[:-1]) or SKIPPED_NAMES.search(
        parts.name
    ):
        return None
    return SUFFIXES.get(parts.suffix)


def tidy(text: str) -> str:
    """Unix line ends, nothing invisible, and no legal header, which would be learned by heart."""
    lines = [line.rstrip() for line in text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")]
    body = "\n".join(_without_legal_header(lines)).strip("\n")
    return body + "\n"


def generated(raw: str) -> bool:
    """Whether a file, as it was found, says that a machine wrote it; tidying may drop that line."""
    return bool(GENERATED.search(raw[:HEAD]))


def another_language(text: str, language: str) -> bool:
    """Whether a C header is C++."""
    return language == "c" and bool(CPLUSPLUS.search(text))


def complaint(text: str) -> str | None:
    """Why a tidied text is not worth learning from, or None."""
    if not SHORTEST <= len(text) <= LONGEST:
        return "size"
    lines = text.split("\n")
    if LONGEST_LINE < max(map(len, lines)) or MEAN_LINE * len(lines) < len(text):
        return "long lines"
    if GENERATED.search(text[:HEAD]) or GENERATED.search(text[-200:]):
        return "generated"
    if DIGIT_SHARE * len(text) < sum(map(str.isdigit, text)):
        return "digits"
    if FOREIGN_SHARE * len(text) < len(text) - len(text.encode("ascii", "ignore")):
        return "foreign"
    return None


class Duplicates:
    """Remembers what was kept, and recognizes it when it comes again, whole or for the most part."""

    def __init__(self) -> None:
        self._texts: set[bytes] = set()
        self._lines: set[int] = set()

    def seen(self, text: str) -> bool:
        """Whether this text repeats earlier ones; if not, it is remembered."""
        digest = hashlib.blake2b("".join(text.split()).encode(), digest_size=16).digest()
        lines = telling_lines(text)
        if digest in self._texts or repeats(lines, self._lines, SEEN_SHARE):
            return True
        self._texts.add(digest)
        self._lines.update(lines)
        return False


def telling_lines(text: str) -> list[int]:
    """What a text is recognized by: its lines that are long enough to be its own."""
    stripped = (line.strip() for line in text.split("\n"))
    return [hash(line) for line in stripped if TELLING_LINE <= len(line)]


def repeats(lines: Sequence[int], known: Set[int], share: float) -> bool:
    """Whether more than this share of the telling lines is known."""
    return bool(lines) and share * len(lines) < sum(line in known for line in lines)


def _without_legal_header(lines: list[str]) -> list[str]:
    start = 0
    while start < len(lines) and (
        not lines[start] or lines[start].startswith("#!") or "coding" in lines[start][:20]
    ):
        start += 1
    end = start
    if end < len(lines) and lines[end].startswith("/*"):
        while end < len(lines) and "*/" not in lines[end]:
            end += 1
        end += 1
    else:
        while end < len(lines) and lines[end].startswith(("#", "//")):
            end += 1
    return lines[end:] if LEGAL.search("\n".join(lines[start:end])) else lines
