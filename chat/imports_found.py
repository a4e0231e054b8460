"""Pure: import statements as other files of the project write them, read for one name."""

from __future__ import annotations

import re
from posixpath import dirname, join, normpath, relpath

from chat.edits_lexical import family
from chat.imports_types import Wanted

_NAME = r"[\w$]+"


def kind_of(language: str) -> str:
    """Under which name a language's imports are known here."""
    if language in ("php", "kotlin", "scala", "csharp", "cpp"):
        return language
    return family(language)


def pattern(name: str, language: str) -> str:
    """What a line looks like that brings a name in; empty if a line does not say."""
    word, kind = re.escape(name), kind_of(language)
    if kind == "python":
        return rf"^\s*(?:from\s+[\w.]+\s+import\b.*\b{word}\b|import\s+.*\b{word}\b)"
    if kind == "javascript":
        return rf"^\s*(?:import\b.*\b{word}\b.*\bfrom\b|(?:const|let|var)\b.*\b{word}\b.*=\s*require\()"
    if kind == "go":
        return rf"^\s*(?:import\s+)?(?:{word}\s+\"[^\"]+\"|\"(?:[^\"]*/)?{word}(?:/v\d+)?\")\s*$"
    if kind == "rust":
        return rf"^\s*(?:pub\s+)?use\s+[\w:]+.*\b{word}\b"
    if kind in ("java", "kotlin", "scala"):
        return rf"^import\s+[\w.]+\.{word};?\s*$"
    return rf"^use\s+[\w\\]+\\{word};" if kind == "php" else ""


def read(line: str, name: str, language: str, path: str, target: str) -> Wanted | None:
    """What a line of the file ``path`` brings in, as the file ``target`` would write it."""
    kind, text = kind_of(language), line.strip()
    if kind == "python":
        return _python(text, name, path, target)
    if kind == "javascript":
        return _script(text, name, path, target)
    if kind == "go" and (found := re.search(r"(?:(\w+)\s+)?\"([^\"]+)\"", text.removeprefix("import "))):
        return Wanted(module=found[2], called=found[1] or "", form="module")
    if kind == "rust":
        return _rust(text, name)
    if kind == "php" and (found := re.match(r"use\s+([\w\\]+)\\(\w+);", text)):
        return Wanted(module=found[1], name=found[2])
    found = re.match(rf"import\s+([\w.]+)\.({re.escape(name)});?$", text)
    return Wanted(module=found[1], name=found[2]) if found else None


def _python(text: str, name: str, path: str, target: str) -> Wanted | None:
    text = text.partition("#")[0].rstrip()
    if found := re.match(r"from\s+([\w.]+)\s+import\s+\(?(.*?)\)?$", text):
        if found[1].startswith(".") and dirname(path) != dirname(target):
            return None
        for it in found[2].split(","):
            words = it.split()
            if words and words[-1] == name:
                called = name if 1 < len(words) else ""
                return Wanted(module=found[1], name=words[0], called=called)
        return None
    for it in text.removeprefix("import ").split(","):
        words = it.split()
        if words and (words[-1] == name or (len(words) == 1 and words[0].partition(".")[0] == name)):
            called = name if 1 < len(words) else ""
            return Wanted(module=words[0], called=called, form="module")
    return None


def _script(text: str, name: str, path: str, target: str) -> Wanted | None:
    found = re.search(r"(?:from|require\()\s*[\"']([^\"']+)[\"']", text)
    if not found or text.startswith("import type"):
        return None
    module = found[1]
    if module.startswith("."):
        there = normpath(join(dirname(path), module))
        module = relpath(there, dirname(target) or ".")
        module = module if module.startswith(".") else f"./{module}"
    head = text[: found.start()]
    inner = re.search(r"\{([^}]*)\}", head)
    for it in inner[1].split(",") if inner else ():
        words = re.split(r"\s+as\s+|\s*:\s*", it.strip().removeprefix("type "))
        if words[-1] == name:
            return Wanted(module=module, name=words[0], called=name if 1 < len(words) else "")
    outside = re.sub(r"\{[^}]*\}", "", head)
    if re.search(rf"\*\s+as\s+{re.escape(name)}\b", outside):
        return Wanted(module=module, name=name, called=name, form="module")
    if re.search(rf"^(?:import|const|let|var)\s+{re.escape(name)}\b", outside):
        return Wanted(module=module, name=name, called=name, form="default")
    return None


def _rust(text: str, name: str) -> Wanted | None:
    flat = re.sub(r"^(?:pub(?:\([^)]*\))?\s+)?use\s+", "", text).rstrip(";")
    if flat.startswith(("super", "self")):
        return None
    if found := re.match(r"([\w:]+)::\{([^{}]*)\}$", flat):
        items = [it.split() for it in found[2].split(",") if it.strip()]
        words = next((it for it in items if it[-1] == name), None)
        if words is None:
            return None
        return Wanted(module=found[1], name=words[0], called=name if 1 < len(words) else "")
    found = re.match(r"([\w:]+)::(\w+)(?:\s+as\s+(\w+))?$", flat)
    if found and (found[3] or found[2]) == name:
        return Wanted(module=found[1], name=found[2], called=found[3] or "")
    return None


def rust_module(path: str) -> str:
    """`src/shop/cart.rs` is crate::shop::cart."""
    inside = path.rpartition("src/")[2] if "src/" in path else path
    parts = inside.removesuffix(".rs").split("/")
    if parts[-1] in ("mod", "lib", "main"):
        parts = parts[:-1]
    return "::".join(["crate", *parts])
