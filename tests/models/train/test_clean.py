"""Which files are worth learning from."""

from __future__ import annotations

import pytest

from models.train.clean import Duplicates, complaint, language_of, tidy

FUNCTION = "def area(width: int, height: int) -> int:\n    return width * height\n\n\n"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("flask/app.py", "python"),
        ("src/index.ts", "typescript"),
        ("lib/index.mjs", "javascript"),
        ("types/index.d.ts", None),
        ("dist/index.js", None),
        ("lib/jquery.min.js", None),
        ("pip/_vendor/rich/text.py", None),
        ("service_pb2.py", None),
        ("README.md", None),
    ],
)
def test_paths_tell_the_language_or_that_a_file_is_skipped(path: str, expected: str | None) -> None:
    """Bundles, vendored copies and generated files are known by their paths."""
    assert language_of(path) == expected


def test_tidy_drops_the_legal_header() -> None:
    """A header that stands in every file would be learned by heart."""
    assert tidy("# Copyright 2020 Somebody\r\n# All rights\r\nimport os  \r\n") == "import os\n"
    assert tidy("/*\n * Licensed under MIT\n */\nlet a = 1;\n") == "let a = 1;\n"
    assert tidy("# Says what it does.\nimport os\n") == "# Says what it does.\nimport os\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FUNCTION * 8, None),
        (FUNCTION, "size"),
        (FUNCTION * 8 + "x = '" + "a" * 400 + "'\n", "long lines"),
        ("# This file is auto-generated.\n" + FUNCTION * 8, "generated"),
        ("".join(f"ROW_{n} = {n * 7919}\n" for n in range(40)), "digits"),
        (FUNCTION * 8 + "# größte Länge über alle Wörter äöü\n" * 12, "foreign"),
    ],
)
def test_texts_that_teach_nothing_are_named(text: str, expected: str | None) -> None:
    """Each rule has a text that breaks only it."""
    assert complaint(text) == expected


def test_a_near_duplicate_is_recognized() -> None:
    """The same file with a few lines changed is a duplicate; other code is not."""
    lines = [f"    self.value_{n} = compute_value(argument_{n})" for n in range(20)]
    duplicates = Duplicates()
    assert not duplicates.seen("\n".join(lines))
    assert duplicates.seen("\n".join(lines))
    changed = [*lines[:15], *(f"    other_thing_{n} = another_call()" for n in range(5))]
    assert duplicates.seen("\n".join(changed))
    assert not duplicates.seen("\n".join(f"def function_number_{n}(argument):" for n in range(20)))
