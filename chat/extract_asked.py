"""Pure: a question in words -> what kind of question it is, and what it is about."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from chat.extract_concepts import concept_of
from chat.extract_phrases import (
    ALL,
    CHANGES,
    EVERYWHERE,
    HERE,
    NAME,
    PROBLEMS,
    PROJECT,
    SELECTED,
    Kind,
    phrases,
)
from chat.types import Question
from codeindex.query import ENDINGS, STOP, Form, read

LONGEST = 400  # Characters in which phrases are looked for: who writes more does not ask in a phrase.
MOST_NAMES = 6
CODE = re.compile(r"`([^`\n]{1,200})`")
WRITTEN_NAME = re.compile(rf"({NAME})(?:\(.*\))?\Z", re.DOTALL)
LIKE_CODE = re.compile(
    r"[a-z\d][A-Z]|\w_\w|^_+\w|\w(?:\.|::|#|->)\w|\(\)\Z|^[A-Z]{2,}_|[A-Z][a-z]+[A-Z]|^\$\w|[a-z]\d"
)
WORD = re.compile(rf"(?<![\w/.-]){NAME}(?:\(\))?")
PATH = re.compile(r"(?<![\w/.@:])(?:[\w.@+~-]+/)+[\w.@+-]*|(?<![\w/.@:])[\w@+-][\w.@+-]*\.[A-Za-z]\w{0,9}\b")
_PLAIN = (
    "it this that them these those here there something anything everything code function method class module"
    " file error errors bug test tests example examples main data everyone nobody one us me is are and or not"
    " dies das es esto eso ça cela это он она them project repository"
)
PLAIN_WORDS = frozenset(_PLAIN.split())
QUOTED_ERROR = re.compile(
    r"\w(?:Error|Exception|Warning|Panic)\b\s*:\s*\S|^\s*(?:error|fatal|panic)\b.*:|error\[?E\d+|panicked at"
    r"|\bE\d{4}\b|Traceback",
    re.IGNORECASE,
)
GRAPH = (Kind.CALLERS, Kind.CALLEES, Kind.USES, Kind.BELOW, Kind.TESTS)
DOTTED_ERROR = re.compile(r"\s*(?:[a-z_]\w*\.)+[A-Z]\w+: \S")
SOMEWHERE = re.compile(
    r"\s+(?:in|inside|within|of|from)\s+(?:the\s+)?[\w./:@-]+(?:\s+(?:module|package|folder|file))?$"
)
"""Where something is asked about: "who calls parse in src/api"."""
SHORT = 12  # Words of a question that is about the path in it.
ABBREVIATIONS = frozenset({"e.g", "i.e", "etc", "vs", "a.k.a"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question, read."""

    kind: Kind
    names: tuple[str, ...] = ()
    """What may be names of code, the likeliest first."""
    is_named: bool = False
    """Whether the first is written as only code is: then it is said if it is not there."""
    paths: tuple[str, ...] = ()
    """Files and folders that are named."""
    is_selected: bool = False
    """Whether it is about what is selected, or where the cursor is."""
    text: str = ""


def asked(question: Question) -> Asked:
    """Read a question. Raises nothing, whatever the text."""
    text = " ".join(question.text[: 10 * LONGEST].split())
    mentioned = [it.value for it in question.mentions if it.kind == "symbol" and it.value]
    paths = [it.value for it in question.mentions if it.kind in ("file", "folder") and it.value]
    kinds: set[str] = {it.kind for it in question.mentions}
    if "selection" in kinds or (question.selection is not None and not text):
        return Asked(kind=Kind.WHAT, is_selected=True, text=text)
    paths += [it.strip("./") or it for it in PATH.findall(text) if _is_path(it)]
    coded = [found[1] for it in CODE.findall(text) if (found := WRITTEN_NAME.match(it.strip()))]
    likely = [it.removesuffix("()") for it in WORD.findall(text) if LIKE_CODE.search(it)]
    likely = [it for it in likely if it.lower() not in ABBREVIATIONS and it not in paths]
    kind, named = _phrase(text)
    names = [*mentioned, *([named] if named else []), *coded, *likely]
    names = [it for it in dict.fromkeys(names) if it not in paths or "/" not in it]
    is_named = bool(names) and (names[0] in (*mentioned, *coded, *likely))
    one = Asked(
        kind=kind,
        names=tuple(names[:MOST_NAMES]),
        is_named=is_named,
        paths=tuple(dict.fromkeys(paths)),
        text=text,
    )
    return _judged(question, one, kinds)


def _judged(question: Question, it: Asked, mentions: set[str]) -> Asked:
    """The kind, from what is asked for beside the words."""
    kind = _plainly(question, it, mentions)
    if kind is not None:
        return replace(it, kind=kind)
    if it.kind in GRAPH and it.names:
        return it
    is_short = len(it.text.split()) <= SHORT
    if EVERYWHERE.search(it.text) and is_short and not it.is_named and concept_of(it.text) is not None:
        return replace(it, kind=Kind.ALL)
    if ALL.search(it.text):
        return replace(it, kind=Kind.ALL)
    if HERE.search(it.text) and not it.is_named:
        return replace(it, kind=Kind.FILE)
    return it if it.kind is not Kind.SEARCH else _unsaid(question, it)


def _plainly(question: Question, it: Asked, mentions: set[str]) -> Kind | None:
    """The kinds that are told by more than a phrase; None for none of them."""
    text, task = it.text, question.task
    is_bare = not it.is_named and not it.paths and it.kind in (Kind.WHAT, Kind.SEARCH)
    is_error = read(question.text).form is Form.ERROR and _is_error(question.text)
    if is_error or DOTTED_ERROR.match(question.text):
        return Kind.ERROR
    if "problems" in mentions or PROBLEMS.search(text):
        return Kind.PROBLEMS
    if "diff" in mentions or (CHANGES.search(text) and not it.names):
        return Kind.CHANGES
    if task == "architecture" or (is_bare and PROJECT.search(text)):
        return Kind.PROJECT
    if task in ("review", "summarize") and not it.names and (question.path or it.paths):
        return Kind.FILE
    return None


def _unsaid(question: Question, it: Asked) -> Asked:
    """Where no phrase fits: what is selected, a path alone, a name alone."""
    words = len(it.text.split())
    is_about_it = question.task != "ask" or SELECTED.search(it.text)
    if question.selection is not None and is_about_it and not it.is_named:
        return Asked(kind=Kind.WHAT, is_selected=True, text=it.text)
    if it.paths and words <= SHORT and not it.names:
        return replace(it, kind=Kind.FILE)
    if it.is_named and (words <= 2 or question.task != "ask"):
        return replace(it, kind=Kind.WHAT)
    return it


def _phrase(text: str) -> tuple[Kind, str]:
    """The first phrase that fits, and the name in it."""
    short = text[:LONGEST].rstrip(" ?!.。？！;:¿¡").lstrip("¿¡ ")
    for asked_ in dict.fromkeys((short, SOMEWHERE.sub("", short))):
        for kind, phrase in phrases():
            found = phrase.search(asked_)
            if found is not None:
                name = found["name"]
                is_word = name.lower() in STOP and not LIKE_CODE.search(name) and kind not in GRAPH
                if name.lower() not in PLAIN_WORDS and not is_word:
                    return kind, name
    return Kind.SEARCH, ""


def _is_path(text: str) -> bool:
    """Whether what looks like a path is one: `src/a.py`, `walk.py`; not `foo.bar`, `and/or`."""
    last = text.rstrip("/").rpartition("/")[2]
    ending = last.rpartition(".")[2].lower() if "." in last else ""
    folders = text.rstrip("/").split("/")
    return ending in ENDINGS or text.endswith("/") or (1 < len(folders) and 3 < len(folders[0]))


def _is_error(text: str) -> bool:
    """Whether an error is quoted, and not merely named: with what it says, or with its stack."""
    return "\n" in text.strip() or text.strip()[:1] in "\"'" or QUOTED_ERROR.search(text) is not None
