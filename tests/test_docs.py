"""What the documents claim holds: links lead somewhere, commands exist, pins cover what we need."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import typer
from packaging.requirements import Requirement

from lsp_server.commands import app
from models.version import VERSION

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    it.relative_to(ROOT).as_posix()
    for folder in (ROOT, ROOT / "docs", ROOT / "editors", ROOT / "models")
    for it in (folder.glob("*.md") if folder == ROOT else folder.rglob("*.md"))
    if "node_modules" not in it.parts
)
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
COMMAND = re.compile(r"(?:^|`)(?:\$ )?hearth ([a-z]+)\b", re.MULTILINE)
TARGET = re.compile(r"(?:^|`)make ([a-z]+)\b", re.MULTILINE)
PIN = re.compile(r"[a-z0-9][a-z0-9.-]*==[A-Za-z0-9.+!]+(?: *; *python_version *[<>=!]+ *\"[\d.]+\")?")


def commands() -> dict[str, typer.models.CommandInfo]:
    return {it.name: it for it in app.registered_commands if it.name}


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as hosts of Markdown make them."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", it.lower()).strip().replace(" ", "-") for it in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link of a document leads to a file, and its anchor to a heading; examples are none."""
    missing = []
    for link in LINK.findall(FENCED.sub("", (ROOT / page).read_text())):
        file, _, anchor = link.partition("#")
        if ":" in file:
            continue
        target = (ROOT / page).parent / file if file else ROOT / page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            missing.append(link)
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_documents_exist(page: str) -> None:
    """`hearth <command>` and `make <target>` in a document can be typed as they stand."""
    text = (ROOT / page).read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    groups = {it.typer_instance.info.name for it in app.registered_groups if it.typer_instance}
    assert set(COMMAND.findall(text)) <= set(commands()) | groups
    assert set(TARGET.findall(text)) <= targets


@pytest.mark.parametrize("name", sorted(commands()))
def test_commands_are_documented(name: str) -> None:
    """A command that no document names does not exist for the user."""
    pages = "".join((ROOT / it).read_text() for it in PAGES)
    assert f"`hearth {name}" in pages or f"\nhearth {name}" in pages


def test_make_help_names_every_target() -> None:
    """`make` alone says what there is."""
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony is not None
    named = set(re.findall(r'@echo "make (\w+)', makefile))
    assert named == set(phony[1].split()) - {"help", "setup"}


def test_the_gate_is_the_two_commands() -> None:
    """What continuous integration runs is what a contributor runs, and nothing else."""
    gate = ROOT / ".ci" / "run"
    lines = [it.removesuffix(" </dev/null") for it in gate.read_text().splitlines()]
    assert [it for it in lines if not it.startswith(("#", "set ", "cd "))] == ["make test", "make check"]
    assert gate.stat().st_mode & 0o111


def test_constraints_are_names_and_versions_only() -> None:
    """A pin says what to install, never where from: that is the user's own choice."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [it for it in lines if it and not it.startswith("#")]
    assert [it for it in pins if not PIN.fullmatch(it)] == []
    assert len({it.partition("==")[0] for it in pins}) == len(pins)


def test_constraints_cover_what_is_declared() -> None:
    """Everything declared for running and developing is pinned, at a version the declaration allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(it.split(";")[0].strip().split("==") for it in lines if "==" in it)
    for requirement in map(Requirement, declared):
        assert requirement.name in pins, f"{requirement.name} is not pinned"
        assert pins[requirement.name] in requirement.specifier, (
            f"{requirement} against {pins[requirement.name]}"
        )


def test_changelog_knows_this_version() -> None:
    """Users find what changed under the version they have, or under what is not released yet."""
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased" or headings[0] == VERSION


@pytest.mark.parametrize("name", ["LICENSE", "NOTICE"])
def test_licenses_are_there(name: str) -> None:
    """Who distributes Hearth has to pass these two on."""
    assert "Apache License" in (ROOT / name).read_text()
