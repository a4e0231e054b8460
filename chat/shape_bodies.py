"""Pure: what is seen in a body in languages without a parser at hand: returns, raises, branches."""

from __future__ import annotations

import re
from collections.abc import Iterator

from chat.edits_lexical import Scan, family
from chat.shape import Body, Branch, Raised

_INNER = re.compile(r"=>\s*\{|\bfunction\b[^{;]*\{|\bfunc\s*\([^{]*\{|(?<![\w)])\|[^|\n]*\|\s*\{")
_RETURN = re.compile(r"\breturn\b[ \t]*(?P<what>[^\n]*)")
_THROWS = {
    "javascript": r"\bthrow\s+(?:new\s+)?(?P<name>[A-Z][\w.]*)",
    "java": r"\bthrow\s+(?:new\s+)?(?P<name>[A-Z][\w.]*)",
    "c": r"\bthrow\s+(?P<name>(?:\w+::)*\w+)\s*[({]",
    "ruby": r"\braise\s+(?P<name>[A-Z][\w:]*)",
    "php": r"\bthrow\s+new\s+\\?(?P<name>[\w\\]+)",
}
_PANICS = re.compile(
    r"\b(?:panic|unreachable|unimplemented|todo|assert|assert_eq|assert_ne)!|\.(?:unwrap|expect)\("
)
_GO_PANICS = re.compile(r"\bpanic\(")
_DECIDES = re.compile(
    r"\b(?:if|elsif|elif|unless|for|foreach|while|until|case|when|catch|rescue|match)\b|&&|\|\||\?(?![.?:])\s"
)
_LOOPS = re.compile(r"\b(?:for|foreach|while|until|loop|each)\b")
_IF = re.compile(r"\b(?:if|elsif|unless)\b\s*")
LONGEST_CONDITION = 120


def body(text: str, seen: Scan, start: int, end: int, language: str) -> Body:
    """What is seen between two offsets, without the functions in it."""
    blank = _without_inner(seen, start, end)
    kind = "php" if language == "php" else family(language)
    is_expression = seen.blank[start : start + 2] == "=>" or seen.blank[start : start + 1] == "="
    gives = is_expression or any(it["what"].strip(" ;})") for it in _RETURN.finditer(blank))
    if language in ("rust", "ruby", "scala"):
        gives = gives or _ends_with_a_value(blank)
    raises = tuple(_raises(text, seen, blank, start, kind, language))
    return Body(
        gives=gives,
        yields=bool(re.search(r"\byield\b", blank)) and kind in ("javascript", "java", "php"),
        raises=raises,
        branches=tuple(_branches(text, seen, blank, start, end, kind)),
        decisions=len(_DECIDES.findall(blank)),
        loops=len(_LOOPS.findall(blank)),
        depth=_depth(blank, kind),
    )


def _without_inner(seen: Scan, start: int, end: int) -> str:
    """The code of a body, with blanks in the place of strings, comments and the bodies of inner functions."""
    blank = seen.blank[start:end]
    at = 0
    while hit := _INNER.search(blank, at):
        at = hit.end()
        closes = seen.pairs.get(start + hit.end() - 1)
        if closes is not None and closes < end and hit.start():
            inner = blank[hit.end() : closes - start]
            blank = blank[: hit.end()] + re.sub(r"[^\n]", " ", inner) + blank[closes - start :]
    return blank


def _ends_with_a_value(blank: str) -> bool:
    last = blank.rstrip()[-1:]
    return bool(last) and last not in ";"


def _line(seen: Scan, at: int) -> int:
    return seen.blank.count("\n", 0, at) + 1


def _raises(text: str, seen: Scan, blank: str, start: int, kind: str, language: str) -> Iterator[Raised]:
    if language in ("rust", "go"):
        hit = (_PANICS if language == "rust" else _GO_PANICS).search(blank)
        if hit:
            yield Raised(name="panic", line=_line(seen, start + hit.start()))
        return
    pattern = _THROWS.get(kind)
    known: set[str] = set()
    for hit in re.finditer(pattern, blank) if pattern else ():
        name = hit["name"].replace("::", "::").strip("\\")
        if name not in known:
            known.add(name)
            yield Raised(name=name, line=_line(seen, start + hit.start()))
    if (
        kind == "ruby"
        and (plain := re.search(r"\braise[ \t]+(?=[ \t]|$|\n)", blank))
        and "RuntimeError" not in known
    ):
        rest = text[start + plain.start() : start + plain.end() + 2]
        if re.search(r"raise\s+[\"']", rest):
            yield Raised(name="RuntimeError", line=_line(seen, start + plain.start()))


def _branches(text: str, seen: Scan, blank: str, start: int, end: int, kind: str) -> Iterator[Branch]:
    """Ifs whose block ends in a return or a throw."""
    for hit in _IF.finditer(blank):
        at = hit.end()
        if kind == "ruby":
            yield from _ruby_branch(text, seen, blank, start, hit)
            continue
        opens = start + at
        if seen.blank[opens : opens + 1] == "(":
            closes = seen.pairs.get(opens)
            if closes is None or end < closes:
                continue
            condition, behind = text[opens + 1 : closes], closes + 1
        else:  # Go, Rust, Swift: up to the bracket of the block
            brace = blank.find("{", at)
            if brace < 0:
                continue
            condition, behind = text[opens : start + brace], start + brace
        yield from _ending(text, seen, condition, behind, end, kind)


def _ending(text: str, seen: Scan, condition: str, behind: int, end: int, kind: str) -> Iterator[Branch]:
    condition = " ".join(condition.split())
    block = re.compile(r"\s*\{").match(seen.blank, behind, end)
    if block:
        closes = seen.pairs.get(block.end() - 1)
        if closes is None:
            return
        inner = (block.end(), closes)
    else:
        stop = seen.blank.find("\n", behind, end)
        first = re.compile(r"\s*").match(seen.blank, behind)
        if first and "\n" in first.group():
            stop = seen.blank.find("\n", first.end(), end)
        inner = (behind, end if stop < 0 else stop)
    last = [it for it in re.finditer(r"[^;\n]+", seen.blank[inner[0] : inner[1]]) if it.group().strip()]
    if not last or LONGEST_CONDITION < len(condition):
        return
    at = inner[0] + last[-1].start()
    said = text[at : inner[0] + last[-1].end()].strip()
    line = _line(seen, behind)
    if pattern := _THROWS.get(kind):
        thrown = list(re.finditer(pattern, seen.blank[inner[0] : inner[1]]))
        if thrown and re.search(r"\b(?:throw|raise)\b", seen.blank[inner[0] : inner[1]]):
            yield Branch(condition=condition, ending="raises", what=thrown[-1]["name"], line=line)
            return
    if found := re.match(r"return\b\s*(.*)$", said, re.DOTALL):
        yield Branch(condition=condition, ending="returns", what=found[1].strip(), line=line)
    elif re.match(r"panic[!(]", said):
        yield Branch(condition=condition, ending="raises", what="panic", line=line)


def _ruby_branch(text: str, seen: Scan, blank: str, start: int, hit: re.Match[str]) -> Iterator[Branch]:
    """`raise X if …`, and an `if` whose first line leaves."""
    line_start = blank.rfind("\n", 0, hit.start()) + 1
    line_end = blank.find("\n", hit.end())
    line_end = len(blank) if line_end < 0 else line_end
    condition = " ".join(text[start + hit.end() : start + line_end].split())
    if hit.group().strip() == "unless":
        condition = f"not {condition}"
    before = blank[line_start : hit.start()].strip()
    if not before:
        rest = blank[line_end + 1 :].partition("\n")[0].strip()
        before = rest
    if len(condition) <= LONGEST_CONDITION and condition:
        if found := re.match(r"raise\s+([A-Z][\w:]*)?", before):
            what = found[1] or "RuntimeError"
            yield Branch(
                condition=condition, ending="raises", what=what, line=_line(seen, start + hit.start())
            )
        elif found := re.match(r"return\b\s*(.*)", before):
            yield Branch(
                condition=condition, ending="returns", what=found[1], line=_line(seen, start + hit.start())
            )


def _depth(blank: str, kind: str) -> int:
    if kind == "ruby":
        widths = [len(it) - len(it.lstrip()) for it in blank.split("\n") if it.strip()]
        return (max(widths) - min(widths)) // 2 if widths else 0
    deepest = depth = 0
    for mark in re.findall(r"[{}]", blank):
        depth += 1 if mark == "{" else -1
        deepest = max(deepest, depth)
    return deepest
