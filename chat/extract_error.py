"""An error that somebody saw: the frames that are in this workspace, what made it, what raises it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chat.code import Code, Line
from chat.extract_page import Page, block, code, count
from chat.extract_search import hit_line, once, says_something
from chat.extract_symbol import find, is_test, qualified, said
from codeindex.query import RAISED
from codeindex.rank_places import places

LONGEST = 40_000  # Characters of a log that are looked at; the end counts most.
MOST_FRAMES = 40
AROUND = 4  # Lines on each side of the innermost frame.
FEWEST = 8  # Characters of a message that are looked for.
MOST_PARTS = 6
LEAST_OF_MESSAGE, ENOUGH_OF_MESSAGE = 0.5, 0.8
"""Of what is not put in at run time: so much has to stand in a line to be shown, and to have made it."""

_ENDINGS = "py|go|rs|rb|c|cc|cpp|h|hpp|php|ts|tsx|js|jsx|java|kt|cs|swift|lua|ex|exs"
FRAMES = (
    re.compile(
        r'File "(?P<path>[^"\n]+)", line (?P<line>\d+)(?:, in (?P<name>\S+))?'
        r'(?:\n[ \t]+(?P<text>(?!File ")[^\n]+))?'
    ),
    re.compile(
        r"^\s*at (?:async )?(?:(?P<name>[^\s(]+) \()?(?:file://)?(?P<path>[^\s():]+):(?P<line>\d+)(?::\d+)?\)?",
        re.M,
    ),
    re.compile(r"^\s*at (?P<name>[\w$.<>]+)\((?P<path>[\w$]+\.\w+):(?P<line>\d+)\)", re.M),
    re.compile(
        rf"^\s*(?:at |-->\s*|from )?(?P<path>[\w./\\@-]+\.(?:{_ENDINGS})):(?P<line>\d+)(?::\d+)?"
        r"(?::in [`'](?P<name>[\w.#]+)')?",
        re.M,
    ),
)
LAST = re.compile(r"^(?:[a-z_]\w*\.)*(?P<type>[A-Z]\w*)(?:: (?P<says>.*))?\s*\Z", re.M)
"""The last line of a Python stack: any class may be raised."""
MESSAGE = re.compile(
    r"^(?:[\w.$]*?(?P<type>[A-Z]\w*(?:Error|Exception|Warning|Panic|Fault|Exit|Interrupt"
    r"|Failure)))\s*:\s*(?P<says>.*\S)",
    re.M,
)
SAYS = re.compile(
    r"^\s*(?:(?:error|fatal|panic|warning)(?:\[\w+\])?|thread '.*?' panicked at.*?)\s*:\s*(?P<says>.*\S)",
    re.M | re.I,
)
HOLES = re.compile(
    r"'[^']*'|\"[^\"]*\"|`[^`]*`|\b0x[0-9a-f]+\b|\b\d[\d.,:]*\b|(?:/[\w.@+-]+){2,}/?|\{[^}]*\}|<[^>]*>"
    r"|\b\w+://\S+",
    re.I,
)


CALLED_WRONGLY = re.compile(r"\b(?:\w+\.)*(\w+)\(\) (?:missing|takes|got|expected|requires|argument)")
ABOUT = (
    CALLED_WRONGLY,
    re.compile(r"cannot import name '(\w+)"),
    re.compile(r"has no attribute '(\w+)"),
    re.compile(r"\bname '(\w+)' is not defined"),
    re.compile(r"\b(\w+) is not (?:defined|a function)"),
    re.compile(r"\bundefined: (?:\w+\.)*(\w+)"),
    re.compile(r"[Cc]annot find (?:name|value|type|function|module)[^`']*[`'](\w+)"),
    re.compile(r"Property '(\w+)' does not exist"),
    re.compile(r"\b(\w+)' object has no"),
)
"""What a message says a name to be that is called wrongly, or missing; the most telling ones first."""
MOST_CALLS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One step of a stack, as it was told."""

    path: str
    line: int
    name: str = ""
    text: str = ""
    """What stood there, where the stack shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An error as it was told."""

    frames: tuple[Frame, ...] = ()
    """The innermost last."""
    types: tuple[str, ...] = ()
    says: str = ""


def read_error(text: str) -> Seen:
    """Read it. Raises nothing, whatever the text."""
    shown = text if len(text) <= LONGEST else text[: LONGEST // 4] + "\n" + text[-LONGEST * 3 // 4 :]
    frames: list[Frame] = []
    for number, pattern in enumerate(FRAMES):
        found = [
            Frame(
                path=it["path"].replace("\\", "/"),
                line=int(it["line"][:9]),
                name=(it["name"] or "").rpartition(".")[2],
                text=(it.groupdict().get("text") or "").strip(),
            )
            for it in pattern.finditer(shown)
        ]
        if found:
            frames = found if number == 0 else found[::-1]  # Python tells the innermost last, others first.
            break
    messages = [*MESSAGE.finditer(shown)]
    types = [it["type"] for it in reversed(messages)] + RAISED.findall(shown)
    plain = SAYS.search(shown)
    says = messages[-1]["says"] if messages else plain["says"] if plain else "" if frames else shown.strip()
    last = LAST.search(shown.rstrip()) if "Traceback" in shown or not messages else None
    if last is not None:
        types, says = [last["type"], *types], last["says"] or ""
    return Seen(
        frames=tuple(frames[-MOST_FRAMES:]), types=tuple(dict.fromkeys(types)), says=says[:500].strip("\"'` ")
    )


async def error(page: Page, code_: Code, text: str) -> bool:
    """What this workspace's code has to do with it; whether anything was found."""
    seen = read_error(text)
    frames = await _ours(code_, seen.frames)
    if frames:
        await _show(page, code_, frames, len(seen.frames))
    made, is_whole = await _made(code_, seen)
    if made:
        page.add("The message is made here:" if is_whole else "Lines with a part of the message:")
        page.items(_line(page, it) for it in made[:6])
    known = {(path, line) for path, line, _ in frames} | {(it.path, it.line) for it in made}
    raised = await _types(page, code_, seen.types, known)
    named = not frames and await _named(page, code_, seen.says)
    hits = await code_.search(text if len(text) < 1_500 else f"{seen.says} {' '.join(seen.types)}", limit=8)
    rest = [
        it
        for it in once(hits)
        if not any(path == it.path and it.first_line <= line <= it.last_line for path, line in known)
        and says_something(it, ())
    ]
    if rest and not raised and not named and not (made and is_whole):
        is_bare = not frames and not made
        page.add("Nothing here says exactly this. The nearest code:" if is_bare else "Related code:")
        page.items(hit_line(page, it) for it in rest[:4])
    return bool(frames or made or raised or named)


async def _ours(code_: Code, frames: Sequence[Frame]) -> list[tuple[str, int, Frame]]:
    """The frames that are in this workspace: path, line now, and the frame."""
    found: list[tuple[str, int, Frame]] = []
    files: dict[str, tuple[str, ...]] = {}
    texts: dict[str, list[str]] = {}
    for it in frames:
        name = it.path.rpartition("/")[2]
        if name not in files:
            files[name] = tuple(
                one for one in await code_.files(name, limit=200) if one.rpartition("/")[2] == name
            )
        path = _same(it.path, files[name])
        if not path:
            continue
        if path not in texts:
            texts[path] = (await code_.text(path) or "").split("\n")
        line = _line_now(texts[path], it) or await _function(code_, path, it)
        if line and (path, line) not in [(one, other) for one, other, _ in found]:
            found.append((path, line, it))
    return found


def _same(path: str, files: Sequence[str]) -> str:
    """The file that a path on some machine is, by the folders that both have; not one of a package."""
    if "site-packages/" in path or "node_modules/" in path or "/lib/python3" in path or path.startswith("<"):
        path = path.rpartition("site-packages/")[2] if "site-packages/" in path else path
    parts = path.split("/")

    def common(it: str) -> int:
        own = it.split("/")
        number = 0
        while number < min(len(own), len(parts)) and own[-1 - number] == parts[-1 - number]:
            number += 1
        return number

    best = max(files, key=lambda it: (common(it), -len(places(it)), -len(it)), default="")
    if not best:
        return ""
    shared = common(best)
    # A mere name is enough where that is all that was told, or where there is one such file at the top.
    is_whole = shared in (len(parts), len(best.split("/")))
    return best if is_whole or 2 <= shared else ""


async def _function(code_: Code, path: str, frame: Frame) -> int:
    """Where the function of a frame is, if its line is not there any more; 0 if that is gone, too."""
    rows = [it for it in await code_.outline(path) if it.name == frame.name]
    return min((it.line for it in rows), key=lambda it: abs(it - frame.line), default=0)


def _line_now(lines: Sequence[str], frame: Frame) -> int:
    """Where the line of a frame is now; 0 if the file is not that long."""
    if frame.text:
        same = [number for number, it in enumerate(lines, 1) if it.strip() == frame.text]
        return min(same, key=lambda it: abs(it - frame.line), default=0)
    return frame.line if 0 < frame.line <= len(lines) else 0


async def _show(page: Page, code_: Code, frames: Sequence[tuple[str, int, Frame]], told: int) -> None:
    path, line, frame = frames[-1]
    lines = (await code_.text(path) or "").split("\n")
    around = f" in {code(frame.name)}" if frame.name and frame.name != "<module>" else ""
    is_same = not frame.text or lines[line - 1].strip() == frame.text
    moved = "" if is_same else f", where {code(frame.text)} is not there any more"
    page.add(f"It happens at {page.link(path, line)}{around}{moved}:")
    first, last = max(1, line - AROUND), min(len(lines), line + AROUND)
    while line < last and not lines[last - 1].strip():
        last -= 1
    width = len(str(last))
    shown = [
        f"{'>' if number == line else ' '} {number:>{width}}  {lines[number - 1]}"
        for number in range(first, last + 1)
    ]
    page.add(block("\n".join(shown), "text"))
    if 1 < len(frames):
        page.add(f"The way there, {len(frames)} of {count(told, 'step')} in this workspace, outermost first:")
        items = []
        for one, number, it in frames:
            text = (await code_.text(one) or "").split("\n")
            name = f" in {code(it.name)}" if it.name and it.name != "<module>" else ""
            items.append(
                f"{page.link(one, number)}{name}: {code(text[number - 1] if number <= len(text) else '')}"
            )
        page.items(items)


async def _made(code_: Code, seen: Seen) -> tuple[list[Line], bool]:
    """The lines with the longest part of the message that any has, and whether it is made there."""
    parts = message_parts(seen.says)
    if not parts:
        return [], False
    whole = sum(len(it.strip()) for it in HOLES.split(seen.says))
    found = await code_.lines("|".join(map(re.escape, parts)), words=tuple(parts), limit=200)
    lines = sorted(found.lines, key=lambda it: (is_test(it.path), it.path, it.line))
    for part in parts:
        having = [it for it in lines if part in it.text]
        raising = [it for it in having if any(name in it.text for name in seen.types)]
        if raising:
            return raising, True
        if having and whole * LEAST_OF_MESSAGE <= len(part):
            return having, whole * ENOUGH_OF_MESSAGE <= len(part)
    return [], False


def message_parts(says: str) -> list[str]:
    """What of a message may stand in code: what is not put in at run time, then less of it."""
    whole = [it.strip(" .,:;()[]\"'") for it in HOLES.split(says)]
    whole = sorted((it for it in whole if FEWEST <= len(it) and " " in it), key=len, reverse=True)
    found: list[str] = []
    for it in whole[:2]:
        words = it.split(" ")
        found.append(it)
        for size in (5, 3):
            if size < len(words):
                found += [" ".join(words[:size]), " ".join(words[-size:])]
    return [it for it in dict.fromkeys(found) if FEWEST <= len(it)][:MOST_PARTS]


async def _types(page: Page, code_: Code, types: Sequence[str], known: set[tuple[str, int]]) -> bool:
    """Where an error of this workspace's own is defined and raised."""
    for name in types[:3]:
        found = [it for it in await find(code_, [name]) if it.row.name == name]
        if not found:
            continue
        it = found[0]
        page.add(
            f"{code(qualified(it.row))} is defined in {page.link(it.path, it.row.line)}{said(it.row.doc)}"
        )
        raised = await code_.lines(
            rf"\b(?:raise|throw|new)\b.*\b{re.escape(name)}\b", words=(name,), limit=12
        )
        lines = [one for one in raised.lines if (one.path, one.line) not in known and not is_test(one.path)]
        if lines:
            page.add("It is raised here:")
            page.items(_line(page, one) for one in lines[:8])
        return True
    return False


async def _named(page: Page, code_: Code, says: str) -> bool:
    """What a message without a place is about: a function called wrongly, a name that is missing."""
    names = [it[1] for pattern in ABOUT for it in [pattern.search(says)] if it]
    for name in dict.fromkeys(names):
        found = [it for it in await find(code_, [name]) if it.row.name == name]
        if not found:
            continue
        page.add(f"It is about {code(name)}:")
        page.items(
            f"{page.link(it.path, it.row.line)} {code(it.row.signature or it.row.name)}{said(it.row.doc)}"
            for it in found[:4]
        )
        first = found[0]
        calls = await code_.callers(name, path=first.path, line=first.row.line, limit=MOST_CALLS)
        if calls and CALLED_WRONGLY.search(says):
            page.add("It is called here:")
            page.items(f"{page.link(it.path, it.line)}: {code(it.text)}" for it in calls)
        return True
    return False


def _line(page: Page, it: Line) -> str:
    around = f" in {code(it.around)}" if it.around else ""
    return f"{page.link(it.path, it.line)}{around}: {code(it.text)}"
