"""What is drawn has the languages' shares, whatever the corpus has more of."""

from __future__ import annotations

import pytest

from models.train.clean import SourceFile
from models.train.mixing import drawn, weights

SHARES = {"python": 0.75, "go": 0.25}


def file(language: str, size: int) -> SourceFile:
    return SourceFile(project="p", path="f", language=language, text="x" * size)


def test_the_shares_decide_and_within_a_language_the_size() -> None:
    """A corpus of mostly Go is drawn as mostly Python."""
    files = [file("go", 900), file("python", 10), file("python", 30), file("go", 300), file("c", 50)]
    assert weights(files, SHARES) == pytest.approx([0.1875, 0.1875, 0.5625, 0.0625, 0.0])
    assert weights([], SHARES) == []


def test_a_sample_stops_at_each_languages_share() -> None:
    """What is drawn for the tokenizer has the same mixture; the last file of a language may reach over."""
    files = [file("go", 20), file("go", 20), file("go", 20), *(file("python", 20) for _ in range(9))]
    chosen = drawn(files, SHARES, 100)
    assert [it.language for it in chosen] == ["go"] * 2 + ["python"] * 4
