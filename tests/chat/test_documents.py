"""Documents are read, cut at headings and pages, and ranked; what cannot be read is a sentence."""

from __future__ import annotations

import sys
from pathlib import Path

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat import documents
from chat.documents import CannotRead
from tests.chat.papers import write_docx, write_pdf

GUIDE = """# Guide

Welcome.

## Install

Run make install, and wait until the wheel is built.

```sh
# this is no heading
make install
```

## Deploy

Push a tag. The pipeline builds an image and rolls it out to the cluster.

Rolling back
------------

Push the tag before it again.
"""
LINES = st.lists(
    st.sampled_from(["", "  ", "# One", "## Two", "===", "---", "```", "word word", "\fpage", "x" * 700]),
    max_size=40,
)


def test_markdown_is_cut_at_its_headings() -> None:
    """A section has its headings as a trail, and its lines; small ones join; code has no headings."""
    found = documents.sections(GUIDE)
    assert [(it.title, it.first_line, it.last_line) for it in found] == [
        ("Guide", 1, 12),
        ("Guide > Deploy", 14, 16),
        ("Guide > Rolling back", 18, 21),
    ]
    lines = GUIDE.split("\n")
    for it in found:
        assert it.text == "\n".join(lines[it.first_line - 1 : it.last_line])


@given(LINES)
@settings(max_examples=200, deadline=None)
def test_every_line_is_in_one_section(lines: list[str]) -> None:
    """Whatever the text: no line with a word is lost or doubled, and each section is exactly its lines."""
    found = documents.sections("\n".join(lines))
    covered = [number for it in found for number in range(it.first_line, it.last_line + 1)]
    assert len(covered) == len(set(covered))
    assert {number for number, it in enumerate(lines, 1) if it.strip()} <= set(covered)
    for it in found:
        assert it.text == "\n".join(lines[it.first_line - 1 : it.last_line])


def test_the_section_that_answers_comes_first() -> None:
    """The words of the question decide, in any of their forms."""
    (best, *_) = documents.pieces("guide.md", GUIDE, "how are images deployed?", in_file=True, score=1.5)
    assert "Push a tag." in best.text
    assert best.score == 1.5
    assert best.place is not None
    assert best.place.path == "guide.md"


def test_a_pdf_has_pages(tmp_path: Path) -> None:
    """Its pages are apart, and a piece says on which one it stands; it has no lines to point at."""
    path = write_pdf(tmp_path / "spec.pdf", [["The first page", "speaks of weather."], ["Retry after 429."]])
    text = documents.read(path)
    assert [it.strip() for it in text.split(documents.PAGE)] == [
        "The first page\nspeaks of weather.",
        "Retry after 429.",
    ]
    best = documents.pieces("spec.pdf", text, "when to retry?", in_file=False)[0]
    assert (best.title, best.text, best.place) == ("spec.pdf, page 2", "Retry after 429.", None)


def test_a_document_that_has_changed_is_read_again(tmp_path: Path) -> None:
    """What was read before is used as long as the file is the same."""
    path = write_pdf(tmp_path / "spec.pdf", [["Before."]])
    assert documents.read(path) == "Before."
    write_pdf(path, [["Afterwards."]])
    assert documents.read(path) == "Afterwards."


def test_of_a_long_pdf_the_first_pages_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document with too many pages says how far it was read."""
    monkeypatch.setattr(documents, "MOST_PAGES", 2)
    text = documents.read(write_pdf(tmp_path / "long.pdf", [["One."], ["Two."], ["Three."]]))
    assert text == "One.\n\fTwo.\n\f(Only the first 2 of 3 pages were read.)"


def test_a_docx_has_headings_and_tables(tmp_path: Path) -> None:
    """Headings are marked, tables are lines."""
    text = documents.read(write_docx(tmp_path / "plan.docx"))
    assert text == (
        "# Deployment\n\n# Before\n\nAsk the database to make a backup.\n\n# After\n\n"
        "Watch the error budget for an hour.\n\nbudget | 0.1 %"
    )
    best = documents.pieces("plan.docx", text, "backups of the database", in_file=False)[0]
    assert best.title == "plan.docx: Before"


def locked(path: Path) -> None:
    """Lock a PDF with a password."""
    writer = pypdf.PdfWriter(clone_from=write_pdf(path, [["secret"]]))
    writer.encrypt("password", algorithm="RC4-128")
    writer.write(path)


BROKEN = {
    "a.pdf": (lambda it: it.write_bytes(b"%PDF-1.4\n garbage"), "a.pdf is damaged, or no PDF."),
    "b.pdf": (lambda it: it.write_bytes(b""), "b.pdf is damaged, or no PDF."),
    "c.pdf": (
        lambda it: write_pdf(it, [[]]),
        "There is no text in c.pdf; pages that are only pictures cannot be read.",
    ),
    "d.pdf": (locked, "d.pdf is locked with a password."),
    "a.docx": (lambda it: it.write_bytes(b"PK\x03\x04 garbage"), "a.docx is damaged, or no DOCX."),
    "a.md": (lambda it: it.write_bytes(b"\0\1\2"), "a.md is not a text."),
    "b.md": (lambda it: it.mkdir(), "b.md cannot be read"),
    "c.md": (lambda it: None, "c.md cannot be read: No such file or directory."),
    "a.exe": (lambda it: it.write_bytes(b"MZ"), "a.exe is no document that can be read"),
    "secrets.txt": (
        lambda it: it.write_text("x"),
        "secrets.txt is a file that keeps secrets, and is not read.",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_read_is_a_sentence(name: str, tmp_path: Path) -> None:
    """Damaged, locked, empty, missing or secret: one sentence that names the file."""
    make, says = BROKEN[name]
    make(tmp_path / name)
    with pytest.raises(CannotRead) as caught:
        documents.read(tmp_path / name)
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize(("name", "library"), [("a.pdf", "pypdf"), ("a.docx", "docx")])
def test_without_the_extra_it_says_what_to_install(
    name: str, library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its library a document is a sentence with the name of the extra."""
    (tmp_path / name).write_bytes(b"x")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(CannotRead, match=r"hearth-assistant\[docs\]"):
        documents.read(tmp_path / name)
