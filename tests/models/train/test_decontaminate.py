"""No problem of a benchmark is learned by heart."""

from __future__ import annotations

import subprocess
import sys

from models.train.decontaminate import HASHES, WORDS, contaminated, hashes_of, load_hashes, written

PLANTED = (
    "def count_herons(pond: str) -> int: Count the grey herons that stand in the shallow pond before noon, "
    "leaving out those that only look like herons from far away."
)
HONEST = '''
def count_ducks(pond: str) -> int:
    """Count the brown ducks that swim in the deep lake after noon, if there are any at all."""
    return pond.count("duck")
'''


def test_a_planted_problem_is_found() -> None:
    """However it is laid out, and with other code around it; other code is not taken for it."""
    known = frozenset(it for found in hashes_of({"0": PLANTED}).values() for it in found)
    assert known
    text = '''
import os

def count_herons(pond: str) -> int:
    """Count the grey herons that
       stand in the shallow pond, before noon!
    """
    return 0
'''
    assert contaminated(text, known)
    assert not contaminated(HONEST, known)
    assert not contaminated("", known)


def test_ten_words_in_a_row_are_enough_wherever_they_start() -> None:
    """Every second sequence is kept, so one word more than a sequence is always found."""
    known = frozenset(it for found in hashes_of({"0": PLANTED}).values() for it in found)
    words = PLANTED.lower().replace(",", "").replace(".", "").replace(":", "").split()
    plain = [it for it in words if it.isalpha()]
    for start in range(4, len(plain) - WORDS - 1):
        assert contaminated(" ".join(plain[start : start + WORDS + 1]), known), plain[start]


def test_the_committed_hashes_cover_all_problems_and_hold_no_text() -> None:
    """Each of the 164 has some, and there is nothing in the file but numbers."""
    lines = [it for it in HASHES.read_text(encoding="utf-8").splitlines() if not it.startswith("#")]
    assert [it.split(":")[0] for it in lines] == [str(number) for number in range(164)]
    assert all(len(it) == 12 and int(it, 16) for it in load_hashes())
    assert 2_000 < len(load_hashes())
    assert not contaminated(HONEST, load_hashes())


def test_the_file_says_what_it_covers() -> None:
    """A gap stands in its header, as does a problem too short to be known."""
    text = written(hashes_of({"0": PLANTED, "1": PLANTED, "5": "two words"}))
    assert "2 problems: 0 to 1, 5." in text
    assert "Too short to be known: 5." in text
    assert "heron" not in text


def test_the_script_starts() -> None:
    """The command in the header is one that exists."""
    done = subprocess.run(
        [sys.executable, "-m", "models.train.decontaminate"], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "IndexError" not in done.stderr
    assert "problems.txt" in done.stderr
