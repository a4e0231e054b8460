"""Pure: what a documentation comment says in each language, and how what it says already is found."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chat.docstrings_items import Item, There
from chat.naming import GAP
from chat.shape import Parameter, Shape

TYPES, PARAMETERS, RESULT, ERRORS = -1, 0, 1, 2
PANICS, SAFETY = 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """How a documentation comment is written."""

    open: str
    """The line it begins with; empty for one of line comments."""
    prefix: str
    """What each line begins with."""
    close: str = ""
    items: Callable[[Shape], tuple[Item, ...]]
    tag: re.Pattern[str]
    """A part that is there already: ``word`` is its tag, ``name`` what it is about."""
    third: bool = True
    gap_above: bool = True
    """Whether a blank line stands between the summary and the first part."""


BLOCK = ("/**", " * ", " */")


def there(lines: Sequence[str], comment: Comment) -> tuple[There, ...]:
    """The parts that a comment's lines have."""
    found: list[tuple[int, re.Match[str]]] = []
    for at, line in enumerate(lines):
        if hit := comment.tag.search(line):
            found.append((at, hit))
    parts = []
    for number, (at, hit) in enumerate(found):
        end = found[number + 1][0] if number + 1 < len(found) else len(lines)
        while at + 1 < end and _is_empty(lines[end - 1]):
            end -= 1
        word = (hit["word"] or "").lower()
        rank = _RANKS.get(word, SAFETY + 1)
        said = hit.groupdict().get("kind") if rank == ERRORS else None
        name = (said or hit["name"] or "").strip("[]$&.*<>\\")
        if rank == PARAMETERS and hit["name"] and hit["name"].startswith("<"):
            rank = TYPES
        key = "" if rank in (RESULT, PANICS, SAFETY) or word == "errors" else name.partition("=")[0]
        parts.append(There(rank=rank, key=key, first=at, end=end))
    return tuple(parts)


_RANKS = {
    "template": TYPES, "typeparam": TYPES, "tparam": TYPES,
    "param": PARAMETERS, "arg": PARAMETERS, "argument": PARAMETERS, "parameter": PARAMETERS,
    "property": PARAMETERS, "option": PARAMETERS,
    "return": RESULT, "returns": RESULT, "yields": RESULT, "yieldreturn": RESULT, "result": RESULT,
    "throws": ERRORS, "throw": ERRORS, "exception": ERRORS, "raise": ERRORS, "raises": ERRORS,
    "errors": ERRORS, "panics": PANICS, "safety": SAFETY,
}  # fmt: skip


def _is_empty(line: str) -> bool:
    return not re.search(r"[^\s*/#-]", line)


def _item(rank: int, key: str, *lines: str) -> Item:
    return Item(rank=rank, key=key, lines=lines)


def _plain_tags(
    shape: Shape,
    *,
    parameter: Callable[[Parameter], str],
    types: str,
    result: str,
    error: str,
) -> tuple[Item, ...]:
    found = [_item(TYPES, it, types.format(name=it, gap=GAP)) for it in shape.type_parameters if types]
    found += [_item(PARAMETERS, it.name, parameter(it)) for it in shape.parameters]
    if result and shape.gives and not shape.is_constructor and shape.what != "class":
        found.append(_item(RESULT, "", result.format(type=shape.returns, gap=GAP)))
    if error:
        found += [_item(ERRORS, it, error.format(name=it, gap=GAP)) for it in shape.raised]
    return tuple(found)


# JavaScript and TypeScript


def _script_type(it: Parameter) -> str:
    value = it.default
    if it.type:
        return it.type
    if re.fullmatch(r"-?[\d_.]+(?:e\d+)?", value):
        return "number"
    if value[:1] in ('"', "'", "`"):
        return "string"
    if value in ("true", "false"):
        return "boolean"
    return "Array" if value.startswith("[") else "object" if value.startswith("{") or it.is_pattern else "*"


def _script_items(shape: Shape, typed: bool) -> tuple[Item, ...]:
    found: list[Item] = []
    taken = {it.name for it in shape.parameters}
    for at, it in enumerate(shape.parameters):
        name = it.name
        if it.is_pattern:
            name = next(one for one in ("options", f"options{at}", f"argument{at}") if one not in taken)
        shown = name
        type_ = _script_type(it)
        if typed:
            default = f"={it.default}" if it.default and len(it.default) < 20 and not it.is_pattern else ""
            shown = f"[{name}{default}]" if it.is_optional and it.kind == "plain" else name
            type_ = f"{{{'...' if it.kind == 'rest' else ''}{type_}}} "
        else:
            type_ = ""
        found.append(_item(PARAMETERS, name, f"@param {type_}{shown} - {GAP}"))
        if typed and name.startswith("options") and it.is_pattern:
            found += [
                _item(PARAMETERS, f"{name}.{one}", f"@param {{*}} {name}.{one} - {GAP}")
                for one in _keys(it.name)
            ]
    if shape.what != "class" and not shape.is_constructor:
        if shape.body is not None and shape.body.yields:
            found.append(_item(RESULT, "", f"@yields {'{*} ' if typed else ''}{GAP}"))
        elif shape.gives:
            kind = "{Promise<*>} " if shape.is_async else "{*} "
            found.append(_item(RESULT, "", f"@returns {kind if typed else ''}{GAP}"))
    found += [_item(ERRORS, it, f"@throws {{{it}}} {GAP}") for it in shape.raised]
    return tuple(found)


def _keys(pattern: str) -> list[str]:
    """The names that an object pattern takes; none of what it takes apart further."""
    inner = re.sub(r"[{\[][^{}\[\]]*[}\]]", "", pattern[1:-1])
    found = [re.match(r"\s*(\w+)", it) for it in inner.split(",") if not it.strip().startswith("...")]
    return [it[1] for it in found if it] if pattern.startswith("{") else []


def _javascript(shape: Shape) -> tuple[Item, ...]:
    return _script_items(shape, True)


def _typescript(shape: Shape) -> tuple[Item, ...]:
    return _script_items(shape, False)


# The others


def _java(shape: Shape) -> tuple[Item, ...]:
    tags = _plain_tags(
        shape,
        parameter=lambda it: f"@param {it.name} {GAP}",
        types="@param <{name}> {gap}",
        result="@return {gap}",
        error="@throws {name} {gap}",
    )
    return tags


def _kotlin(shape: Shape) -> tuple[Item, ...]:
    return _plain_tags(
        shape,
        parameter=lambda it: f"@param {it.name} {GAP}",
        types="@param {name} {gap}",
        result="@return {gap}",
        error="@throws {name} {gap}",
    )


def _scala(shape: Shape) -> tuple[Item, ...]:
    return _plain_tags(
        shape,
        parameter=lambda it: f"@param {it.name} {GAP}",
        types="@tparam {name} {gap}",
        result="@return {gap}",
        error="@throws {name} {gap}",
    )


def _php(shape: Shape) -> tuple[Item, ...]:
    def parameter(it: Parameter) -> str:
        rest = "..." if it.kind == "rest" else ""
        return f"@param {it.type or 'mixed'} {rest}${it.name} {GAP}"

    result = "@return {type} {gap}" if shape.returns else "@return mixed {gap}"
    return _plain_tags(shape, parameter=parameter, types="", result=result, error="@throws {name} {gap}")


def _csharp(shape: Shape) -> tuple[Item, ...]:
    return _plain_tags(
        shape,
        parameter=lambda it: f'<param name="{it.name}">{GAP}</param>',
        types='<typeparam name="{name}">{gap}</typeparam>',
        result="<returns>{gap}</returns>",
        error='<exception cref="{name}">{gap}</exception>',
    )


def _ruby(shape: Shape) -> tuple[Item, ...]:
    return _plain_tags(
        shape,
        parameter=lambda it: f"@param {it.name} {GAP}",
        types="",
        result="@return {gap}",
        error="@raise [{name}] {gap}",
    )


def _lua(shape: Shape) -> tuple[Item, ...]:
    return _plain_tags(
        shape, parameter=lambda it: f"@param {it.name} {GAP}", types="", result="@return {gap}", error=""
    )


def _doxygen(mark: str) -> Callable[[Shape], tuple[Item, ...]]:
    def found(shape: Shape) -> tuple[Item, ...]:
        return _plain_tags(
            shape,
            parameter=lambda it: f"{mark}param {it.name} {GAP}",
            types=f"{mark}tparam {{name}} {{gap}}",
            result=f"{mark}return {{gap}}",
            error=f"{mark}throws {{name}} {{gap}}",
        )

    return found


def _swift(shape: Shape) -> tuple[Item, ...]:
    return _plain_tags(
        shape,
        parameter=lambda it: f"- Parameter {it.name}: {GAP}",
        types="",
        result="- Returns: {gap}",
        error="",
    )


def _rust(shape: Shape) -> tuple[Item, ...]:
    """Sections that Rust's own linter asks for; parameters have none."""
    found = []
    if re.match(r"(?:\w+::)*\w*Result\b", shape.returns):
        found.append(_item(ERRORS, "", "# Errors", "", GAP))
    if shape.raised and shape.what != "class":
        found.append(_item(PANICS, "", "# Panics", "", GAP))
    return tuple(found)


def _nothing(shape: Shape) -> tuple[Item, ...]:
    return ()


_TAG = re.compile(
    r"(?:^|\s)[@\\](?P<word>param|arg|argument|returns?|throws?|exception|yields|template|typeParam|tparam)\b"
    r"(?:\[\w+(?:,\w+)*\])?\s*(?:\{(?P<kind>[^}]*)\}\s*)?(?P<name>\[?[\w$.]+|<\w+>)?"
)
_PHP_TAG = re.compile(
    r"(?:^|\s)@(?P<word>param|return|throws)\b[ \t]*(?P<kind>[^\s$]+)?[ \t]*(?P<name>[.&]*\$\w+)?"
)
_XML_TAG = re.compile(
    r"<(?P<word>param|returns|exception|typeparam)\b(?:\s+(?:name|cref)=\"(?P<name>[^\"]*)\")?"
)
_YARD_TAG = re.compile(
    r"@(?P<word>param|return|raise|yieldreturn|option)\b\s*(?:\[(?P<kind>[^\]]*)\]\s*)?(?P<name>\w+)?"
)
_RUST_TAG = re.compile(r"#\s+(?P<word>Errors|Panics|Safety)(?P<name>)\s*$")
_SWIFT_TAG = re.compile(r"-\s+(?P<word>Parameter|Returns|Throws)\b\s*(?P<name>\w+)?")
_NO_TAG = re.compile(r"(?P<word>(?!))(?P<name>)")
_DOXYGEN = re.compile(
    r"^\s*(?P<line>\*|///|//!)?\s*/?(?:\*\*)?\s*(?P<mark>[@\\])(?:param|brief|returns?)\b", re.MULTILINE
)

_COMMENTS = {
    "javascript": Comment(open="/**", prefix=" * ", close=" */", items=_javascript, tag=_TAG),
    "typescript": Comment(open="/**", prefix=" * ", close=" */", items=_typescript, tag=_TAG),
    "java": Comment(open="/**", prefix=" * ", close=" */", items=_java, tag=_TAG),
    "groovy": Comment(open="/**", prefix=" * ", close=" */", items=_java, tag=_TAG),
    "kotlin": Comment(open="/**", prefix=" * ", close=" */", items=_kotlin, tag=_TAG),
    "scala": Comment(open="/**", prefix=" * ", close=" */", items=_scala, tag=_TAG),
    "php": Comment(open="/**", prefix=" * ", close=" */", items=_php, tag=_PHP_TAG),
    "csharp": Comment(open="", prefix="/// ", items=_csharp, tag=_XML_TAG, gap_above=False),
    "rust": Comment(open="", prefix="/// ", items=_rust, tag=_RUST_TAG),
    "go": Comment(open="", prefix="// ", items=_nothing, tag=_NO_TAG),
    "ruby": Comment(open="", prefix="# ", items=_ruby, tag=_YARD_TAG),
    "swift": Comment(open="", prefix="/// ", items=_swift, tag=_SWIFT_TAG),
    "lua": Comment(open="", prefix="--- ", items=_lua, tag=_TAG, gap_above=False),
    "c": Comment(open="", prefix="// ", items=_nothing, tag=_NO_TAG),
}  # fmt: skip
_SAME = {"javascriptreact": "javascript", "typescriptreact": "typescript", "cpp": "c", "objective-c": "c",
         "objective-cpp": "c", "cuda-cpp": "c"}  # fmt: skip


def comment_of(language: str, text: str) -> Comment | None:
    """How this file's language, and in C and C++ the file itself, documents a definition."""
    name = _SAME.get(language, language)
    if name == "c" and (shown := _DOXYGEN.search(text)):
        tags = _doxygen(shown["mark"])
        if shown["line"] in ("///", "//!"):
            return Comment(open="", prefix=f"{shown['line']} ", items=tags, tag=_TAG)
        return Comment(open="/**", prefix=" * ", close=" */", items=tags, tag=_TAG)
    if name == "c" and "//" not in re.sub(r"https?://", "", text):
        return Comment(open="/*", prefix=" * ", close=" */", items=_nothing, tag=_NO_TAG)
    return _COMMENTS.get(name)
