"""Pure: the shapes of definitions in languages without a parser at hand, from their heads and brackets."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

from chat.edits_indent import indent_of
from chat.edits_lexical import Scan, family, scan
from chat.edits_units import is_decorator
from chat.shape import Parameter, Shape, What
from chat.shape_bodies import body as read_body
from chat.shape_parameters import parameters, split
from codeindex.types import Kind, SymbolRow

CALLABLE = frozenset({Kind.FUNCTION, Kind.METHOD})
HOLDERS = frozenset({Kind.CLASS, Kind.ENUM, Kind.INTERFACE, Kind.TYPE})
LONGEST_HEAD = 4000  # characters
_COMMENTS = re.compile(r"//[^\n]*|/\*(?s:.*?)\*/")
_MODIFIER_WORDS = (
    "public private protected internal static final abstract async export default const let var function def"
    " fun func fn override virtual sealed open suspend inline extern unsafe synchronized native pub readonly"
    " partial declare get set operator infix tailrec explicit constexpr friend noexcept mutable new type auto"
)
_MODIFIERS = frozenset(_MODIFIER_WORDS.split())
_NEVER_TYPE = frozenset({"return", "else", "new", "throw"})
_PUBLIC = re.compile(r"(?:^|\s)(?:export|pub(?:\([^)]*\))?|public)\b")
_TYPE_FIRST = frozenset({"java", "csharp", "c", "cpp", "objective-c", "cuda-cpp", "groovy", "dart"})
_RECEIVER = re.compile(r"\(\s*((?:\w+\s+)?\*?\w+(?:\[[^\]]*\])?)\s*\)\s*$")


@lru_cache(8)
def seen(text: str, language: str) -> Scan:
    """A text as a lexer sees it; kept for the next question about the same text."""
    return scan(text, language)


def shape(text: str, language: str, row: SymbolRow) -> Shape | None:
    """The definition of a row of the index, as it stands in this text; None if it does not stand there.

    Lines end in a line feed.
    """
    found = seen(text, language)
    if not 0 < row.line <= len(found.starts):
        return None
    at = found.starts[row.line - 1] + row.column
    if not text.startswith(row.name, at):
        return None
    if row.kind not in CALLABLE | HOLDERS:
        return None
    lead, start = _lead(text, language, found, row)
    lines = text.split("\n")
    before = text[found.starts[start] : at]
    kind: What = "function" if row.kind is Kind.FUNCTION else "method" if row.kind is Kind.METHOD else "class"
    shape_ = Shape(
        name=row.name,
        what=kind,
        language=language,
        scope=tuple(filter(None, row.scope.split("."))),
        lead=lead,
        first=start,
        header=row.line - 1,
        last=row.last_line - 1,
        indent=indent_of(lines[start]),
        is_exported=bool(_PUBLIC.search(before)) or (language == "go" and row.name[:1].isupper()),
    )
    if kind == "class":
        is_abstract = row.kind is Kind.INTERFACE or "abstract" in before.split()
        return replace(shape_, is_abstract=is_abstract, **_holder(text, at + len(row.name), found, language))
    head = _head(text, language, at, len(row.name), found, before, row)
    return replace(shape_, **head) if head is not None else None


def _lead(text: str, language: str, found: Scan, row: SymbolRow) -> tuple[int, int]:
    """The first decorator of a definition, and the line on which its head begins."""
    lines = text.split("\n")
    first = min(row.first_line, row.line) - 1
    while first < row.line - 1 and not _blank_line(found, first).strip():
        first += 1  # comments
    start = first
    while start < row.line - 1 and _is_set(lines[start], language):
        start += 1
        while start < row.line - 1 and found.curly[start] < found.inside[start]:
            start += 1  # within the brackets of a decorator
    while start < row.line - 1 and not _blank_line(found, start).strip():
        start += 1
    return first, start


def _is_set(line: str, language: str) -> bool:
    """Whether a line is a decorator and no more; ``[Fact] public void F()`` is more."""
    if language == "php":
        return line.strip().startswith("#[")
    if language == "cpp" and line.strip().startswith("template"):
        return False
    return is_decorator(line, language) and not re.search(r"\)\s*\{|\b(?:fun|class|void|function)\b", line)


def _blank_line(found: Scan, line: int) -> str:
    end = found.starts[line + 1] if line + 1 < len(found.starts) else len(found.blank)
    return found.blank[found.starts[line] : end]


def _head(
    text: str, language: str, at: int, length: int, found: Scan, before: str, row: SymbolRow
) -> dict[str, Any] | None:
    """What the head of a function says."""
    blank = found.blank
    end_of_all = found.starts[row.last_line] if row.last_line < len(found.starts) else len(text)
    end_of_all = min(end_of_all, at + LONGEST_HEAD * 50)
    types, here = _type_parameters(text, at + length, found)
    opens = _parameters_at(blank, here, end_of_all, language)
    words = set(re.findall(r"\w+", before))
    if opens is None:
        if family(language) == "ruby":
            return _without_brackets(text, language, here, found, end_of_all, row)
        arrow = re.compile(r"[^=;\n]*=\s*(?:async\s+)?(\w+)\s*=>").match(blank, here)
        if not arrow:
            return None
        made: tuple[Parameter, ...] = (Parameter(name=arrow[1]),)
        closes, is_async = arrow.end() - 2, "async" in arrow.group()
    else:
        if opens not in found.pairs:
            return None
        between = blank[here:opens]
        closes = found.pairs[opens] + 1
        is_async = "async" in words or "suspend" in words or bool(re.search(r"\basync\b", between))
        inner = _COMMENTS.sub("", text[opens + 1 : closes - 1])
        made = parameters(inner, language)
        if not types:
            types = _types_before(before)
    receivers = [it for it in made if it.kind == "plain" and it.name in ("self", "this")]
    made = tuple(it for it in made if it not in receivers)
    stop, brace = _body_at(blank, closes, end_of_all, found, language)
    after = text[closes:stop]
    returns, throws = _returns(before, after, language)
    receiver = receivers[0].type or receivers[0].name if receivers else ""
    if language == "go" and (owner := _RECEIVER.search(before)):
        receiver = owner[1]
    whole = _body_span(blank, stop, brace, found, language, end_of_all)
    inner_body = read_body(text, found, *whole, language) if whole else None
    lines = text.count("\n", 0, max(closes - 1, stop if brace is None else brace))
    return {
        "parameters": made,
        "type_parameters": types,
        "returns": returns,
        "throws": throws,
        "receiver": receiver,
        "header": min(lines, row.last_line - 1),
        "body": inner_body,
        "is_async": is_async,
        "is_static": "static" in words or (language == "rust" and not receivers and bool(row.scope)),
        "is_property": family(language) == "javascript" and "get" in words,
        "is_abstract": "abstract" in words,
        "is_constructor": _is_constructor(row, language),
    }


def _is_constructor(row: SymbolRow, language: str) -> bool:
    owner = row.scope.rpartition(".")[2]
    if family(language) == "javascript":
        return row.name in ("constructor", "__construct")
    return row.name in ("initialize", "__construct", "init") or (row.name == owner and language != "go")


def _type_parameters(text: str, at: int, found: Scan) -> tuple[tuple[str, ...], int]:
    """`<T, U extends V>` or `[T any]` behind a name, and where they end."""
    here = at + len(text[at : at + 20]) - len(text[at : at + 20].lstrip())
    if text[here : here + 1] == "<":
        depth, end = 0, here
        for end in range(here, min(here + 500, len(text))):
            mark = found.blank[end]
            depth += (mark == "<") - (mark == ">" and found.blank[end - 1] not in "=-")
            if not depth:
                break
        return _names_of_types(text[here + 1 : end]), end + 1
    if text[here : here + 1] == "[" and here in found.pairs:
        end = found.pairs[here]
        return _names_of_types(text[here + 1 : end]), end + 1
    return (), at


def _types_before(before: str) -> tuple[str, ...]:
    """`public <T> List<T>` of Java, `template <typename T>` of C++."""
    given = re.search(r"(?:^|\s)(?:template\s*)?<([^<>()]*(?:<[^<>]*>[^<>()]*)*)>\s", before)
    return _names_of_types(given[1]) if given and "operator" not in before else ()


def _names_of_types(inner: str) -> tuple[str, ...]:
    found = []
    for it in split(inner):
        words = re.findall(r"\w+", it.partition("=")[0].partition(":")[0].partition("extends")[0])
        words = [one for one in words if one not in ("typename", "class", "in", "out", "const", "reified")]
        if words and not it.lstrip().startswith("'"):
            found.append(words[0])
    return tuple(found)


def _parameters_at(blank: str, here: int, end: int, language: str) -> int | None:
    """Where the bracket of the parameters opens."""
    if family(language) == "ruby":
        opened = re.compile(r"[ \t]*\(").match(blank, here, end)
    else:
        opened = re.compile(
            r"\s*[?!]?\s*(?::[^=;]{0,400}?)?(?:[=:]\s*(?:async\s+)?(?:function\s*\*?\s*\w*\s*)?(?:<[^()]*>\s*)?)?\("
        ).match(blank, here, end)
        if not opened:
            opened = re.compile(r"\s*\(").match(blank, here, end)
    return opened.end() - 1 if opened else None


def _without_brackets(
    text: str, language: str, here: int, found: Scan, end: int, row: SymbolRow
) -> dict[str, Any]:
    """A method of Ruby whose parameters stand without brackets, or that has none."""
    stop = text.find("\n", here, end)
    stop = end if stop < 0 else stop
    inner = found.blank[here:stop].split(";")[0]
    made = parameters(text[here : here + len(inner)].split("#")[0], language)
    lines = text.count("\n", 0, here)
    body = read_body(text, found, stop, _end_of_ruby(found, end), language)
    return {
        "parameters": made,
        "header": lines,
        "body": body,
        "is_constructor": row.name == "initialize",
        "is_static": found.blank[found.starts[lines] : here].strip().startswith("def self."),
    }


def _end_of_ruby(found: Scan, end: int) -> int:
    return max(0, found.blank.rfind("end", 0, end))


def _body_at(blank: str, at: int, end: int, found: Scan, language: str) -> tuple[int, int | None]:
    """Where the head ends, and where the bracket of the body opens, if it has one."""
    if family(language) == "ruby":
        stop = blank.find("\n", at, end)
        return (end if stop < 0 else stop), None
    here = at
    pattern = re.compile(r"=>|[{(;\[]|=(?![=>])|\n\s*\n")
    while hit := pattern.search(blank, here, end):
        mark, start = hit.group(), hit.start()
        if mark == "{":
            ahead = blank[at:start].rstrip()
            if ahead.endswith((":", "|", "&", "<", ",")) or re.search(r"\b(?:interface|struct)$", ahead):
                here = found.pairs.get(start, start) + 1
                continue
            return start, start
        if mark in "([":
            here = found.pairs.get(start, start) + 1
            continue
        if mark == "=>" and language in ("typescript", "typescriptreact") and _is_type(blank[at:start]):
            here = hit.end()
            continue
        if mark in ("=>", "="):
            rest = re.compile(r"\s*\{").match(blank, hit.end(), end)
            return start, rest.end() - 1 if rest else start
        return start, None
    return end, None


def _is_type(between: str) -> bool:
    """Whether an arrow belongs to the type of what is returned: ``(): (a: A) => B => …``."""
    return bool(re.match(r"\s*:\s*\(", between)) and "=>" not in between


def _body_span(
    blank: str, stop: int, brace: int | None, found: Scan, language: str, end: int
) -> tuple[int, int] | None:
    if family(language) == "ruby":
        return stop, _end_of_ruby(found, end)
    if brace is None:
        return None
    if blank[brace] == "{" and brace in found.pairs:
        return brace + 1, found.pairs[brace]
    return brace, end  # an expression


def _returns(before: str, after: str, language: str) -> tuple[str, tuple[str, ...]]:
    """What is returned and thrown, as it is declared."""
    flat = " ".join(_COMMENTS.sub("", after).split())
    throws: tuple[str, ...] = ()
    if said := re.search(r"\bthrows?\s+([\w.,\s]+)$", flat):
        throws = tuple(it.strip() for it in said[1].split(",") if it.strip())
    if language in _TYPE_FIRST:
        if trailing := re.search(r"->\s*(.+)$", flat):
            return trailing[1].strip(), throws
        return _type_before(before), throws
    if language == "go":
        return flat.strip(), throws
    if language in ("rust", "swift"):
        given = re.search(r"->\s*(.+?)(?:\s+where\b.*)?$", flat)
        return (given[1] if given else "()" if language == "rust" else ""), throws
    given = re.match(r":\s*(.+?)(?:\s*=>?)?$", flat)
    return (given[1].strip() if given else ""), throws


def _type_before(before: str) -> str:
    """`public static List<T>` is List<T>; nothing for a constructor."""
    flat = " ".join(_COMMENTS.sub("", before).split())
    flat = re.sub(r"(?:@\w+(?:\([^)]*\))?|\[[A-Z]\w*(?:\([^)]*\))?\])\s*", "", flat)
    flat = re.sub(r"^.*?template\s*<[^{]*?>\s(?=[\w:])", "", flat)
    flat = re.sub(r"(?:[\w]+::)+$", "", flat)  # the class that a method of C++ belongs to
    words = flat.split(" ")
    while words and (words[0] in _MODIFIERS or (words[0].startswith("<") and words[0].endswith(">"))):
        words.pop(0)
    if words and words[0].startswith("<"):  # <T extends A>
        flat = re.sub(r"^<(?:[^<>]|<[^<>]*>)*>\s*", "", " ".join(words))
        words = flat.split(" ")
    found = " ".join(
        it for it in words if it not in ("inline", "static", "virtual", "final", "extern")
    ).strip()
    return "" if found in _NEVER_TYPE else found


def _holder(text: str, at: int, found: Scan, language: str) -> dict[str, Any]:
    """What the head of a class says."""
    types, here = ((), at) if family(language) == "ruby" else _type_parameters(text, at, found)
    opens = re.compile(r"\s*(?:\w+\s*)?\(").match(found.blank, here)
    made: tuple[Parameter, ...] = ()
    if opens and language in ("kotlin", "scala", "csharp") and opens.end() - 1 in found.pairs:
        made = parameters(text[opens.end() : found.pairs[opens.end() - 1]], language)
    if language == "java" and opens and "record" in text[max(0, at - 80) : at]:
        made = parameters(text[opens.end() : found.pairs.get(opens.end() - 1, opens.end())], language)
    return {"type_parameters": types, "parameters": made}
