"""Pure: which words may be names, language by language."""

from __future__ import annotations

import re

from chat.edits_lexical import family
from chat.edits_types import Refusal

_C = (
    "auto break case char const continue default do double else enum extern float for goto if"
    " inline int long register return short signed sizeof static struct switch typedef union"
    " unsigned void volatile while"
)
_KEYWORDS = {
    "python": (
        "False None True and as assert async await break class continue def del elif else except"
        " finally for from global if import in is lambda nonlocal not or pass raise return try while"
        " with yield"
    ),
    "javascript": (
        "arguments await break case catch class const continue debugger default delete do else enum"
        " eval export extends false finally for function if implements import in instanceof"
        " interface let new null package private protected public return static super switch this"
        " throw true try typeof undefined var void while with yield"
    ),
    "go": (
        "break case chan const continue default defer else fallthrough for func go goto if import"
        " interface map package range return select struct switch type var nil true false iota"
    ),
    "rust": (
        "Self as async await break const continue crate dyn else enum extern false fn for if impl"
        " in let loop match mod move mut pub ref return self static struct super trait true type"
        " unsafe use where while"
    ),
    "java": (
        "abstract assert boolean break byte case catch char class const continue default do double"
        " else enum extends false final finally float for goto if implements import instanceof int"
        " interface long native new null package private protected public return short static"
        " strictfp super switch synchronized this throw throws transient true try void volatile"
        " while var record yield"
    ),
    "c": _C,
    "cpp": f"{_C} "
    "alignas alignof and bool catch class constexpr decltype delete explicit export false friend"
    " mutable namespace new noexcept not nullptr operator or private protected public static_assert"
    " template this throw true try typeid typename using virtual wchar_t xor",
    "ruby": (
        "BEGIN END alias and begin break case class def defined do else elsif end ensure false for"
        " if in module next nil not or redo rescue retry return self super then true undef unless"
        " until when while yield"
    ),
    "kotlin": (
        "as break class continue do else false for fun if in interface is null object package"
        " return super this throw true try typealias val var when while"
    ),
    "csharp": (
        "abstract as base bool break byte case catch char checked class const continue decimal"
        " default delegate do double else enum event explicit extern false finally fixed float for"
        " foreach goto if implicit in int interface internal is lock long namespace new null object"
        " operator out override params private protected public readonly ref return sbyte sealed"
        " short sizeof stackalloc static string struct switch this throw true try typeof uint ulong"
        " unchecked unsafe ushort using virtual void volatile while"
    ),
    "php": (
        "abstract and array as break callable case catch class clone const continue declare default"
        " do echo else elseif empty enddeclare endfor endforeach endif endswitch endwhile eval exit"
        " extends final finally fn for foreach function global goto if implements include instanceof"
        " insteadof interface isset list match namespace new or print private protected public"
        " readonly require return static switch throw trait try unset use var while xor yield"
    ),
}
_PLAIN = re.compile(r"[^\W\d]\w*")


def keywords(language: str) -> frozenset[str]:
    """The words that can be no names."""
    known = language if language in _KEYWORDS else family(language)
    return frozenset(_KEYWORDS.get(known, "").split())


def why_not(name: str, old: str, language: str) -> Refusal | None:
    """Why something cannot be a new name; None if it can."""
    has_dollar = family(language) == "javascript"
    is_name = _PLAIN.fullmatch(name.replace("$", "_") if has_dollar else name)
    if language == "ruby" and name[-1:] in ("?", "!"):
        is_name = _PLAIN.fullmatch(name[:-1])
    if not is_name:
        return Refusal(reason=f"`{name}` is not a name that {language or 'this language'} allows.")
    if name == old:
        return Refusal(reason=f"`{name}` is its name already.")
    if name in keywords(language):
        return Refusal(reason=f"`{name}` is a word of {language} itself and cannot be a name.")
    return None
