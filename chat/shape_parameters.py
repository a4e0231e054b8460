"""Pure: the parameters between the brackets of a definition, in the ways that languages write them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from chat.edits_lexical import family
from chat.shape import Parameter, ParameterKind

_OPENS, _CLOSES = "([{", ")]}"
_JS_MODIFIERS = re.compile(r"^(?:(?:public|private|protected|readonly|override)\s+|@\w+(?:\([^)]*\))?\s*)+")
_TYPED_MODIFIERS = re.compile(
    r"^(?:@[\w.]+(?:\([^)]*\))?\s*|\[[^\]]*\]\s*|(?:final|this|ref|out|in|scoped|required|covariant)\s+)+"
)
_PHP = re.compile(
    r"^(?:#\[[^\]]*\]\s*)?(?:(?:public|private|protected|readonly|static)\s+)*"
    r"(?P<type>[^$&.]*?)\s*&?(?P<rest>\.\.\.)?\s*\$(?P<name>\w+)\s*(?:=\s*(?P<default>.*))?$",
    re.DOTALL,
)
_NAMED_TYPE = re.compile(
    r"^(?:@\w+(?:\([^)]*\))?\s*)*(?:(?:override|public|private|protected|internal|noinline|crossinline)\s+)*"
    r"(?P<rest>vararg\s+)?(?:va[lr]\s+)?(?P<label>\w+\s+)?(?P<name>`?\w+`?)\s*:\s*(?P<type>.*)$",
    re.DOTALL,
)


def split(text: str) -> list[str]:
    """A list at its commas, without those in brackets and strings."""
    found: list[str] = []
    depth, angles, start, quote = 0, 0, 0, ""
    for at, mark in enumerate(text):
        if quote:
            quote = "" if mark == quote and text[at - 1] != "\\" else quote
        elif mark in "\"'`" and not (mark == "'" and re.match(r"'[a-z_]\w*(?!')", text[at : at + 20])):
            quote = mark
        elif mark in _OPENS:
            depth += 1
        elif mark in _CLOSES:
            depth -= 1
        elif mark == "<" and re.match(r"[\w\s?'&(\[*]", text[at + 1 : at + 2]) is not None:
            angles += 1
        elif mark == ">" and text[at - 1 : at] not in ("=", "-") and angles:
            angles -= 1
        elif mark == "," and depth == 0 and angles == 0:
            found.append(text[start:at])
            start = at + 1
    found.append(text[start:])
    return [it.strip() for it in found if it.strip()]


def parameters(inner: str, language: str) -> tuple[Parameter, ...]:
    """The parameters of one definition, in order; `self` and `this` among them, with how they are taken."""
    parts = split(inner)
    kind = family(language)
    if language == "go":
        return _go(parts)
    if language == "php":
        return tuple(filter(None, map(_php, parts)))
    if language == "rust":
        return tuple(filter(None, map(_rust, parts)))
    if kind == "ruby":
        return tuple(filter(None, map(_ruby, parts)))
    if language in ("kotlin", "scala", "swift"):
        return tuple(filter(None, map(_named, parts)))
    if kind in ("java", "c") or language == "dart":
        return tuple(_typed(parts, language))
    if kind == "javascript":
        return tuple(filter(None, map(_script, parts)))
    return tuple(Parameter(name=it) for it in parts if re.fullmatch(r"\w+", it))


def _cut(text: str, mark: str) -> tuple[str, str]:
    """Up to the first such mark outside of brackets and strings, and what follows it."""
    depth, quote = 0, ""
    for at, it in enumerate(text):
        if quote:
            quote = "" if it == quote else quote
        elif it in "\"'`":
            quote = it
        elif it in _OPENS:
            depth += 1
        elif it in _CLOSES:
            depth -= 1
        elif (
            it == mark and depth == 0 and text[at + 1 : at + 2] not in ("=", ">") and text[at - 1 : at] != "="
        ):
            return text[:at].strip(), text[at + 1 :].strip()
    return text.strip(), ""


def _script(part: str) -> Parameter | None:
    part = _JS_MODIFIERS.sub("", part)
    head, default = _cut(part, "=")
    name, type_ = _cut(head, ":")
    kind: ParameterKind = "rest" if name.startswith("...") else "plain"
    name = name.removeprefix("...").strip()
    is_optional = bool(default) or name.endswith("?")
    name = name.rstrip("?")
    if not name:
        return None
    flat = " ".join(name.split())
    return Parameter(
        name=flat, type=" ".join(type_.split()), default=default, kind=kind, is_optional=is_optional
    )


def _go(parts: list[str]) -> tuple[Parameter, ...]:
    """`a, b int` gives both their type; a list without any name has types alone."""
    pairs = [re.match(r"^(\w+)\s+(\S.*)$", it, re.DOTALL) for it in parts]
    if not any(pairs):
        return ()
    found: list[Parameter] = []
    type_ = ""
    for part, pair in zip(reversed(parts), reversed(pairs), strict=True):
        name, type_ = (pair[1], pair[2]) if pair else (part, type_)
        kind: ParameterKind = "rest" if type_.startswith("...") else "plain"
        if name != "_":
            found.append(Parameter(name=name, type=type_.removeprefix("..."), kind=kind))
    return tuple(reversed(found))


def _php(part: str) -> Parameter | None:
    found = _PHP.match(part)
    if not found:
        return None
    return Parameter(
        name=found["name"],
        type=(found["type"] or "").strip(),
        default=(found["default"] or "").strip(),
        kind="rest" if found["rest"] else "plain",
        is_optional=bool(found["default"]),
    )


def _rust(part: str) -> Parameter | None:
    part = re.sub(r"^#\[[^\]]*\]\s*", "", part)
    if re.fullmatch(r"(?:&\s*(?:'\w+\s+)?)?(?:mut\s+)?self", part):
        return Parameter(name="self", type=part)
    name, type_ = _cut(part, ":")
    name = name.removeprefix("mut ").removeprefix("ref ").strip()
    return Parameter(name=name, type=type_) if name and name != "_" else None


def _ruby(part: str) -> Parameter | None:
    if part.startswith("&"):
        return Parameter(name=part[1:] or "block", kind="block")
    if part.startswith("**"):
        return Parameter(name=part[2:] or "options", kind="keywords")
    if part.startswith("*"):
        return Parameter(name=part[1:] or "arguments", kind="rest")
    if found := re.match(r"^(\w+):\s*(.*)$", part, re.DOTALL):
        return Parameter(name=found[1], default=found[2], kind="keyword", is_optional=bool(found[2]))
    name, default = _cut(part, "=")
    if not re.fullmatch(r"\w+", name):
        return None
    return Parameter(name=name, default=default, is_optional=bool(default))


def _named(part: str) -> Parameter | None:
    """`name: Type = default` of Kotlin, Scala and Swift."""
    head, default = _cut(part, "=")
    found = _NAMED_TYPE.match(head)
    if not found:
        return None
    type_ = found["type"].strip()
    is_rest = bool(found["rest"]) or type_.endswith(("...", "*"))
    return Parameter(
        name=found["name"].strip("`"),
        type=type_.removesuffix("...").rstrip("*") if is_rest else type_,
        default=default,
        kind="rest" if is_rest else "plain",
        is_optional=bool(default),
    )


def _typed(parts: Iterable[str], language: str) -> Iterable[Parameter]:
    """`Type name = default` of Java, C# and the C family; in C some types stand around their names."""
    for it in parts:
        part = _TYPED_MODIFIERS.sub("", it).strip()
        is_rest = part.startswith("params ") or "..." in part
        head, default = _cut(part.removeprefix("params "), "=")
        if head in ("void", "...", ""):
            continue
        if pointer := re.match(r"^(.*?)\(\s*[*^&]\s*(\w+)\s*\)\s*(.*)$", head, re.DOTALL):
            yield Parameter(name=pointer[2], type=f"{pointer[1].strip()} (*){pointer[3]}")
            continue
        found = re.match(
            r"^(?P<type>.*[\s*&>\].])(?P<name>\w+)\s*(?P<size>(?:\[[^\]]*\])*)$", head, re.DOTALL
        )
        type_ = " ".join(found["type"].split()) if found else ""
        if not found or type_ in ("const", "struct", "unsigned", "enum", "signed"):
            continue
        type_ = type_.replace("...", "").strip() + found["size"]
        if found["name"] in ("int", "char", "long", "short", "double") and language in ("c", "cpp"):
            continue
        yield Parameter(
            name=found["name"],
            type=type_,
            default=default,
            kind="rest" if is_rest else "plain",
            is_optional=bool(default),
        )
