"""Pure: what is read from pieces of source text: heads, comments, docstrings, the modules of an import."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST_SIGNATURE = 200
LONGEST_DOC = 300
LONGEST_NAME = 200
MAX_IMPORTED = 500  # names of one import: more are a list, not a reading

# Decorators and annotations before a head: `@Entity(name = "b")`, `[Serializable]`, `#[Entity]`.
_ANNOTATIONS = re.compile(
    r"(?:@(?!interface\b)[\w.:]+(?:\((?:[^()]|\([^()]*\))*\))?\s*|#?\[[^\]]*\]\s*)+(?=[\w<~])"
)
_SPACE = re.compile(r"\s+")
_QUOTES = re.compile(r"^[A-Za-z]{0,2}('''|\"\"\"|'|\")(.*?)\1?$", re.DOTALL)
_OPENING = re.compile(r"^\s*(?:/\*+!?|\*+(?!/)|//+!?|#+!?|--+\[*|<!--+|;+|\"\"\")?\s?")
_CLOSING = re.compile(r"\s*(?:\*+/|--+>|\]\])\s*$")
_MARKUP = re.compile(r"</?(?:summary|para|remarks|c|p|b|i|code|see|param)\b[^>]*>")
_FIELD = re.compile(r"^\s*(?:@\w+|\\\w+|:\w+.*:)")


def signature(head: str, *, has_annotations: bool) -> str:
    """A definition's head on one line, without annotations and without what opens its body."""
    head = head.strip()
    if has_annotations and head[:1] in ("@", "[", "#"):
        match = _ANNOTATIONS.match(head)
        head = head[match.end() :] if match else head
    line = _SPACE.sub(" ", head).removesuffix("=>").rstrip(" {:=;")
    line = line.replace("( ", "(").replace(", )", ")").replace(",)", ")").replace(" )", ")")
    return _cut(line, LONGEST_SIGNATURE)


def docstring(literal: str) -> str:
    """The first paragraph of a string literal."""
    match = _QUOTES.match(literal.strip())
    return _first_paragraph((match[2] if match else literal).splitlines())


def comment(lines: Iterable[str]) -> str:
    """The first paragraph of the comment on these lines, without its marks."""
    plain = (_CLOSING.sub("", _OPENING.sub("", it)) for it in lines if not it.startswith("#!"))
    return _first_paragraph(_MARKUP.sub("", it) for it in plain)


def _first_paragraph(lines: Iterable[str]) -> str:
    found: list[str] = []
    for line in lines:
        has_words = any(map(str.isalnum, line))
        if found and (not has_words or _FIELD.match(line)):
            break
        if has_words:
            found.append(line.strip())
    return _cut(_SPACE.sub(" ", " ".join(found)), LONGEST_DOC)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def name(text: str) -> str:
    """A name as it is asked for: without quotes, on one line."""
    return _SPACE.sub(" ", text.strip("\"'` \t\r\n").rstrip("# "))[:LONGEST_NAME].strip()


def owner(text: str) -> str:
    """The type or table in front of a method: `*Stack[T]` is Stack, `Basket.prototype` is Basket."""
    match = re.search(r"\w[\w.$]*", text)
    found = match[0].removesuffix(".prototype") if match else ""
    return "" if found in ("module.exports", "exports", "this", "self", "window") else found


def module(text: str) -> str:
    """A module as it is written, without quotes and brackets."""
    return _SPACE.sub("", text).strip("\"'`<>")[:LONGEST_NAME]


def item(text: str) -> str:
    """An imported name; a star for all of them."""
    text = text.strip()
    return "*" if text.startswith("*") else text[:LONGEST_NAME]


def rust_use(tree: str) -> list[tuple[str, tuple[str, ...]]]:
    """The modules of a `use`, with what is taken of them: groups within groups are written out."""
    found: dict[str, list[str]] = {}
    stack: list[str] = []
    path = ""
    for token in re.findall(r"[{},]|[^{},\s]+(?:\s+as\s+\w+)?", tree)[: 4 * MAX_IMPORTED]:
        if token == "{":
            stack.append(path)
            path = ""
        elif token in ",}":
            _take_use("".join(stack), path, found)
            path = ""
            if token == "}" and stack:
                stack.pop()
        else:
            path = token.split(" as ")[0].strip()
    _take_use("".join(stack), path, found)
    return [(it, tuple(names)) for it, names in found.items()]


def _take_use(prefix: str, path: str, found: dict[str, list[str]]) -> None:
    if path and (prefix or path.endswith("*")):
        base, _, last = (prefix + path).rpartition("::")
        if last == "self":
            found.setdefault(base, [])
        else:
            found.setdefault(base, []).append(last)
    elif path:
        found.setdefault(path, [])


def scala_import(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """The modules of a Scala import, with what is taken of them."""
    found = []
    for part in re.findall(r"[^,{]+(?:\{[^}]*\})?", text.removeprefix("import"))[:MAX_IMPORTED]:
        base, brace, inside = part.strip().partition("{")
        words = [re.split(r"\s*=>\s*|\s+as\s+", it.strip(" }"))[0].strip() for it in inside.split(",")]
        names = tuple("*" if it in ("_", "given") else it for it in words if it)
        base = base.strip().rstrip(".")
        if not brace and base.endswith(("._", ".*")):
            base, names = base[:-2], ("*",)
        if base:
            found.append((base[:LONGEST_NAME], names))
    return found
