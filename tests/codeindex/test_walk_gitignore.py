"""Ignore rules are git's: a table and random trees, held against git itself; and rules that are none."""

from __future__ import annotations

import os
import random
import tomllib
from pathlib import Path
from typing import Any

import pytest

from codeindex.gitignore import MOST_GLOBS, Rules, byte_text, read_rules, verdict
from tests.codeindex.git import git, ignored_by_git, needs_git

CASES = tomllib.loads((Path(__file__).parent / "ignore_cases.toml").read_text(encoding="utf-8"))["case"]
NAMES = (
    "a",
    "b",
    "ab",
    "abc",
    "a.py",
    "foo",
    "foo.o",
    "[",
    "a]",
    "-",
    "!a",
    "#b",
    "a\\",
    "é",
    "B",
    "a*",
    "c^d",
    "x y",
    "a ",
)
WILD = ("*", "*", "**", "**", "***", "?", "*.py", "/", "/", "/", "\\/")
BRACKETS = (
    "[ab]",
    "[!a]",
    "[^b]",
    "[a-c]",
    "[]a]",
    "[a/b]",
    "[[:alpha:]]",
    "[[:space:]]",
    "[\\]]",
    "[a",
    "[z-a]",
    "[[:no:]]",
)
BRACKETS_2 = (
    "[[:a]",
    "[!-b]",
    "[--a]",
    "[[:punct:]]",
    "[a-]",
    "[[:upper:]]",
    "[A-C]",
    "[B]",
    "[a-b-c]",
    "[[:digit:]-a]",
)
PLAIN = (
    "a",
    "b",
    "ab",
    "foo",
    "c",
    "\\a",
    "\\*",
    "\\",
    "\\!",
    "\\#",
    "!",
    "#",
    ".py",
    ".o",
    "é",
    "]",
    "-",
    "\\B",
    "B",
    "\\ ",
    " ",
    "\t",
)
PIECES = (*WILD, *BRACKETS, *BRACKETS_2, *PLAIN)
PER_RUN = 150  # Trees per question to git: each is a folder of its own with its own rules.


def left_out(rules: Rules, path: str) -> bool:
    """As in a walk: a path is left out if it is, or a folder above it. Folders end in a slash."""
    parts = path.rstrip("/").split("/")
    heads = ["/".join(parts[: it + 1]) for it in range(len(parts))]
    last = len(parts) - 1
    return any(
        verdict(rules, byte_text(head), folder=place < last or path.endswith("/"))
        for place, head in enumerate(heads)
    )


@pytest.mark.parametrize("case", CASES, ids=lambda it: it["name"])
def test_the_table_holds(case: dict[str, Any]) -> None:
    """Each rule leaves out what it should, and nothing else."""
    rules = read_rules(case["rules"].encode())
    asked = case["out"] + case["keep"]
    assert [it for it in asked if left_out(rules, it)] == case["out"]


@needs_git
@pytest.mark.parametrize("case", CASES, ids=lambda it: it["name"])
def test_the_table_is_gits(case: dict[str, Any], tmp_path: Path) -> None:
    """The table says what git says: otherwise it would only be our opinion."""
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_bytes(case["rules"].encode())
    asked = case["out"] + case["keep"]
    for path in asked:
        target = tmp_path / path
        if path.endswith("/"):
            target.mkdir(parents=True, exist_ok=True)
        elif not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("")
    plain = [it.rstrip("/") for it in asked]
    assert ignored_by_git(tmp_path, plain) == {it.rstrip("/") for it in case["out"]}


@needs_git
@pytest.mark.parametrize("ignore_case", [False, True], ids=["case counts", "case is ignored"])
@pytest.mark.parametrize("seed", range(4))
def test_random_rules_are_read_as_git_reads_them(seed: int, ignore_case: bool, tmp_path: Path) -> None:
    """For trees and rules that nobody thought of, git and we leave out the same."""
    dice = random.Random(seed)
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "core.ignorecase", str(ignore_case).lower())
    ours, asked = set(), []
    for number in range(PER_RUN):
        folder = tmp_path / str(number)
        lines = [pattern(dice) for _ in range(dice.randint(1, 4))]
        content = "\n".join(lines).encode()
        paths = grow(dice, folder)
        (folder / ".gitignore").write_bytes(content)
        rules = read_rules(content, ignore_case=ignore_case)
        assert rules.problems == () or max(it.count("**") for it in lines) > 3
        if rules.problems:
            continue
        asked += [f"{number}/{it.rstrip('/')}" for it in paths]
        ours |= {f"{number}/{it.rstrip('/')}" for it in paths if left_out(rules, it)}
    theirs = ignored_by_git(tmp_path, asked)
    shown = {it: (tmp_path / it.split("/")[0] / ".gitignore").read_bytes() for it in ours ^ theirs}
    assert shown == {}
    assert 0 < len(theirs) < len(asked)


def test_rules_need_no_encoding() -> None:
    """A Latin-1 rule matches the Latin-1 name: rules and names are bytes."""
    rules = read_rules("*.caf\xe9\n".encode("latin-1"))
    assert left_out(rules, os.fsdecode(b"x.caf\xe9"))
    assert not left_out(rules, "x.café")


def test_a_million_names_are_looked_up() -> None:
    """A list of a million names, written by some program, is honored whole."""
    rules = read_rules(b"\n".join(b"data/%d.bin" % it for it in range(1_000_000)))
    assert rules.problems == ()
    assert left_out(rules, "data/999999.bin")
    assert not left_out(rules, "data/1000000.bin")


def test_too_many_wildcards_are_said() -> None:
    """Past a limit wildcards are left aside, and somebody hears of it."""
    rules = read_rules(b"\n".join(b"*%d" % it for it in range(MOST_GLOBS + 10)))
    assert len(rules.problems) == 1
    assert left_out(rules, "a7")


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("*a" * 40 + "b", "a" * 250),
        ("a/**/" * 3 + "b", "/".join("a" * 60)),
        ("[a-z]*" * 30 + "0", "z" * 250),
        ("?*" * 60 + "/x", "y" * 250),
    ],
)
def test_no_rule_takes_forever(rule: str, path: str) -> None:
    """A repository cannot hang an editor with a pattern that has too many ways to fail."""
    assert not left_out(read_rules(rule.encode()), path)


def test_too_deep_a_pattern_is_said() -> None:
    """What would take too long is left aside, and somebody hears of it."""
    rules = read_rules(b"**/a/**/b/**/c/**/d\n")
    assert len(rules.problems) == 1
    assert not left_out(rules, "a/b/c/d")


def pattern(dice: random.Random) -> str:
    text = "".join(dice.choice(PIECES) for _ in range(dice.randint(1, 6)))
    for chance, change in ((0.25, "!{}"), (0.2, "/{}"), (0.2, "{}/"), (0.1, "{}  "), (0.05, "{}\r")):
        if dice.random() < chance:
            text = change.format(text)
    return text


def grow(dice: random.Random, folder: Path) -> list[str]:
    """A small random tree; its paths, folders with a slash behind."""
    folder.mkdir()
    for _ in range(12):
        here = folder
        for depth in range(dice.randint(1, 4)):
            here = here / dice.choice(NAMES)
            if here.is_file():
                break
            if not here.exists():
                if dice.random() < 0.3 + 0.1 * depth:
                    here.write_text("")
                    break
                here.mkdir()
    found = sorted(folder.rglob("*"))
    return [it.relative_to(folder).as_posix() + "/" * it.is_dir() for it in found]
