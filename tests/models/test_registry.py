"""A model is found by the name people type, or there is one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from models import registry
from models.errors import ModelError


@pytest.fixture
def starter_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The bundled model's place, for this test."""
    path = tmp_path / "starter.gguf"
    monkeypatch.setattr(registry, "STARTER_FILE", path)
    return path


def said(name: str) -> str:
    with pytest.raises(ModelError) as refused:
        registry.find(name)
    return str(refused.value)


@pytest.mark.parametrize("name", ["", "starter"])
def test_the_starter_has_a_name(starter_file: Path, name: str) -> None:
    """Nothing said means the bundled one."""
    starter_file.touch()
    spec = registry.find(name)
    assert (spec.name, spec.path) == ("starter", starter_file)


def test_the_starters_card_says_how_to_ask_it(starter_file: Path) -> None:
    """What was measured beside the model is what the prompt and the threshold follow."""
    starter_file.touch()
    spec = registry.find("starter")
    assert 0 < spec.anchor_lines
    assert 0.0 < spec.confidence_threshold < 1.0
    assert 0.0 <= spec.memory_weight <= 1.0


def test_a_missing_starter_says_what_to_do(starter_file: Path) -> None:
    """It comes with the package."""
    assert said("starter") == f"The bundled starter model is missing at {starter_file}; install Hearth again."


def test_a_file_is_found_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Absolute, relative, from the home folder, through a link; whatever its ending is."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    for name in ("m.gguf", "blob"):
        (folder / name).touch()
    (tmp_path / "link.gguf").symlink_to(folder / "m.gguf")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (f"{folder}/m.gguf", "a folder/m.gguf", "~/a folder/m.gguf"):
        assert registry.find(name).path == folder / "m.gguf"
        assert registry.find(name).name == "m"
    assert registry.find(f"{folder}/blob").name == "blob"
    assert registry.find("link.gguf").path == folder / "m.gguf"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("none", "No model is called 'none'; known: starter, or the path of a .gguf file."),
        ("none.gguf", "There is no model file at none.gguf."),
        (".", "There is no model file at .."),
        ("~nobody/m", "No model is called '~nobody/m'; known: starter, or the path of a .gguf file."),
        ("a" * 999, f"No model is called '{'a' * 100}'; known: starter, or the path of a .gguf file."),
    ],
)  # fmt: skip
def test_what_is_no_model(name: str, sentence: str) -> None:
    """The name is repeated, so that a slip of the finger is seen."""
    assert said(name) == sentence


@pytest.mark.parametrize("name", ["\0", "\ud800", "a/" * 9000, "\n", "/dev/null", "/dev/null/x.gguf"])
def test_any_string_is_one_sentence(name: str) -> None:
    """Clients may ask for anything."""
    assert said(name).endswith(".")
