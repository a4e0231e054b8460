"""What the rules know about languages: comments, strings and what opens a block, as small tables."""

from __future__ import annotations

import re
from dataclasses import dataclass

OPENERS = "([{"
CLOSERS = ")]}"
CLOSER_OF = dict(zip(OPENERS, CLOSERS, strict=True))
OPENER_OF = dict(zip(CLOSERS, OPENERS, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """The lexical facts of one family of languages."""

    line_comments: tuple[str, ...] = ()
    """Each is a regular expression for what starts a comment that ends with its line."""
    block_comments: tuple[tuple[str, str], ...] = ()
    """Start and end of comments that may span lines."""
    long_quotes: tuple[str, ...] = ()
    """Quotes of strings that may span lines."""
    quotes: str = "\"'"
    """Quotes of strings that end with their line at the latest."""
    literal: str = ""
    """A regular expression for what looks like a quote or bracket and is none."""
    opens: str = r"[{(\[]$"
    """A regular expression found in a line of code (no trailing blanks) whose next line stands deeper."""
    body_after: str = "{"
    """The characters behind which a block follows, when they end a line that ``opens``."""
    by_indentation: bool = False
    """Whether indentation alone says where a block ends."""
    indents_freely: bool = False
    """Whether a line may stand deeper than the one above for reasons that no rule here knows."""

    @property
    def comment_ends(self) -> tuple[str, ...]:
        """The ends of comments that may span lines."""
        return tuple(end for _, end in self.block_comments)


_C_OPENS = r"[{(\[]$|^\s*(?:case\b.*|default\s*):$|^\s*(?:if|for|while|else\s+if)\b.*\)$|\belse$|=>$"
_PYTHON_WORDS = "def|class|if|elif|else|for|while|with|try|except|finally|match|case"
_RUST_CHARACTER = r"'(?:\\[^\n]+?|[^'\\\n])'|'\w+"

PYTHON = Language(
    line_comments=("#",),
    long_quotes=('"""', "'''"),
    opens=rf"[{{(\[]$|^\s*(?:async\s+)?(?:{_PYTHON_WORDS})\b.*:$|^\s*[)\]}}].*:$",
    body_after=":",
    by_indentation=True,
)
C_LIKE = Language(line_comments=("//",), block_comments=(("/*", "*/"),), opens=_C_OPENS)
SCRIPT = Language(line_comments=("//",), block_comments=(("/*", "*/"),), long_quotes=("`",), opens=_C_OPENS)
RUST = Language(
    line_comments=("//",),
    block_comments=(("/*", "*/"),),
    quotes='"',
    literal=_RUST_CHARACTER,
    opens=r"[{(\[]$|=>$",
)
SHELL = Language(line_comments=(r"(?<!\S)#",), opens=r"[{(]$|\b(?:then|do|else|in)$", body_after="{")
RUBY = Language(
    line_comments=("#",), opens=r"[{(\[]$|\bdo(?:\s*\|.*\|)?$|^\s*(?:def|class|module|if|unless|else)\b.*$"
)
LUA = Language(line_comments=("--",), opens=r"[{(]$|\b(?:then|do|else|repeat)$|\bfunction\b.*\)$")
SQL = Language(line_comments=("--",), block_comments=(("/*", "*/"),), opens=r"\($")
YAML = Language(
    line_comments=(r"(?<!\S)#",), opens=r":$|[\[{]$", body_after=":", by_indentation=True, indents_freely=True
)
HASH = Language(line_comments=("#",), long_quotes=('"""', "'''"))
MARKUP = Language(block_comments=(("<!--", "-->"),), quotes="", opens=r"<\w[^/]*>$", indents_freely=True)
PROSE = Language(quotes="", opens=r"(?!)", indents_freely=True)
UNKNOWN = Language(indents_freely=True)

_FAMILIES = {
    PYTHON: "python cython starlark bazel gdscript",
    C_LIKE: "c cpp objective-c objective-cpp cuda-cpp java csharp kotlin scala swift dart php groovy zig css"
    " scss less json jsonc proto3 proto glsl hlsl solidity",
    SCRIPT: "javascript javascriptreact typescript typescriptreact vue svelte go",
    RUST: "rust",
    SHELL: "shellscript sh bash zsh fish dockerfile makefile",
    RUBY: "ruby crystal elixir",
    LUA: "lua luau haskell",
    SQL: "sql plsql",
    YAML: "yaml",
    HASH: "toml ini perl r julia nix cmake terraform powershell coffeescript",
    MARKUP: "html xml",
    PROSE: "markdown plaintext text latex tex restructuredtext git-commit",
}
_BY_ID = {name: family for family, names in _FAMILIES.items() for name in names.split()}


def language_of(language_id: str) -> Language:
    """The facts for an LSP language id; an unknown one has strings and brackets, and no comments."""
    return _BY_ID.get(language_id, UNKNOWN)


def opens_block(line: str, language: Language) -> bool:
    """Whether the line after this one stands deeper; ``line`` has no trailing comment."""
    return re.search(language.opens, line.rstrip()) is not None
