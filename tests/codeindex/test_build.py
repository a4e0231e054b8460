"""The index follows the files: after whatever happened to them it is the one that a fresh build makes."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from codeindex.build import Options, Site, build, open_site, update
from codeindex.build_pool import NoWorker
from codeindex.build_report import Outcome, Progress
from codeindex.config import DEFAULTS
from codeindex.lease import take
from codeindex.store import open_reader, store_folder
from codeindex.store.collect import Collecting
from codeindex.store.disk import NAME, size_on_disk
from tests.codeindex.git import make
from tests.codeindex.index_view import view
from tests.codeindex.real_sources import REPOSITORY, WORDS, source, typed

FAILS = "tests.codeindex.parsers:fails"
ONE = Options(jobs=1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project."""
    return make(
        tmp_path / "project", {"a.py": "def alpha():\n    beta()\n", "sub/b.py": "def beta():\n    pass\n"}
    )


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Hearth's cache folder."""
    return tmp_path / "cache"


@pytest.fixture
def site(root: Path, cache: Path) -> Iterator[Site]:
    """The project's index, held."""
    with open_site(root, cache, DEFAULTS, ONE) as found:
        assert found is not None
        yield found


def fresh(root: Path, cache: Path) -> dict[str, object]:
    """What an index shows that is made from nothing."""
    shutil.rmtree(cache, ignore_errors=True)
    assert build(root, cache, DEFAULTS, options=ONE).outcome is Outcome.DONE
    return view(store_folder(root, cache), WORDS)


def change(root: Path, chance: random.Random) -> list[Path]:
    """Do something to the files, as people and git do it; the paths that an editor would tell us."""
    files = sorted(it for it in root.rglob("*.*") if it.is_file() and it.name != ".gitignore")
    folders = sorted({it.parent for it in files} | {root})
    kind = chance.choice(
        ["create", "create", "edit", "edit", "edit", "copy", "rename", "delete", "mass", "remove", "ignore"]
    )
    if kind == "create" or len(files) < 2:
        folder = chance.choice([*folders, root / f"d{chance.randrange(4)}"])
        folder.mkdir(exist_ok=True)
        suffix, text = source(chance)
        path = folder / f"f{chance.randrange(30)}{suffix}"
        path.write_text(text)
        return [path]
    path = chance.choice(files)
    # Sometimes another suffix: the same text is taken apart as another language then.
    suffix = chance.choice([path.suffix] * 3 + [source(chance)[0]])
    other = chance.choice(folders) / f"f{chance.randrange(30)}{suffix}"
    if kind == "edit":
        path.write_text(typed(path.read_text(), chance))
    elif kind == "copy" and path != other:
        shutil.copyfile(path, other)
    elif kind == "rename":
        path.rename(other)
    elif kind == "delete":
        path.unlink()
    elif kind in ("mass", "remove") and path.parent != root:
        if kind == "remove":
            shutil.rmtree(path.parent)
            return [path.parent]
        moved = root / f"m{chance.randrange(10**6)}"
        path.parent.rename(moved)
        return [path.parent, moved]
    elif kind == "ignore":
        (root / ".gitignore").write_text(f"f{chance.randrange(30)}.*\nd{chance.randrange(4)}/\n")
        return [root / ".gitignore"]
    return [path, other]


@pytest.mark.parametrize("seed", range(6))
def test_after_anything_it_is_as_if_built_anew(seed: int, root: Path, tmp_path: Path, site: Site) -> None:
    """Files, chunks, symbols, uses and answers, by updates and by builds, with what is gone and without."""
    chance = random.Random(seed)
    site.build()
    for _ in range(8):
        site.update(change(root, chance))
    saved = _bytes(root)
    for step in range(40):
        if step == 20:
            saved = _bytes(root)
        if step == 35:  # Somebody switches the branch back.
            told: list[Path] = [it for it in _bytes(root) if it not in saved]
            for it in told:
                it.unlink()
            for path, data in saved.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        else:
            told = change(root, chance)
        if step % 10 == 9:
            site.build()
        else:
            site.update([*told, *(saved if step == 35 else ())])
        if step % 13 == 12:
            site.writer.collect(Collecting(grace_s=0.0, least_s=0.0, share=0.3))
        if step % 8 == 7:
            assert view(site.folder, WORDS) == fresh(root, tmp_path / "other"), step
    assert site.writer.verify() == []


def _bytes(root: Path) -> dict[Path, bytes]:
    return {it: it.read_bytes() for it in root.rglob("*") if it.is_file()}


def test_only_what_changed_is_read(root: Path, site: Site) -> None:
    """Also a rename of everything, and its revert, takes nothing apart again."""
    assert site.build().read == 2
    (root / "sub").rename(root / "moved")
    report = site.update(["sub", "moved"])
    assert (report.read, report.gone, report.lines) == (1, 1, 0)
    (root / "a.py").write_text("def other():\n    pass\n")
    assert site.update([root / "a.py"]).lines == 2
    (root / "a.py").write_text("def alpha():\n    beta()\n")
    assert site.update([root / "a.py"]).lines == 0
    assert list(view(site.folder)["files"]) == ["a.py", "moved/b.py"]


def test_what_has_not_changed_for_a_while_is_not_read_again(root: Path, cache: Path) -> None:
    """What was read right after it changed is read once more, for its time may not tell; then no more."""
    counts = []
    for _ in range(3):
        report = build(root, cache, DEFAULTS, options=ONE)
        counts.append((report.read, report.lines))
        if len(counts) == 1:
            time.sleep(2.1)
    assert counts == [(2, 4), (2, 0), (0, 0)]
    generation = report.generation
    (root / "a.py").write_text("def alpha():\n    gamma()\n")  # As long as before.
    report = build(root, cache, DEFAULTS, options=ONE)
    assert (report.read, report.generation) == (1, generation + 1)
    assert "gamma" in view(store_folder(root, cache))["files"]["a.py"][3]


def test_what_is_said_on_the_way(root: Path, cache: Path) -> None:
    """Files and lines grow up to the total; those that are open come first, then the newest."""
    for number in range(300):
        (root / f"n{number}.py").write_text(f"def n{number}():\n    pass\n" * 10)
        os.utime(root / f"n{number}.py", (number, number))
    heard: list[Progress] = []
    options = Options(jobs=1, parser="tests.codeindex.parsers:slow")
    counts: list[set[str]] = []

    def hear(it: Progress) -> None:
        heard.append(it)
        reader = open_reader(store_folder(root, cache))
        assert reader is not None
        with reader:
            counts.append({file.path for file in reader.files()})

    report = build(root, cache, DEFAULTS, first=["n7.py"], on_progress=hear, options=options)
    assert (report.read, report.files, report.outcome) == (302, 302, Outcome.DONE)
    assert heard[0].files == 0
    assert [it.files for it in heard] == sorted(it.files for it in heard)
    assert (heard[-1].files, heard[-1].total, heard[-1].lines) == (302, 302, report.lines)
    assert heard[-1].seconds_left == 0
    assert heard[-1].generation == report.generation
    early = next(it for it in counts if it)
    assert "n7.py" in early
    assert "n0.py" not in early


def test_it_can_be_stopped_and_goes_on(root: Path, cache: Path) -> None:
    """What was read by then is kept; nothing that is gone is forgotten before all is known."""
    for number in range(100):
        (root / f"n{number}.py").write_text(f"def n{number}():\n    pass\n")
    asked = iter([False] * 10 + [True] * 1_000)
    report = build(root, cache, DEFAULTS, stop=lambda: next(asked), options=ONE)
    assert (report.outcome, report.read) == (Outcome.STOPPED, 11)
    assert len(view(store_folder(root, cache))["files"]) == 11
    assert build(root, cache, DEFAULTS, options=ONE).lines == (100 - 11) * 2 + 4
    assert view(store_folder(root, cache), WORDS) == fresh(root, cache)


def test_it_can_be_paused(root: Path, cache: Path) -> None:
    """While it is paused nothing is given out; then it goes on to the end."""
    answers = iter([True, True, True] + [False] * 1_000)
    report = build(root, cache, DEFAULTS, paused=lambda: next(answers), options=ONE)
    assert (report.read, next(answers)) == (2, False)


def test_a_file_that_crashes_or_never_ends_stops_nothing(root: Path, cache: Path) -> None:
    """It is taken apart without its syntax; if that fails too it is left out, and it is said why."""
    bad = {"dies.py": "# dies of it\n", "ends.py": "# never ends\n", "always.py": "# dies always\n"}
    make(root, {**bad, **{f"n{number}.py": f"def n{number}():\n    pass\n" for number in range(60)}})
    report = build(root, cache, DEFAULTS, options=Options(jobs=2, parser=FAILS, limit_s=1.5))
    assert (report.outcome, report.read) == (Outcome.DONE, 65)
    assert report.left_out == (("always.py", "broken"),)
    seen = view(store_folder(root, cache))
    assert len(seen["files"]) == 64
    assert seen["left out"] == [("always.py", "broken")]
    assert [it[3] for it in seen["chunks"]["dies.py"]] == ["python"]


def test_a_parser_that_raises_is_no_reason_to_stop(root: Path, cache: Path) -> None:
    """It is said of the file, and of nothing else."""
    options = Options(jobs=1, parser="tests.codeindex.parsers:broken")
    report = build(root, cache, DEFAULTS, options=options)
    assert sorted(report.left_out) == [("a.py", "broken"), ("sub/b.py", "broken")]
    assert (report.outcome, report.files, report.read) == (Outcome.DONE, 0, 2)
    again = build(root, cache, DEFAULTS, options=options)
    assert again.files == 0


def test_processes_that_do_not_start_are_no_files_fault(root: Path, cache: Path) -> None:
    """A broken installation is said, and no file is marked for it."""
    with pytest.raises(NoWorker, match=r"does not start\."):
        build(root, cache, DEFAULTS, options=Options(jobs=1, parser="tests.codeindex.nothing:parse"))
    assert build(root, cache, DEFAULTS, options=ONE).read == 2


def test_what_does_not_belong_by_its_text(root: Path, cache: Path) -> None:
    """It is noted with its reason, not read again, and comes in when it changes or the settings do."""
    make(root, {"gen.py": "# @generated\nx = 1\n", "bin.py": b"\0\1\2", "c.csv": "a,b\n"})
    report = build(root, cache, DEFAULTS, options=ONE)
    assert sorted(report.left_out) == [("bin.py", "binary"), ("gen.py", "generated")]
    assert sorted(view(store_folder(root, cache))["files"]) == ["a.py", "sub/b.py"]
    build(root, cache, replace(DEFAULTS, generated=True), options=ONE)
    assert sorted(view(store_folder(root, cache))["files"]) == ["a.py", "gen.py", "sub/b.py"]
    (root / "bin.py").write_text("def now():\n    pass\n")
    update(root, cache, replace(DEFAULTS, generated=True), ["bin.py"], options=ONE)
    build(root, cache, DEFAULTS, options=ONE)
    assert sorted(view(store_folder(root, cache))["files"]) == ["a.py", "bin.py", "sub/b.py"]


def test_rules_that_change_change_their_folder(root: Path, site: Site) -> None:
    """One event about a file of rules is enough, and about one that is gone again."""
    site.build()
    make(root, {"sub/.gitignore": "b.py\n"})
    site.update(["sub/.gitignore"])
    assert list(view(site.folder)["files"]) == ["a.py", "sub/.gitignore"]
    (root / "sub/.gitignore").unlink()
    site.update([root / "sub" / ".gitignore"])
    assert list(view(site.folder)["files"]) == ["a.py", "sub/b.py"]
    make(root, {"sub/pyvenv.cfg": ""})
    site.update(["sub/pyvenv.cfg", "../elsewhere.py", ".git/index"])
    assert list(view(site.folder)["files"]) == ["a.py"]


def test_a_root_that_is_not_there_empties_nothing(root: Path, cache: Path, site: Site) -> None:
    """A drive that is not mounted is no reason to forget it."""
    site.build()
    root.rename(root.with_name("away"))
    assert site.build().outcome is Outcome.NO_ROOT
    assert site.update(["a.py"]).outcome is Outcome.NO_ROOT
    assert build(root, cache / "x", DEFAULTS, options=ONE).outcome is Outcome.NO_ROOT
    assert len(view(site.folder)["files"]) == 2


def test_one_at_a_time(root: Path, cache: Path) -> None:
    """Whoever comes second leaves at once, and says so."""
    lease = take(store_folder(root, cache))
    assert lease is not None
    with lease:
        assert build(root, cache, DEFAULTS, options=ONE).outcome is Outcome.BUSY
        assert update(root, cache, DEFAULTS, ["a.py"], options=ONE).outcome is Outcome.BUSY
    assert build(root, cache, DEFAULTS, options=ONE).outcome is Outcome.DONE


def test_nothing_is_written_into_the_project(root: Path, cache: Path) -> None:
    """The index lies in the cache, in a folder with the project's name."""
    before = sorted(root.rglob("*"))
    build(root, cache, DEFAULTS, options=ONE)
    assert sorted(root.rglob("*")) == before
    (folder,) = (cache / "index").iterdir()
    assert folder.name.startswith("project-")
    assert folder == store_folder(root, cache)


def test_damage_that_shows_late_is_built_over(root: Path, cache: Path) -> None:
    """Found in the middle of a build: the index is moved aside and built again, and it is said."""
    make(root, {f"n{number}.py": f"def n{number}():\n    call_{number}()\n" * 30 for number in range(200)})
    build(root, cache, DEFAULTS, options=ONE)
    path = store_folder(root, cache) / NAME
    data = bytearray(path.read_bytes())
    data[8_192:] = random.Random(3).randbytes(len(data) - 8_192)
    path.write_bytes(data)
    report = build(root, cache, DEFAULTS, options=ONE)
    assert (report.outcome, report.read) == (Outcome.DONE, 202)
    assert "damaged" in report.notice
    assert view(store_folder(root, cache), WORDS) == fresh(root, cache)


def test_it_takes_little_space(cache: Path) -> None:
    """Of real code with short functions and much documentation: one and a half times its own, at rest."""
    with open_site(REPOSITORY, cache, DEFAULTS) as site:
        assert site is not None
        site.build()
        site.collect()
        site.rest()
        reader = open_reader(site.folder)
        assert reader is not None
        with reader:
            size = reader.counts().bytes
    assert size_on_disk(store_folder(REPOSITORY, cache)) < 1.5 * size
