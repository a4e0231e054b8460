"""What is packed is free, clean, of this project, not of a held-out one, and no benchmark's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from models.train import decontaminate, pack
from models.train.clean import SourceFile
from models.train.sources import Package
from tests.models.train import packages
from tests.models.train.packages import package


def code(name: str, count: int = 12) -> str:
    """A JavaScript file that no other name makes."""
    return "".join(f"function {name}Number{it}(argument) {{ return argument; }}\n" for it in range(count))


def packed(listed: Sequence[Package], work: Path, split: str = "train") -> list[SourceFile]:
    pack.pack(listed, work)
    return pack.read_corpus(work / f"{split}.jsonl.gz")


def test_a_package_becomes_documents_with_project_and_language(tmp_path: Path) -> None:
    """Both are what sampling goes by."""
    folder = tmp_path / "downloads" / "javascript"
    packages.npm(
        folder, "thing", {"src/a.js": code("one"), "src/b.ts": code("two"), "dist/c.js": code("three")}
    )
    found = {(it.project, it.path, it.language) for it in packed([package("thing")], tmp_path)}
    assert found == {("thing", "src/a.js", "javascript"), ("thing", "src/b.ts", "typescript")}


def test_a_copy_of_a_held_out_file_is_dropped_from_training(tmp_path: Path) -> None:
    """A project that carries another along does not give it away, whichever is listed first."""
    folder = tmp_path / "downloads" / "javascript"
    packages.npm(folder, "judged", {"a.js": code("judged")})
    packages.npm(folder, "other", {"copy.js": code("judged") + code("own", 6), "own.js": code("other")})
    listed = [package("other"), package("judged", split="heldout")]
    assert [it.path for it in packed(listed, tmp_path)] == ["own.js"]
    assert [it.project for it in pack.read_corpus(tmp_path / "heldout.jsonl.gz")] == ["judged"]
    told = json.loads((tmp_path / "pack.json").read_text(encoding="utf-8"))
    assert told["train"]["dropped"]["javascript"] == {"copy of held-out": 1}


def test_a_benchmarks_text_is_dropped_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The planted problem stands in a comment; the file goes, the others stay, and both are said."""
    problem = "Count the grey herons that stand in the shallow pond before noon, and no other bird."
    hashes = tmp_path / "benchmark.txt"
    hashes.write_text(decontaminate.written(decontaminate.hashes_of({"0": problem})), encoding="utf-8")
    known = decontaminate.load_hashes(hashes)
    monkeypatch.setattr(pack, "_benchmark", lambda: known)
    folder = tmp_path / "downloads" / "javascript"
    planted = f"// {problem}\n{code('heron')}"
    packages.npm(folder, "birds", {"herons.js": planted, "ducks.js": code("duck")})
    made = pack.cleaned(package("birds"), tmp_path)
    assert [it.path for it in made.files] == ["ducks.js"]
    assert made.benchmark == ("herons.js",)
    pack.pack([package("birds")], tmp_path)
    assert "birds: herons.js" in capsys.readouterr().out


def test_a_package_that_is_missing_damaged_or_not_free_is_told_and_left_out(tmp_path: Path) -> None:
    """The others are packed all the same; the list's word on a licence is not taken for the package's."""
    folder = tmp_path / "downloads" / "javascript"
    packages.npm(folder, "thing", {"a.js": code("thing")})
    packages.npm(folder, "changed", {"a.js": code("changed")}, licence="GPL-3.0")
    (folder / "broken-1.0.tgz").write_bytes(b"no archive")
    listed = [package(it) for it in ("gone", "broken", "changed", "thing")]
    assert [it.project for it in packed(listed, tmp_path)] == ["thing"]
    told = json.loads((tmp_path / "pack.json").read_text(encoding="utf-8"))
    assert told["train"]["dropped"]["javascript"] == {
        "package missing": 1,
        "package damaged": 1,
        "package's licence": 1,
    }


def test_a_package_that_comes_later_is_not_forgotten(tmp_path: Path) -> None:
    """What could not be read is looked for again; what was cleaned is not cleaned again."""
    folder = tmp_path / "downloads" / "javascript"
    assert packed([package("thing")], tmp_path) == []
    archive = packages.npm(folder, "thing", {"a.js": code("thing")})
    first = packed([package("thing")], tmp_path)
    archive.unlink()
    assert first == packed([package("thing")], tmp_path) != []


def test_only_the_packages_own_language_is_read(tmp_path: Path) -> None:
    """A C project's helper scripts, and Python in a Go package, are not what they were chosen for."""
    folder = tmp_path / "downloads" / "debian"
    c = "".join(f"int thing_number_{it}(int argument) {{ return argument; }}\n" for it in range(12))
    packages.debian_source(folder, "thing", {"src/a.c": c, "tools/b.py": "x = 1\n" * 99, "c.hpp": c})
    found = packed([package("thing", origin="debian-source", language="c")], tmp_path)
    assert [(it.path, it.language) for it in found] == [("src/a.c", "c")]


def test_one_project_does_not_rule_the_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project of many files gives no more than its share."""
    folder = tmp_path / "downloads" / "javascript"
    packages.npm(folder, "large", {f"f{it}.js": code(f"f{it}x") for it in range(30)})
    monkeypatch.setattr(pack, "PROJECT_CHARACTERS", 4_000)
    assert 3_000 < sum(len(it.text) for it in packed([package("large")], tmp_path)) <= 4_000


def test_a_file_under_a_copyleft_header_is_dropped(tmp_path: Path) -> None:
    """A file may be under another licence than its package says."""
    folder = tmp_path / "downloads" / "javascript"
    gpl = "/* Under the terms of the GNU General Public License. */\n" + code("theirs")
    packages.npm(folder, "thing", {"a.js": code("ours"), "b.js": gpl})
    assert [it.path for it in packed([package("thing")], tmp_path)] == ["a.js"]
