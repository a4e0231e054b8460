"""Unsaved buffers are searched like files, and hide what is on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from codeindex.overlay import Overlay, scores, words
from codeindex.types import Filters
from tests.codeindex.searched import Workspace, workspace

FILES = {
    "a.py": "def parse_header(text):\n    return text.split(':')\n",
    "b.py": "def send_request(url):\n    return open_connection(url)\n",
}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Workspace]:
    """Two files."""
    found = workspace(tmp_path, FILES)
    yield found
    found.reader.close()


def test_a_new_function_is_found_before_it_is_saved(made: Workspace) -> None:
    """By its name and by its words."""
    overlay = Overlay()
    overlay.put(
        "a.py",
        FILES["a.py"] + "\n\ndef fold_whitespace(text):\n    return ' '.join(text.split())\n",
        "python",
    )
    for question in ("fold_whitespace", "how is whitespace folded"):
        hit = made.hits(question, overlay=overlay)[0]
        assert (hit.path, hit.unsaved) == ("a.py", True)
        assert "fold_whitespace" in hit.text


def test_a_deleted_function_is_not_found_though_it_is_on_disk(made: Workspace) -> None:
    """The buffer is the truth."""
    overlay = Overlay()
    overlay.put("a.py", "x = 1\n", "python")
    assert "a.py" not in made.paths("parse_header", overlay=overlay)
    overlay.drop("a.py")
    assert made.paths("parse_header", overlay=overlay)[0] == "a.py"


def test_a_file_that_was_never_saved_is_found(made: Workspace) -> None:
    """Also by its path."""
    overlay = Overlay()
    overlay.put("fresh/codec.py", "def encode_frame(data):\n    return data\n", "python")
    assert made.paths("encode_frame", overlay=overlay)[0] == "fresh/codec.py"
    assert made.paths("fresh/codec.py", overlay=overlay)[0] == "fresh/codec.py"


def test_a_buffer_takes_its_place_among_files(made: Workspace) -> None:
    """It is not first because it is open, and not last because it is not indexed."""
    overlay = Overlay()
    overlay.put("c.py", "def unrelated(url):\n    return url\n", "python")
    assert made.paths("send a request to a url", overlay=overlay)[0] == "b.py"
    overlay.put("c.py", "def send_request_url(request, url):\n    return send(request, url)\n", "python")
    assert made.paths("send a request to a url", overlay=overlay)[0] == "c.py"


def test_a_buffer_like_its_file_is_not_unsaved(made: Workspace) -> None:
    """It was opened, and nothing was written."""
    overlay = Overlay()
    overlay.put("a.py", FILES["a.py"], "python")
    hit = made.hits("parse_header", overlay=overlay)[0]
    assert (hit.path, hit.unsaved) == ("a.py", False)


def test_filters_hold_for_buffers(made: Workspace) -> None:
    """A buffer of another language or folder does not pass."""
    overlay = Overlay()
    overlay.put("x/c.py", "def parse_header(text):\n    pass\n", "python")
    assert "x/c.py" not in made.paths("parse_header", overlay=overlay, where=Filters(paths=("/a.py",)))
    assert made.paths("parse_header", overlay=overlay, where=Filters(languages=("go",))) == []
    assert made.paths("parse_header", overlay=overlay, where=Filters(paths=("x/",))) == ["x/c.py"]


def test_memory_is_bounded_and_the_oldest_edits_go_first() -> None:
    """A thousand open files do not fill the memory."""
    overlay = Overlay(most_characters=100)
    for number in range(10):
        overlay.put(f"{number}.py", "x" * 30, "python")
    assert [f"{it}.py" in overlay for it in range(10)] == [False] * 7 + [True] * 3
    overlay.put("large.py", "x" * 1000, "python")
    assert len(overlay) == 0


def test_an_edit_is_parsed_anew() -> None:
    """What was known of the text before is forgotten."""
    overlay = Overlay()
    overlay.put("a.py", "def one():\n    pass\n", "python")
    assert [it.name for it in overlay.buffer("a.py").parsed.symbols] == ["one"]
    overlay.put("a.py", "def two():\n    pass\n", "python")
    assert [it.name for it in overlay.buffer("a.py").parsed.symbols] == ["two"]


def test_rare_words_and_names_count_more() -> None:
    """As in the index."""
    common = [words("", "", "value text") for _ in range(8)]
    rare, named = words("", "", "value header"), words("header", "", "value")
    found = scores([*common, rare, named], ("value", "headers"), (2.0, 1.0, 1.0))
    assert max(found[:8]) < found[8] < found[9]
