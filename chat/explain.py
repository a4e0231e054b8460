"""The facts of a definition: what it takes, gives, raises, calls and touches, who calls it, how large it is.

All of it is seen in the code, with the line that shows it; nothing is guessed at. It is the whole answer
where there is no model, and what a model may lean on where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from chat import explain_effects, shapes
from chat.code import Call, Code
from chat.edits_lexical import scan
from chat.edits_types import Refusal
from chat.explain_types import Facts, Member
from chat.shape import Body, Parameter, Shape
from chat.shape_text import CALLABLE, HOLDERS
from chat.target import Seen, Target, see
from chat.types import Place

MOST_SHOWN = 12  # Of calls, callers and members: more are counted.
MOST_CALLS = 100
LONG = 60  # Lines of a function that one no longer sees at once.
TANGLED = 15  # Decisions in one function, from where on tests miss some of its ways.
DEEP = 4  # Blocks in blocks.

__all__ = ["Facts", "facts", "markdown"]


async def facts(target: Target, code: Code) -> Facts | Refusal:
    """What there is to say of the definition at a place."""
    seen = await see(target, code)
    if isinstance(seen, Refusal):
        return seen
    row = seen.row
    calls = await code.callees(row.name, path=target.path, line=row.line, limit=MOST_CALLS)
    callers = await code.callers(row.name, path=target.path, line=row.line, limit=MOST_CALLS)
    return gather(seen, calls, [it for it in callers if not _is_guessed_within(it, seen)])


def _is_guessed_within(it: Call, seen: Seen) -> bool:
    """Whether something in the definition itself only has its name: mostly a method of something else."""
    is_within = it.path == seen.source.path and seen.row.first_line <= it.line <= seen.row.last_line
    return is_within and it.sure == "by name only"


def gather(seen: Seen, calls: Sequence[Call] = (), callers: Sequence[Call] = ()) -> Facts:
    """The facts of one definition, from its text and from what the index knows of calls."""
    row, source = seen.row, seen.source
    text = source.text.replace("\r\n", "\n")
    shape = shapes.shape(text, source.language, row)
    first = shape.first if shape else row.line - 1
    blank = scan(text, source.language).blank.split("\n")[first : row.last_line]
    lines = sum(bool(it.strip()) for it in blank)
    own = f"{row.scope}.{row.name}" if row.scope else row.name
    members = tuple(
        Member(name=it.name, signature=it.signature, doc=it.doc, line=it.line)
        for it in seen.rows
        if it.scope == own and row.first_line <= it.line <= row.last_line and row.kind in HOLDERS
    )
    is_callable = row.kind in CALLABLE
    return Facts(
        name=row.name,
        kind=str(row.kind),
        place=Place(path=source.path, first_line=row.first_line, last_line=row.last_line),
        signature=row.signature,
        doc=row.doc,
        language=source.language,
        shape=shape,
        lines=lines,
        effects=explain_effects.effects(blank, first + 1, source.language),
        calls=tuple({it.name: it for it in reversed(calls) if it.name != row.name}.values())[::-1],
        callers=tuple(callers),
        members=members,
        says=tuple(_course(shape, lines, is_callable)),
    )


def _course(shape: Shape | None, lines: int, is_callable: bool) -> list[str]:
    """Size and ways in words."""
    said = [
        f"{_many(lines, 'line')} of code"
        + (", long for one function" if is_callable and LONG < lines else "")
    ]
    body = shape.body if shape else None
    if not is_callable or body is None or shape is None:
        return [f"{it}." for it in said]
    said.append(_ways(body))
    if body.yields:
        said.append("It yields its values one by one")
    if shape.is_async:
        said.append(
            "It is a coroutine: it is waited for" if shape.language == "python" else "It is asynchronous"
        )
    if shape.is_abstract:
        said.append("It is abstract: others say what it does")
    return [f"{it}." for it in said]


def _ways(body: Body) -> str:
    if not body.decisions:
        return "It goes straight through, without a branch or a loop"
    parts = [_many(body.decisions, "decision")]
    if body.loops:
        parts.append(_many(body.loops, "loop"))
    said = f"It has {' and '.join(parts)}"
    said += ", too many to keep in mind" if TANGLED < body.decisions else ""
    return said + (f", nested {body.depth} deep" if DEEP <= body.depth else "")


# As Markdown


def markdown(found: Facts) -> str:
    """The facts as a page, every place of it a link."""
    parts = [_head(found), found.doc, _takes(found), _gives(found), _branches(found), _touches(found)]
    parts += [_calls(found), _callers(found), _members(found)]
    parts.append(" ".join(found.says))
    return "\n\n".join(it for it in parts if it) + "\n"


def _link(path: str, line: int, shown: str = "") -> str:
    return f"[{shown or f'{path}:{line}'}]({path}#L{line})"


def _head(found: Facts) -> str:
    where = f"[{found.place.path}:{found.place.first_line}]({found.place.link})"
    return f"**`{found.name}`** ({found.kind}, {where})\n\n```{found.language}\n{found.signature}\n```"


def _takes(found: Facts) -> str:
    given = found.shape.parameters if found.shape else ()
    if not given:
        return ""
    heading = "Fields" if found.kind == "class" and found.language == "python" else "Parameters"
    return "\n".join([f"{heading}:", *(f"- {_parameter(it)}" for it in given)])


def _parameter(it: Parameter) -> str:
    said = f"`{it.name}`"
    said += f": `{it.type}`" if it.type else ""
    if it.kind == "rest":
        return f"{said}, any number of them"
    if it.kind == "keywords":
        return f"{said}, any others by their names"
    if it.default:
        return f"{said}, `{it.default}` if it is left out"
    return f"{said}, may be left out" if it.is_optional else said


def _gives(found: Facts) -> str:
    shape = found.shape
    if shape is None or shape.what == "class":
        return ""
    rows = []
    if shape.returns and shape.gives:
        rows.append(f"Returns `{shape.returns}`.")
    elif shape.gives:
        rows.append("Returns a value; of which type is not declared.")
    elif shape.body is not None and not shape.body.yields:
        rows.append("Returns nothing.")
    lines = {it.name: it.line for it in (shape.body.raises if shape.body else ())}
    raised = [
        f"`{it}`" + (f" ({_link(found.place.path, lines[it])})" if it in lines else "") for it in shape.raised
    ]
    if raised:
        word = "Panics" if raised[0].startswith("`panic`") else f"Raises {', '.join(raised)}"
        where = (
            f" ({_link(found.place.path, lines['panic'])})" if word == "Panics" and "panic" in lines else ""
        )
        rows.append(f"{word}{where}.")
    return " ".join(rows)


def _branches(found: Facts) -> str:
    body = found.shape.body if found.shape else None
    if body is None or not body.branches:
        return ""
    rows = []
    for it in body.branches[:MOST_SHOWN]:
        what = f"`{_short(it.what)}`" if it.what else "nothing"
        word = "raises" if it.ending == "raises" else "returns"
        rows.append(
            f"- {_link(found.place.path, it.line, f'line {it.line}')}: {word} {what} if `{it.condition}`"
        )
    return "\n".join(["Leaves early:", *rows])


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 60 else f"{flat[:59]}…"


def _touches(found: Facts) -> str:
    if not found.effects:
        return ""
    rows = []
    for effect, group in groupby(found.effects, key=lambda it: it.effect):
        first = next(iter(group))
        where = _link(found.place.path, first.line, f"line {first.line}")
        rows.append(f"- {explain_effects.SAYS[effect]}: `{first.text}`, {where}")
    return "\n".join(["Side effects seen:", *rows])


def _calls(found: Facts) -> str:
    """What it calls: what the workspace defines in a list, the rest in a line."""
    raised = set(found.shape.raised) if found.shape else set()
    own = [(it.name, it.target) for it in found.calls if it.target]
    others = [it for it in found.calls if not it.target and it.name not in raised]
    parts = []
    if own:
        rows = [f"- `{name}` ({_link(it.path, it.row.line)})" for name, it in own[:MOST_SHOWN]]
        parts.append(_counted("Calls:", rows, len(own)))
    if others:
        rows = [f"`{it.name}` ({_link(it.path, it.line, f'line {it.line}')})" for it in others[:MOST_SHOWN]]
        more = len(others) - len(rows)
        said = ", ".join(rows) + (f" and {_many(more, 'other')}" if more else "")
        parts.append(f"{'Also calls' if own else 'Calls'}, of what is defined elsewhere: {said}.")
    return "\n\n".join(parts)


def _callers(found: Facts) -> str:
    if not found.callers:
        return ""
    rows = []
    for it in found.callers[:MOST_SHOWN]:
        sure = "" if it.sure == "certain" else f", {it.sure}"
        rows.append(f"- `{it.name or 'the top of the file'}` ({_link(it.path, it.line)}{sure})")
    return _counted("Called by:", rows, len(found.callers))


def _counted(heading: str, rows: Sequence[str], count: int) -> str:
    more = count - len(rows)
    return "\n".join([heading, *rows, *([f"- and {_many(more, 'other')}"] if more else [])])


def _members(found: Facts) -> str:
    if not found.members:
        return ""
    rows = []
    for it in found.members[:MOST_SHOWN]:
        doc = f": {_short(it.doc)}" if it.doc else ""
        rows.append(f"- {_link(found.place.path, it.line, f'`{it.name}`')}{doc}")
    return _counted("Has:", rows, len(found.members))


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
