"""What is shown as a document: a file of the user's own in the cache, and never many of them."""

from __future__ import annotations

from pathlib import Path

from lsp_server import answers


def test_an_answer_is_a_file_of_the_users(tmp_path: Path) -> None:
    """Nobody else can read it, and its name says what it is."""
    path = answers.write(tmp_path, "Explain a/b: `c`", "# Text\n\n")
    assert path == tmp_path / "answers" / "Explain-a-b-c.md"
    assert path.read_text(encoding="utf-8") == "# Text\n"
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    assert [it.name for it in path.parent.iterdir()] == [path.name]


def test_old_answers_go(tmp_path: Path) -> None:
    """The newest stay; the same title takes the place of its last answer."""
    for number in range(30):
        answers.write(tmp_path, f"Answer {number}", "Text")
    answers.write(tmp_path, "Answer 29", "Again")
    files = list((tmp_path / "answers").glob("*.md"))
    assert len(files) <= answers.MOST
    assert (tmp_path / "answers" / "Answer-29.md").read_text(encoding="utf-8") == "Again\n"


def test_a_title_of_signs_only(tmp_path: Path) -> None:
    """There is a name all the same."""
    assert answers.write(tmp_path, "///", "Text").name == "answer.md"
