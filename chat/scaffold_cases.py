"""Pure: the ways through a function that deserve a test each, and what they are called."""

from __future__ import annotations

import re
from collections.abc import Iterable

from chat.naming import snake
from chat.rename_words import keywords
from chat.scaffold_types import Case
from chat.shape import Branch, Parameter, Shape

MOST_CASES = 8  # Of one function: more is a job for its author, function by function.
_WORDS = (
    (r"\s*(?:===?|\bis\b)\s*(?:None|null|nil|undefined)\b(?:\(\))?", " is missing"),
    (r"\s*(?:!==?|\bis not\b)\s*(?:None|null|nil|undefined)\b", " is there"),
    (r"\.(?:is_none|nil\?|isNull)\(?\)?", " is missing"),
    (r"\.(?:is_some|present\?)\(?\)?", " is there"),
    (r"\.(?:is_empty|isEmpty|empty\?|empty)\(?\)?", " is empty"),
    (r"!==|!=|<>", " is not "),
    (r"===|==|\beq\b", " is "),
    (r"<=", " is at most "),
    (r">=", " is at least "),
    (r"<", " is less than "),
    (r">", " is more than "),
    (r"&&", " and "),
    (r"\|\|", " or "),
    (r"!\s*(?=[\w(])", " not "),
    (r"\bself\.|\bthis\.|\$", " "),
    (r"-(?=\d)", " minus "),
    (r"[^\w]+", " "),
)


def cases(shape: Shape) -> tuple[Case, ...]:
    """The usual way, then one for each branch that leaves early; each with other words."""
    found = [Case(words="")]
    known = {""}
    for it in shape.body.branches if shape.body else ():
        case = _case(it, shape)
        if case is None or snake(case.words) in known:
            continue
        known.add(snake(case.words))
        found.append(case)
    return tuple(found[:MOST_CASES])


def _case(branch: Branch, shape: Shape) -> Case | None:
    said = in_words(branch.condition)
    if not said:
        return None
    if branch.ending == "raises":
        if branch.what == "panic":
            return Case(words=f"panics when {said}", branch=branch, raises="panic")
        last = re.split(r"[.\\]|::", branch.what)[-1]
        return Case(words=f"raises {last} when {said}", branch=branch, raises=branch.what)
    if shape.language in ("go", "rust") and _is_error(branch.what, shape.language):
        return Case(words=f"fails when {said}", branch=branch, raises="error")
    return Case(words=f"when {said}", branch=branch)


def _is_error(what: str, language: str) -> bool:
    if language == "rust":
        return what.startswith("Err(")
    last = what.rpartition(",")[2].strip()
    return bool(re.match(r"(?:err|Err|fmt\.Errorf|errors\.)", last))


def in_words(condition: str) -> str:
    """`not name or size < 0` is "not name or size is less than 0"."""
    said = f" {condition} "
    for pattern, words in _WORDS:
        said = re.sub(pattern, words, said)
    return " ".join(said.split())


def needed(shape: Shape, case: Case) -> tuple[Parameter, ...]:
    """What a test has to pass: what must be given, and what the way through depends on."""
    said = set(re.findall(r"\w+", case.branch.condition)) if case.branch else set()
    return tuple(
        it
        for it in shape.parameters
        if it.kind in ("plain", "keyword") and (not it.is_optional or it.name in said)
    )


def named(name: str, words: str) -> str:
    """A test's name in snake case, without its `test_`."""
    own = "_".join(filter(None, (snake(name) or name.strip("_"), snake(words, longest=56))))
    return own


def subject_of(name: str, taken: Iterable[str], language: str) -> str:
    """What an object is called in a test: as its class, in the manner of the language, if that is free."""
    plain = snake(name) or "subject"
    own = plain if language in ("python", "rust") else name[0].lower() + name[1:]
    used = {*taken, *keywords(language), name}
    return own if own not in used else f"{own}_" if f"{own}_" not in used else f"{own}_subject"


def unique(names: Iterable[str], taken: Iterable[str]) -> list[str]:
    """Names, those that are taken with a number."""
    known = set(taken)
    found = []
    for it in names:
        number, name = 2, it
        while name in known:
            name = f"{it}_{number}"
            number += 1
        known.add(name)
        found.append(name)
    return found
