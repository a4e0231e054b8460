"""The list of sources keeps its promises, and the attribution names every one of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from models.train.card import BEGIN, sources_table, write_notice
from models.train.licences import permissive
from models.train.sources import (
    LANGUAGES,
    ORIGINS,
    SPLITS,
    load_learned,
    load_packages,
    load_shares,
    together,
    write_learned,
)
from scripts.embedder_pairs import judged_projects

STARTER = Path(__file__).parents[3] / "models" / "starter"


def test_every_package_is_pinned_and_permissively_licensed() -> None:
    """No copyleft, no "latest"."""
    for it in load_packages():
        assert it.version[0].isdigit(), it
        assert permissive(it.licence), it
        assert it.language in LANGUAGES
        assert it.split in SPLITS
        assert it.origin in ORIGINS


def test_a_project_is_trained_on_or_held_out_never_both() -> None:
    """The split is by project: each stands in the list once."""
    counted = Counter((it.language, it.name) for it in load_packages())
    assert [name for name, count in counted.items() if 1 < count] == []


def test_enough_is_held_out() -> None:
    """Scores from one or two projects would be anecdotes."""
    held = Counter(it.language for it in load_packages() if it.split == "heldout")
    assert 10 <= held["python"]
    assert 3 <= held["javascript"]


def test_judged_projects_are_not_trained_on() -> None:
    """What Hearth is measured on, and what its numbers are fitted to, its model has not seen."""
    judged = judged_projects()
    assert 50 < len(judged)
    assert {it.name for it in load_packages() if it.split == "train"} & judged == set()


def test_the_shares_name_every_language_once() -> None:
    """Python leads, and what is drawn adds up."""
    shares = load_shares()
    assert set(shares) == set().union(*LANGUAGES.values())
    assert sum(shares.values()) == pytest.approx(1)
    assert max(shares, key=lambda it: shares[it]) == "python"


def test_a_package_under_another_licence_stops_the_recipe(tmp_path: Path) -> None:
    """The list is checked when it is read, not when somebody looks."""
    path = tmp_path / "sources.toml"
    row = {"name": "a", "version": "1", "licence": "GPL-3.0", "language": "go", "split": "train"}
    fields = "".join(f'{key} = "{value}"\n' for key, value in row.items())
    path.write_text(f'[[package]]\n{fields}origin = "debian"\n', encoding="utf-8")
    with pytest.raises(ValueError, match="permissive"):
        load_packages(path)


def test_the_notice_and_the_card_say_what_the_weights_learned_from(tmp_path: Path) -> None:
    """Attribution that is written by hand is forgotten; what the next weights learn from is not theirs."""
    learned = load_learned(STARTER / "sources.csv")
    assert {"train", "heldout"} == {it.split for it in learned}
    write_notice(learned, tmp_path / "NOTICE")
    notice = (tmp_path / "NOTICE").read_text(encoding="utf-8")
    assert (STARTER / "NOTICE").read_text(encoding="utf-8") == notice
    assert BEGIN + sources_table(learned) in (STARTER / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_what_was_learned_from_is_kept_beside_the_weights(tmp_path: Path) -> None:
    """The list of today, written down and read again."""
    write_learned(load_packages(), tmp_path / "sources.csv")
    assert load_learned(tmp_path / "sources.csv") == load_packages()


def test_weights_that_went_on_have_learned_from_both_lists() -> None:
    """A package that was trained on before it was held out has been seen."""
    learned = load_learned(STARTER / "sources.csv")
    both = {(it.language, it.name): it.split for it in together(learned, load_packages())}
    assert both["python", "rich"] == "train"
    assert {it.name for it in load_packages() if it.split == "heldout"} >= {"rich", "fastapi"}
    assert both["python", "fastapi"] == "heldout"
    trained = {(it.language, it.name) for it in (*learned, *load_packages()) if it.split == "train"}
    assert {key for key, split in both.items() if split == "train"} == trained
