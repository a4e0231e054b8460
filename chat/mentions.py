"""Pure: what a question names with an ``@``: files, folders, symbols, what is selected, changed or wrong.

Written as people write it: ``@src/a.py``, ``@src/a.py:10-20``, ``@file:a.py``, ``@file a.py``,
``@folder src``, ``@symbol:Cart.total``, ``@Cart``, ``@codebase``, ``@diff``, ``@problems``, ``@selection``,
``@docs``; and as other assistants have it: ``@workspace``, ``#file:a.py``, ``#sym:Cart``, ``#changes``.
Addresses, decorators and scopes of packages are none, nor is anything in quoted code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from chat.mentions_words import DECORATORS, SCOPES
from chat.types import Mention, MentionKind
from codeindex.query import ENDINGS, STOP

KINDS: dict[str, MentionKind] = {
    **dict.fromkeys(("codebase", "code", "repo", "repository", "workspace", "project"), "codebase"),
    **dict.fromkeys(("file", "this", "current", "open"), "file"),
    **dict.fromkeys(("folder", "dir", "directory"), "folder"),
    **dict.fromkeys(("symbol", "sym", "function", "class"), "symbol"),
    **dict.fromkeys(("selection", "selected", "sel"), "selection"),
    **dict.fromkeys(("diff", "changes", "git", "staged"), "diff"),
    **dict.fromkeys(("problems", "problem", "diagnostics", "errors"), "problems"),
    **dict.fromkeys(("docs", "doc", "document", "documentation"), "docs"),
}
"""What may stand behind the mark, in any case."""
SHOWN = ("@codebase", "@file:", "@folder:", "@symbol:", "@selection", "@diff", "@problems", "@docs:")
"""What is suggested, in this order."""
TAKES: frozenset[MentionKind] = frozenset({"file", "folder", "symbol", "docs"})
"""Kinds that something follows; ``@file`` alone is the file that is open."""
BEHIND_HASH = frozenset(
    {"codebase", "file", "folder", "sym", "symbol", "selection", "changes", "diff", "problems", "docs"}
)

_CODE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]*`", re.DOTALL)
_MARK = re.compile(r"(?<![\w@#./\\:=$&+-])[@#](?=[\w./~\"'\\])")
_LINES = r"(?:(?::|#L)\d+(?:(?:-|-L|:|,)\d+)?)?"
_QUOTED = re.compile(r"\"([^\"\n]+)\"|'([^'\n]+)'|`([^`\n]+)`")
_PATH = re.compile(
    r"(?:file:)?(?://)?(?:~?/|\.{1,2}/|[A-Za-z]:[\\/])?[\w.@+%()\[\]$~-]+(?:[/\\][\w.@+%()\[\]$~-]+)*[/\\]?"
    + _LINES
)
_NAME = re.compile(r"#?[^\W\d][\w$]*(?:(?:\.|::|#)[^\W\d][\w$]*)*")
_WORD = re.compile(r"[A-Za-z-]+")
_ENDS = re.compile(r"(?:(?::|#L)(?P<first>\d+)(?:(?:-L?|:|,)(?P<last>\d+))?)?\Z")
_SCOPED = re.compile(r"[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*")


def read(text: str) -> tuple[str, tuple[Mention, ...]]:
    """The question without the marks, and what they name, in order; places are of the text as given."""
    hidden = [it.span() for it in _CODE.finditer(text)]
    found: list[Mention] = []
    parts: list[str] = []
    at = 0
    for mark in _MARK.finditer(text):
        start = mark.start()
        if start < at or any(first <= start < last for first, last in hidden):
            continue
        mention = _at(text, start)
        if mention is None:
            continue
        found.append(mention)
        before = text[at:start]
        parts += [before, spoken(mention)]
        at = mention.end
    parts.append(text[at:])
    return _tidy("".join(parts)) if found else text, tuple(found)


def spoken(mention: Mention) -> str:
    """What of a mention stays in the question: the name, as that is what the question is about."""
    if mention.value:
        return lines_in(mention.value)[0]
    return {"selection": "the selection", "diff": "the changes", "problems": "the problems"}.get(
        mention.kind, ""
    )


def lines_in(value: str) -> tuple[str, int, int]:
    """A path without its lines, and these: ``a.py:3-9`` and ``a.py#L3-L9``; 0 and 0 for none."""
    ends = _ENDS.search(value)
    if ends is None or not ends["first"] or not ends.start():
        return value, 0, 0
    first = int(ends["first"])
    return value[: ends.start()], first, max(first, int(ends["last"] or first))


def suggest(prefix: str, files: Sequence[str], symbols: Sequence[str], *, limit: int = 20) -> tuple[str, ...]:
    """What may be meant by a word that begins with ``@``, the likeliest first; nothing for other words."""
    if not prefix.startswith("@"):
        return ()
    kind, colon, rest = prefix[1:].partition(":")
    wanted: MentionKind | None = KINDS.get(kind.lower()) if colon else None
    typed = (rest if wanted else prefix[1:]).lower()
    found: list[str] = []
    if not wanted:
        found += [it for it in SHOWN if it[1:].startswith(typed)]
    if wanted in (None, "file", "docs"):
        paths = [it for it in files if wanted != "docs" or it.lower().endswith(DOCUMENTS)]
        head = f"@{kind}:" if wanted else "@"
        found += [head + _quoted(it) for it in _fitting(typed, paths)]
    if wanted in (None, "folder"):
        head = "@folder:" if wanted else "@"
        found += [head + _quoted(it) for it in _fitting(typed, sorted(_folders(files)))]
    if wanted in (None, "symbol"):
        head = "@symbol:" if wanted else "@"
        found += [head + it for it in _fitting(typed, symbols)]
    return tuple(dict.fromkeys(found))[:limit]


DOCUMENTS = (".md", ".markdown", ".mdx", ".rst", ".txt", ".adoc", ".org", ".pdf", ".docx")
"""How the names of documents end."""


def _at(text: str, start: int) -> Mention | None:
    """The mention that a mark begins, if it is one."""
    word = _WORD.match(text, start + 1)
    kind = KINDS.get(word[0].lower()) if word else None
    end = word.end() if word else start + 1
    if kind is not None and (_is_stop(text, end) or not re.match(r"[\w./\\(-]", text[end : end + 1] or " ")):
        return _of_kind(text, start, end, kind) if _may_be(text[start], word) else None
    return _bare(text, start) if text[start] == "@" else None


def _is_stop(text: str, end: int) -> bool:
    """Whether the dot there ends a sentence, as in ``the @diff.``, and no name."""
    return text[end : end + 1] == "." and not re.match(r"\.[\w/]", text[end:])


def _may_be(mark: str, word: re.Match[str] | None) -> bool:
    return mark == "@" or (word is not None and word[0].lower() in BEHIND_HASH)


def _of_kind(text: str, start: int, end: int, kind: MentionKind) -> Mention:
    if kind not in TAKES:
        return Mention(kind=kind, start=start, end=end)
    has_colon = text[end : end + 1] == ":"
    is_named = text[start + 1 : end].lower() not in ("this", "current", "open")
    gap = re.compile(r":[ \t]?" if has_colon else r"[ \t]+").match(text, end)
    if gap is None or not is_named:
        return Mention(kind=kind, start=start, end=end)
    quoted = _QUOTED.match(text, gap.end())
    if quoted:
        value = next(filter(None, quoted.groups()))
        return Mention(kind=kind, value=_path(value), start=start, end=quoted.end())
    pattern = _NAME if kind == "symbol" else _PATH
    match = pattern.match(text, gap.end())
    value = _trimmed(match[0]) if match else ""
    if not value or (not has_colon and not _is_meant(kind, value)):
        return Mention(kind=kind, start=start, end=end)
    value_end = gap.end() + len(value)
    return Mention(
        kind=kind, value=value.lstrip("#") if kind == "symbol" else _path(value), start=start, end=value_end
    )


def _is_meant(kind: MentionKind, word: str) -> bool:
    """Whether the word behind a blank is what is meant, and not how the sentence goes on."""
    if kind in ("file", "docs"):
        return _looks_like_path(word)
    return word.lower() not in STOP


def _bare(text: str, start: int) -> Mention | None:
    """``@src/a.py``, ``@src/``, ``@Name``, ``@"a b.py"``."""
    quoted = _QUOTED.match(text, start + 1)
    if quoted:
        value = next(filter(None, quoted.groups()))
        return (
            Mention(kind="file", value=_path(value), start=start, end=quoted.end()) if "." in value else None
        )
    match = _PATH.match(text, start + 1)
    value = _trimmed(match[0]) if match else ""
    if value and _looks_like_path(value):
        end = start + 1 + len(value)
        if _SCOPED.fullmatch(value) and (value.split("/")[0] in SCOPES or _in_quotes(text, start)):
            return None
        if value.endswith(("/", "\\")) or not _has_ending(value):
            return Mention(kind="folder", value=_path(value), start=start, end=end)
        return Mention(kind="file", value=_path(value), start=start, end=end)
    name = _NAME.match(text, start + 1)
    if (
        name is None
        or text[name.end() : name.end() + 1] in ("(", "/", "-", "@", "=")
        or _in_quotes(text, start)
    ):
        return None
    if name[0] in DECORATORS or name[0].split(".")[0] in DECORATORS or len(name[0]) < 2:
        return None
    return Mention(kind="symbol", value=name[0].lstrip("#"), start=start, end=name.end())


def _in_quotes(text: str, start: int) -> bool:
    return text[start - 1 : start] in ("'", '"') if start else False


def _trimmed(value: str) -> str:
    """Without the punctuation of the sentence behind it."""
    value = re.sub(r"[.,;:!?]+\Z", "", value)
    for opening, closing in ("()", "[]"):
        while value.endswith(closing) and value.count(opening) < value.count(closing):
            value = value[:-1]
    return re.sub(r"[.,;:!?]+\Z", "", value)


def _looks_like_path(value: str) -> bool:
    return "/" in value or "\\" in value or _has_ending(value)


def _has_ending(value: str) -> bool:
    bare = lines_in(value)[0].replace("\\", "/").rpartition("/")[2]
    stem, dot, ending = bare.rpartition(".")
    return bool(dot) and (ending.lower() in _ALL_ENDINGS or (not stem and bool(ending)))


_ALL_ENDINGS = ENDINGS | {it.removeprefix(".") for it in DOCUMENTS}


def _path(value: str) -> str:
    """With slashes, and without what says that it is from here."""
    value = value.replace("\\", "/").removeprefix("./")
    return value if value == "/" else value.rstrip("/") or value


def _tidy(text: str) -> str:
    """Without the blanks that mentions have left behind."""
    text = re.sub(r"(?<=\S)[ \t]{2,}(?=\S)", " ", text)
    return re.sub(r"[ \t]+([,.;:!?])", r"\1", text).strip()


def _fitting(typed: str, names: Iterable[str]) -> Iterator[str]:
    """Names that begin so, then those of which a part begins so, then those that contain it."""
    known = list(names)
    ranks = [_rank(typed, it.lower()) for it in known]
    for rank in range(3):
        yield from (it for it, own in zip(known, ranks, strict=True) if own == rank)


def _rank(typed: str, name: str) -> int:
    last = name.rpartition("/")[2].rpartition(".")[2] if "/" not in name else name.rpartition("/")[2]
    if name.startswith(typed) or last.startswith(typed):
        return 0
    if any(it.startswith(typed) for it in re.split(r"[/._-]", name)):
        return 1
    return 2 if typed in name else 3


def _folders(files: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for path in files:
        folder = path.rpartition("/")[0]
        while folder and f"{folder}/" not in found:
            found.add(f"{folder}/")
            folder = folder.rpartition("/")[0]
    return found


def _quoted(path: str) -> str:
    return f'"{path}"' if re.search(r"\s", path) else path
