"""Hold our ignore rules against git's own, on the trees of real projects, path by path.

    python -m benchmarks.ignored [--packages curl,jq,...] [ARCHIVE_OR_FOLDER ...]

Each project's files and folders are made again, empty but for its files of rules, in a fresh repository; so
are names that its rules speak of, at the root and in its folders, for most of what rules leave out is never
in an archive. Then `git check-ignore` and Hearth judge every path. Without arguments, the projects are source
packages of Debian, fetched by apt; what cannot be had is said.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.retrieval.sources import CannotFetch, archive
from codeindex.config import DEFAULTS
from codeindex.gitignore import byte_text
from codeindex.ignores import ignored
from codeindex.place import Left, place_of
from codeindex.skip import Reason
from models import paths

PACKAGES = (
    "bat catch2 fd-find fish fmtlib fzf golang-github-spf13-cobra googletest hiredis htop kitty libuv1 "
    "libzstd lua5.4 luajit lz4 mpv nano neovim ninja-build nlohmann-json3 node-express python-pip rapidjson "
    "spdlog stow tmux yaml-cpp"
)
RULES = ".gitignore"
FOLDERS = 12  # Of a project, in which names that its rules speak of are made.
WILD = re.compile(r"\*\*/?|\*|\?|\[!?\]?[^\]]*\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One project."""

    name: str
    rules: int
    """Files of rules."""
    paths: int
    ignored: int
    """By git."""
    only_git: list[str]
    only_hearth: list[str]
    elsewhere: int
    """Paths in folders that Hearth never enters, whatever the rules say: not compared."""


def judge(name: str, files: dict[str, bytes]) -> Judged:
    """Make the tree and ask both."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(os.path.realpath(folder))
        subprocess.run(["git", "init", "-q", str(root)], check=True)
        for path, data in files.items():
            _make(root / path, data)
        for path in _invented(files):
            _make(root / path, b"")
        everything = sorted(
            it.relative_to(root).as_posix()
            for it in root.rglob("*")
            if it.is_file() and ".git" not in it.parts
        )
        git = _by_git(root, everything)
        ours: set[str] = set()
        elsewhere: set[str] = set()
        for path in everything:
            place = place_of(str(root), path, DEFAULTS)
            if not isinstance(place, Left):
                absolute = place.absolute + byte_text(path.rpartition("/")[2])
                if place.ignores is not None and ignored(place.ignores, absolute, folder=False):
                    ours.add(path)
            else:
                (ours if place.reason is Reason.IGNORED else elsewhere).add(path)
    return Judged(
        name=name,
        rules=sum(it.rpartition("/")[2] == RULES for it in files),
        paths=len(everything) - len(elsewhere),
        ignored=len(git - elsewhere),
        only_git=sorted(git - ours - elsewhere),
        only_hearth=sorted(ours - git),
        elsewhere=len(elsewhere),
    )


def _invented(files: dict[str, bytes]) -> Iterator[str]:
    """Names that the rules speak of, at the root, beside the rules and in some folders."""
    folders = sorted({it.rpartition("/")[0] for it in files if "/" in it})
    chosen = folders[:: max(len(folders) // FOLDERS, 1)]
    for path, data in files.items():
        if path.rpartition("/")[2] != RULES:
            continue
        beside = path.rpartition("/")[0]
        for line in data.decode("utf-8", "replace").splitlines():
            rule = line.strip().lstrip("!").strip("/")
            if not rule or rule.startswith("#") or "\\" in rule:
                continue
            name = WILD.sub(_example, rule)
            for folder, end in itertools.product({"", beside, *chosen}, ("", "/inner.c", "x")):
                yield os.path.normpath(os.path.join(folder, name + end)).lstrip("/")


def _example(wild: re.Match[str]) -> str:
    """Something that a wildcard stands for, or nearly."""
    if wild[0].startswith("**"):
        return "a/b/" if wild[0].endswith("/") else "a/b"
    return {"*": "some", "?": "q"}.get(wild[0], wild[0].strip("[]!^")[:1] or "]")


def _make(path: Path, data: bytes) -> None:
    """Write it, unless something of another kind has its place."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(data)
    except OSError:
        return


def _by_git(root: Path, names: Sequence[str]) -> set[str]:
    given = b"".join(os.fsencode(it) + b"\0" for it in names)
    command = ["git", "-C", str(root), "check-ignore", "-z", "--stdin", "--no-index"]
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr.decode("utf-8", "replace"))
    return {os.fsdecode(it) for it in done.stdout.split(b"\0") if it}


def _files(source: Path) -> dict[str, bytes]:
    """Paths within a project, with what stands in the files of rules."""
    if source.is_dir():
        found = (
            it for it in source.rglob("*") if it.is_file() and ".git" not in it.relative_to(source).parts
        )
        return {
            it.relative_to(source).as_posix(): it.read_bytes() if it.name == RULES else b"" for it in found
        }
    files = {}
    with tarfile.open(source) as bundle:
        for member in bundle:
            name = member.name.removeprefix("./").partition("/")[2]
            if member.isfile() and name:
                data = bundle.extractfile(member) if name.endswith(RULES) else None
                files[name] = data.read() if data else b""
    return files


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sources", nargs="*", type=Path)
    parser.add_argument("--packages", default="", help="Debian source packages, separated by commas")
    arguments = parser.parse_args()
    sources: list[tuple[str, Path]] = [(it.name, it) for it in arguments.sources]
    wanted = arguments.packages.split(",") if arguments.packages else PACKAGES.split()
    for name in () if arguments.sources else wanted:
        try:
            sources.append((name, archive(paths.cache_dir() / "benchmarks" / "ignored", "apt-source", name)))
        except CannotFetch as exc:
            print(f"{exc}", file=sys.stderr)
    trees = [(name, _files(source)) for name, source in sources]
    judged = [judge(name, files) for name, files in trees if any(RULES in it for it in files)]
    print(
        "| project | files of rules | paths | left out by git | only by git | only by Hearth |\n"
        + "|---" * 6
        + "|"
    )
    for it in judged:
        apart = f"{len(it.only_git)} | {len(it.only_hearth)}"
        print(f"| {it.name} | {it.rules} | {it.paths} | {it.ignored} | {apart} |")
    for it in judged:
        for way, names in (("git", it.only_git), ("Hearth", it.only_hearth)):
            for name in names[:5]:
                print(f"{it.name}: only {way} leaves out {name}")
    different = sum(len(it.only_git) + len(it.only_hearth) for it in judged)
    print(f"\n{len(judged)} projects, {sum(it.paths for it in judged)} paths, {different} judged differently")
    return 0


if __name__ == "__main__":
    sys.exit(main())
