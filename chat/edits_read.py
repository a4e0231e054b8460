"""Pure: a model's answer, however it is written, as changes and code that can be placed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chat import edits_blocks, edits_diff, edits_paths
from chat.edits_clean import clean
from chat.edits_fences import MOST_BLOCKS, Block, split
from chat.edits_types import Change, Code, Proposed, Unclear
from chat.edits_units import outline

LONGEST_ANSWER = 200_000  # characters: more than any model of ours writes, and read in well under a second
MOST_LINES = 8_000
LONGEST_QUOTE = 80

_TAGS = {
    "python": "py python3 py3 pyi python2",
    "javascript": "js jsx node mjs cjs javascriptreact typescript ts tsx",
    "typescript": "ts tsx mts typescriptreact javascript js jsx",
    "javascriptreact": "js jsx javascript tsx",
    "typescriptreact": "ts tsx jsx typescript javascript",
    "go": "golang",
    "rust": "rs",
    "c": "cpp c++ h cc",
    "cpp": "c c++ cc hpp h cxx",
    "csharp": "cs c#",
    "shellscript": "sh bash zsh shell console",
    "ruby": "rb",
    "markdown": "md",
    "kotlin": "kt",
    "yaml": "yml",
    "objective-c": "objc objectivec",
}
_OTHER_TAGS = "bash sh shell console terminal zsh powershell cmd text txt plaintext output log stdout out"
_OTHERS = frozenset(_OTHER_TAGS.split())
_MINOR = re.compile(
    r"\b(?:usage|for example|an? example|outputs?|prints?|run (?:it|the|this|with)|install\w*|command|test it"
    r"|try it|you can (?:now )?(?:use|call|run|test)|original|before|current|existing|how to use|result)\b",
    re.IGNORECASE,
)
_OLD = re.compile(
    r"^\W*(?:\d+[.)]\s*)?(?:search(?: for)?|find|old|before|original|replace|change|from|current|existing"
    r"|replace this|replace the following|change this|this)"
    r"(?:\s+(?:code|lines?|block|text|version|function|method|this|part))*\W*$",
    re.IGNORECASE,
)
_NEW = re.compile(
    r"^\W*(?:and\s+)?(?:replace|replacement|with|new|after|updated|to|replace (?:it )?with|with this"
    r"|change (?:it )?to|fixed|improved|refactored|modified|by)"
    r"(?:\s+(?:code|lines?|block|text|version|function|method|this|part|it))*\W*$",
    re.IGNORECASE,
)
_PROSE = re.compile(r"^\s*(?:[-*#>•]|\d+[.)])?\s*(?:\*\*)?[A-Z`“\"'][^{};=]*(?:[.:!?)…]|\*\*|`)\s*$")
_REFUSES = re.compile(
    r"\b(?:sorry|cannot|can't|can’t|unable|not able|won't|as an ai|no changes|nothing to|already|looks good"
    r"|is correct|doesn't need|does not need)\b",
    re.IGNORECASE,
)


def proposals(answer: str, *, language: str, task: str, finished: bool | None) -> tuple[Proposed, ...]:
    """What an answer proposes, in its order; `Unclear` if it proposes nothing that can be read."""
    if LONGEST_ANSWER < len(answer):
        raise Unclear("The answer is too long to be read as edits.")
    text = clean(answer)
    if not text.strip():
        raise Unclear("The answer is empty.")
    if MOST_LINES < text.count("\n"):
        raise Unclear("The answer has too many lines to be read as edits.")
    if language != "json" and (found := edits_blocks.from_json(text)):
        return tuple(found)
    tagged, text = edits_blocks.between_tags(text)
    marked, lines = edits_blocks.between_marks(text.split("\n"))
    blocks, prose = split(lines, language)
    if MOST_BLOCKS < len(blocks):
        raise Unclear("The answer has too many blocks to be read as edits.")
    if finished is False and blocks and not blocks[-1].closed:
        raise Unclear("The answer was cut off.")
    explicit = [*tagged, *marked]
    found = _from_blocks(blocks, language, task, finished)
    if explicit:
        found = [it for it in found if not (isinstance(it, Code) and not it.text.replace("\0", "").strip())]
        return (*explicit, *found)
    if not found:
        found = _from_prose(prose, language, task, finished)
    if not found:
        raise Unclear(_nothing(prose, bool(blocks)))
    return tuple(found)


def _nothing(prose: Sequence[str], has_blocks: bool) -> str:
    if has_blocks:
        return "The answer has a block of code with nothing in it."
    text = " ".join(" ".join(prose).split())
    says = text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE].rsplit(" ", 1)[0] + " …"
    return (
        f"The answer changes nothing: “{says}”"
        if _REFUSES.search(text)
        else f"The answer has no code: “{says}”"
    )


def _from_blocks(blocks: Sequence[Block], language: str, task: str, finished: bool | None) -> list[Proposed]:
    found: list[Proposed] = []
    at = 0
    while at < len(blocks):
        block = blocks[at]
        after = blocks[at + 1] if at + 1 < len(blocks) else None
        if after and _is_label(_OLD, block) and _is_label(_NEW, after) and _is_whole(block, after):
            new = "\n".join(after.lines)
            path, hint = _path(block)
            found.append(edits_blocks.change(block.lines, after.lines, path, hint, new))
            at += 2
            continue
        found += _from_block(block, language, task, finished, is_last=at == len(blocks) - 1)
        at += 1
    return found


def _is_label(label: re.Pattern[str], block: Block) -> bool:
    return any(len(it) <= LONGEST_QUOTE and label.match(it) for it in block.above[-1:])


def _is_whole(*blocks: Block) -> bool:
    return all(it.closed and any(line.strip() for line in it.lines) for it in blocks)


def _path(block: Block) -> tuple[str, str]:
    """The path said plainly, and the one only mentioned."""
    if path := edits_blocks.info_path(block.info):
        return path, ""
    filled = [it for it in block.lines if it.strip()]
    for it in reversed(block.above[-1:]):
        if path := edits_paths.named(it):
            return path, ""
    if len(block.above) == 2 and (path := edits_paths.named(block.above[0])):
        return path, ""
    if filled and (path := edits_paths.commented(filled[0])):
        return path, ""
    return "", next((path for it in reversed(block.above) if (path := edits_paths.mentioned(it))), "")


def _from_block(
    block: Block, language: str, task: str, finished: bool | None, *, is_last: bool
) -> list[Proposed]:
    if not any(it.replace("\0", "").strip() for it in block.lines):
        return []
    path, hint = _path(block)
    words = re.split(r"[\s:,{]", block.info.lower(), maxsplit=1)
    tag = words[0].lstrip(".")
    if edits_diff.is_diff(block.lines, tag, language):
        if not block.closed and not finished:
            raise Unclear("The answer may have been cut off within a diff.")
        return list(edits_diff.read(block.lines, hint, path))
    text = "\n".join(block.lines)
    if language != "json":
        found = edits_blocks.from_json(text)
        if found:
            return found
        if tag in ("json", "jsonc") or text.lstrip().startswith('{"'):
            raise Unclear("The answer is JSON that says nothing of edits.")
    is_ours = tag in (language, *_TAGS.get(language, "").split())
    above = block.above[-1] if block.above else ""
    minor = (tag in _OTHERS and not is_ours) or (bool(_MINOR.search(above)) and not path)
    return [
        Code(
            path=path,
            hint=hint,
            text=text,
            complete=block.closed or bool(finished),
            minor=minor,
            appends=task == "tests",
            documents=task == "document",
        )
    ]


def _from_prose(prose: Sequence[str], language: str, task: str, finished: bool | None) -> list[Proposed]:
    """An answer without fences: a diff, or code with sentences at most around it."""
    lines = list(prose)
    diff = [at for at, it in enumerate(lines) if it.startswith(("--- ", "@@", "diff --git ", "*** "))]
    if diff and edits_diff.is_diff(lines[diff[0] :], "", language):
        end = _end_of_diff(lines, diff[0])
        if finished is False and end == len(lines):
            raise Unclear("The answer was cut off.")
        path = next((edits_paths.named(it) for it in reversed(lines[: diff[0]]) if it.strip()), "")
        return list(edits_diff.read(lines[diff[0] : end], "", path))
    closed = bool(finished)
    while lines and (not lines[-1].strip() or _is_prose(lines[-1])):
        closed = bool(lines.pop().strip()) or closed
    start = next((at for at, it in enumerate(lines) if it.strip() and not _is_prose(it)), len(lines))
    above = [it for it in lines[:start] if it.strip()]
    lines = lines[start:]
    if not lines:
        return []
    path = edits_paths.named(lines[0])
    if path:
        lines = lines[1:]
    if finished is False and not closed:
        raise Unclear("The answer was cut off.")
    if not outline(lines, language).units or any(_is_prose(it) for it in lines if not it[:1].isspace()):
        return []
    hint = next((it for line in reversed(above[-2:]) if (it := edits_paths.mentioned(line))), "")
    return [
        Code(
            path=path,
            hint=hint,
            text="\n".join(lines),
            complete=closed,
            appends=task == "tests",
            documents=task == "document",
        )
    ]


def _end_of_diff(lines: Sequence[str], start: int) -> int:
    """Before the sentences that follow a diff without a fence."""
    end = len(lines)
    while start < end and (not lines[end - 1].strip() or _is_prose(lines[end - 1])):
        end -= 1
    return end


def _is_prose(line: str) -> bool:
    """Whether a line at the left edge is a sentence or a heading and no code."""
    if line[:1].isspace() or len(line) > 2000:
        return False
    return bool(_PROSE.match(line)) and (len(line.split()) > 2 or line.endswith(":"))


def is_change(it: Proposed) -> bool:
    """Whether a proposal says what it replaces."""
    return isinstance(it, Change)
