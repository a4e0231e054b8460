"""What a file, a folder or the whole project is for: what it says itself, defines, uses, and who uses it."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from chat.code import Call, Code
from chat.extract_page import Page, code, count, prose
from chat.extract_search import unlinked
from chat.extract_source import clipped, purpose
from chat.extract_symbol import CALLABLE, VALUES, is_test, said, short
from codeindex.languages import language_of
from codeindex.rank_places import places
from codeindex.types import Kind, SymbolRow

DEFINED = 14
FILES = 16
FOLDERS = 14
USERS = 8
OVERVIEW_TOKENS = 500
PARTS = 8
DEFINES = re.compile(
    r"\s{1,4}(?:\w+[ \t]+)*?(?:class|def|fn|func|function|struct|interface|trait|type"
    r"|enum)\s+(?:\([^)]*\)\s*)?(\w+)"
)
TEXTS = frozenset({"markdown", "restructuredtext", "text"})
NO_CODE = TEXTS | {"ignore", "ini", "json", "jsonc", "toml", "xml", "yaml", "dotenv", "html", "css"}
READ_ME = re.compile(r"(?:.*/)?readme(?:\.\w+)?\Z", re.IGNORECASE)
STANDS_FOR_FOLDER = (
    "__init__.py",
    "mod.rs",
    "lib.rs",
    "index.ts",
    "index.js",
    "doc.go",
    "main.go",
    "README.md",
)
ENTRY = re.compile(
    r"(?:^|/)(?:__main__\.py|main\.(?:py|go|rs|ts|js|c|cpp|java|kt)|cli\.py|app\.(?:py|ts|js)|manage\.py"
    r"|server\.(?:py|ts|js)|lib\.rs|index\.(?:ts|js))\Z"
)
MANIFESTS = (
    "pyproject.toml",
    "package.json",
    "Cargo.toml",
    "go.mod",
    "pom.xml",
    "setup.cfg",
    "build.gradle",
    "Gemfile",
    "composer.json",
)


async def resolve(code_: Code, paths: Iterable[str], names: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """The file, or the folder with its files, that a path or a module's name means; empty if none does."""
    for it in paths:
        wanted = it.strip("/")
        found = await code_.files(wanted, limit=2_000)
        if wanted in found:
            return wanted, ()
        inside = tuple(one for one in found if one.startswith(f"{wanted}/"))
        if inside:
            return wanted, inside
        ends = [one for one in found if f"/{one}".endswith(f"/{wanted}")]
        if ends:
            return min(ends, key=lambda one: (len(places(one)), one.count("/"), one)), ()
        folders = [one for one in found if f"/{wanted}/" in f"/{one}"]
        if folders:
            folder = (folders[0][: f"/{folders[0]}".index(f"/{wanted}/")] + wanted).strip("/")
            return folder, tuple(one for one in folders if one.startswith(f"{folder}/"))
    for name in names:
        path = name.replace("::", "/").replace(".", "/")
        found = await code_.files(path, limit=2_000)
        stems = [one for one in found if f"/{one.rpartition('.')[0]}".endswith(f"/{path}")]
        packages = [
            one for one in found if f"/{one}".endswith(tuple(f"/{path}/{it}" for it in STANDS_FOR_FOLDER))
        ]
        inside = tuple(one for one in found if one.startswith(f"{path}/"))
        if stems:
            return min(stems, key=lambda one: (len(places(one)), one.count("/"), one)), ()
        if inside:
            return path, inside
        if packages:
            folder = min(packages, key=len).rpartition("/")[0]
            return folder, tuple(one for one in found if one.startswith(f"{folder}/"))
    return "", ()


async def file(page: Page, code_: Code, path: str) -> bool:
    """What one file is for; whether it is there."""
    text = await code_.text(path)
    if text is None:
        return False
    outline, users, used = await asyncio.gather(
        code_.outline(path), code_.callers("", path=path, limit=200), code_.callees("", path=path, limit=200)
    )
    language = language_of(path.rpartition("/")[2])
    number = text.count("\n") + (not text.endswith("\n") and bool(text))
    page.add(f"**{page.link(path, 1, label=_label(path))}** ({count(number, 'line')})")
    says = purpose(text, language)
    if language in TEXTS:
        page.add(prose(says))
        _sections(page, path, outline)
        return True
    page.add(prose(clipped(says)))
    defined(page, path, outline)
    _users(page, users)
    _used(page, used)
    return True


def defined(page: Page, path: str, outline: Sequence[SymbolRow]) -> None:
    """What a file defines: what others may use first."""
    top = [it for it in outline if not it.scope and it.kind is not Kind.SECTION]
    classes = {it.name for it in top if it.kind not in CALLABLE | VALUES}
    top += [
        it
        for it in outline
        if it.scope
        and it.scope not in classes
        and "." not in it.scope
        and not any(it.scope == one.name for one in top)
    ]
    public = [it for it in top if not it.name.startswith("_") and it.kind not in VALUES]
    values = [it for it in top if not it.name.startswith("_") and it.kind in VALUES]
    private = [it for it in top if it.name.startswith("_")]
    shown = public[:DEFINED]
    if shown:
        page.add("It defines:")
        page.items(_item(page, path, it, outline) for it in shown)
    rest = []
    if len(shown) < len(public):
        more = public[len(shown) :]
        rest.append(f"{len(more)} more: {_links(page, path, more, 12)}")
    if values:
        rest.append(f"values: {_links(page, path, values, 8)}")
    if private:
        rest.append(f"for itself: {_links(page, path, private, 6)}")
    text = "; ".join(rest)
    page.add(f"{'And ' if shown else 'It defines '}{text}." if rest else "")


async def folder(page: Page, code_: Code, path: str, files: Sequence[str]) -> None:
    """What a folder is for, and each of its files."""
    own = next((it for name in STANDS_FOR_FOLDER if (it := f"{path}/{name}") in files), "")
    page.add(f"**{code(f'{path}/')}** has {count(len(files), 'file')}.")
    if own:
        text = await code_.text(own) or ""
        says = purpose(text, language_of(own.rpartition("/")[2]))
        if says:
            page.add(f"{prose(clipped(says))} ({page.link(own, 1)})")
    direct = [it for it in files if "/" not in it[len(path) + 1 :] and it != own]
    inner = Counter(it[len(path) + 1 :].partition("/")[0] for it in files if "/" in it[len(path) + 1 :])
    texts = await asyncio.gather(*(code_.text(it) for it in direct[:FILES]))
    items = []
    for it, one in zip(direct[:FILES], texts, strict=True):
        says = purpose(one or "", language_of(it.rpartition("/")[2]))
        items.append(f"{page.link(it, 1, label=_label(it.rpartition('/')[2]))}{said(says)}")
    if FILES < len(direct):
        items.append(f"and {count(len(direct) - FILES, 'more file')}")
    items += [
        f"{code(f'{name}/')}, {count(number, 'file')}" for name, number in sorted(inner.items())[:FOLDERS]
    ]
    page.items(items)


async def project(page: Page, code_: Code) -> bool:
    """What the whole is, where its parts are, and what matters most in it."""
    files = await code_.files(limit=100_000)
    if not files:
        return False
    readme = min((it for it in files if READ_ME.match(it)), key=lambda it: (it.count("/"), it), default="")
    overview = await code_.overview(OVERVIEW_TOKENS)
    if readme and readme.count("/") <= 1:
        text = await code_.text(readme) or ""
        says = introduction(text, language_of(readme.rpartition("/")[2]))
        page.add(f"{prose(says)} ({page.link(readme, 1)})" if says else page.link(readme, 1))
    languages = Counter(language_of(it.rpartition("/")[2]) for it in files if not places(it))
    least = sum(languages.values()) / 20
    main = ", ".join(
        f"{name} ({number:,})"
        for name, number in languages.most_common(4)
        if name and name not in NO_CODE and least <= number
    )
    page.add(f"{count(len(files), 'file')}{f', mostly {main}' if main else ''}.")
    await _folders(page, code_, files)
    entries = [it for it in files if ENTRY.search(it) and not places(it)]
    entries.sort(key=lambda it: (it.count("/"), it))
    manifests = [it for it in files if it.rpartition("/")[2] in MANIFESTS and it.count("/") <= 1]
    if entries:
        page.add(
            "Programs begin in " + ", ".join(page.link(it, 1, label=_label(it)) for it in entries[:6]) + "."
        )
    if manifests:
        page.add(
            "What it needs is in "
            + ", ".join(page.link(it, 1, label=_label(it)) for it in manifests[:4])
            + "."
        )
    if overview.strip():
        page.add("Most of it builds on:")
        page.items(_parts(page, overview, set(files)))
    return True


def _parts(page: Page, overview: str, known: Collection[str]) -> Iterator[str]:
    """The files of an outline, each with its first definitions."""
    names: dict[str, list[str]] = {}
    path = ""
    for line in overview.split("\n"):
        if line.strip() in known:
            path = line.strip()
        elif path and (found := DEFINES.match(line)) and not found[1].startswith("_"):
            names.setdefault(path, []).append(found[1])
    usual = [it for it in names if not places(it)]
    for it in usual[:PARTS]:
        listed = ", ".join(code(name) for name in list(dict.fromkeys(names[it]))[:5])
        yield f"{page.link(it, 1, label=_label(it))}: {listed}"


def introduction(text: str, language: str) -> str:
    """The first paragraphs of a text that introduces a project."""
    beginning = re.split(r"(?m)^(?:##+ |\S.*\n-{3,}$)", text, maxsplit=1)[0]
    return _paragraphs(beginning) or _paragraphs(text) or purpose(text, language)


def _paragraphs(text: str) -> str:
    """The first of its paragraphs, without headings, lists and badges."""
    blocks = re.split(r"\n\s*\n", re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)[:6_000])
    told = [
        " ".join(it.split())
        for it in blocks
        if re.match(r"\s*[^\s#=\-<!\[|>`~+*]", it) and not re.match(r".*\n[=~-]{3,}\s*$", it)
    ]
    kept: list[str] = []
    for it in told:
        if 3 <= len(kept) or 700 < sum(map(len, kept)):
            break
        if 20 < len(it) and not it.endswith(":"):
            kept.append(unlinked(it))
    return "\n\n".join(kept)


async def _folders(page: Page, code_: Code, files: Sequence[str]) -> None:
    top = Counter(it.partition("/")[0] for it in files if "/" in it and not it.startswith("."))
    names = [it for it, _ in top.most_common(FOLDERS)]
    known = set(files)
    own = {
        it: next((f"{it}/{name}" for name in STANDS_FOR_FOLDER if f"{it}/{name}" in known), "")
        for it in names
    }
    texts = await asyncio.gather(*(code_.text(it) if it else _nothing() for it in own.values()))
    items = []
    for (name, path), text in zip(own.items(), texts, strict=True):
        says = purpose(text or "", language_of(path.rpartition("/")[2])) if path else ""
        label = page.link(path, 1, label=code(f"{name}/")) if path else code(f"{name}/")
        items.append(f"{label}, {count(top[name], 'file')}{said(says)}")
    page.items(items)


async def _nothing() -> str | None:
    return None


def _item(page: Page, path: str, it: SymbolRow, outline: Sequence[SymbolRow]) -> str:
    inside = [
        one
        for one in outline
        if one.scope == it.name and not one.name.startswith("_") and one.kind in CALLABLE
    ]
    methods = (
        f" ({', '.join(code(one.name) for one in inside[:6])}{', …' if 6 < len(inside) else ''})"
        if inside
        else ""
    )
    label = code(it.signature.rstrip(" :{") if it.kind not in CALLABLE else short(it), 110)
    return f"{page.link(path, it.line, label=label)}{said(it.doc)}{methods}"


def _links(page: Page, path: str, rows: Sequence[SymbolRow], most: int) -> str:
    shown = ", ".join(page.link(path, it.line, label=code(it.name)) for it in rows[:most])
    return shown + (", …" if most < len(rows) else "")


def _sections(page: Page, path: str, outline: Sequence[SymbolRow]) -> None:
    sections = [it for it in outline if it.kind is Kind.SECTION]
    page.items(page.link(path, it.line, label=prose(it.name)) for it in sections[:20])


def _users(page: Page, users: Sequence[Call]) -> None:
    if not users:
        page.add("No other file of this workspace imports it.")
        return
    ordered = sorted(users, key=lambda it: (len(places(it.path)), it.path))
    tests = sum(is_test(it.path) for it in users)
    shown = ", ".join(page.link(it.path, it.line) for it in ordered[:USERS])
    more = f" and {len(users) - USERS} more" if USERS < len(users) else ""
    among = f", {tests} of all of them tests" if tests and more else ""
    page.add(f"Used by {shown}{more}{among}.")


def _used(page: Page, used: Sequence[Call]) -> None:
    own = [it for it in used if it.sure == "certain"]
    others = list(dict.fromkeys(it.name.partition(".")[0] for it in used if it.sure != "certain"))
    others = [it for it in others if it not in ("__future__", "typing", "")]
    parts = []
    if own:
        parts.append(
            ", ".join(page.link(it.name, 1, label=_label(it.name)) for it in own[:10])
            + (", …" if 10 < len(own) else "")
        )
    if others:
        parts.append(", ".join(code(it) for it in others[:12]) + (", …" if 12 < len(others) else ""))
    if parts:
        page.add(f"It uses {'; and '.join(parts)}.")


def _label(path: str) -> str:
    return code(path) if "_" in path or "*" in path else path.replace("[", "\\[").replace("]", "\\]")


async def changes(page: Page, code_: Code, diff: str) -> None:
    """What has changed, file by file, with the definitions around it."""
    parts = re.split(r"(?m)^diff --git ", diff)[1:]
    page.add(f"Changed since the last commit, {count(len(parts), 'file')}:")
    items = []
    for part in parts[:40]:
        named = re.search(r"(?m)^\+\+\+ b/(.+)$", part)
        gone = re.search(r"(?m)^--- a/(.+)$", part)
        added = sum(it.startswith("+") and not it.startswith("+++") for it in part.split("\n"))
        removed = sum(it.startswith("-") and not it.startswith("---") for it in part.split("\n"))
        hunks = [int(it) for it in re.findall(r"(?m)^@@ -\S+ \+(\d+)", part)]
        if named is None:
            items.append(f"{code(gone[1]) if gone else code(part.partition(' ')[0])}: removed")
            continue
        path = named[1].rstrip("\t")
        rows = await code_.outline(path)
        around = list(dict.fromkeys(it for line in hunks if (it := _around(rows, line + 3))))
        text = await code_.text(path)
        where = page.link(path, max(1, hunks[0] if hunks else 1)) if text is not None else code(path)
        inside = (
            f", in {', '.join(code(it) for it in around[:6])}{', …' if 6 < len(around) else ''}"
            if around
            else ""
        )
        items.append(f"{where}: +{added} −{removed}{inside}")
    page.items(items)
    if 40 < len(parts):
        page.add(f"And {len(parts) - 40} more.")


def _around(rows: Sequence[SymbolRow], line: int) -> str:
    inside = [it for it in rows if it.first_line <= line <= it.last_line and it.kind is not Kind.SECTION]
    found = min(inside, key=lambda it: it.last_line - it.first_line, default=None)
    return "" if found is None else f"{found.scope}.{found.name}" if found.scope else found.name
