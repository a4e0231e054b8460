"""What a package's own metadata says of its licence, and whether that asks for no more than attribution.

Pure. Whatever is not clearly permissive counts as refused: nobody has to guess.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from typing import Final

# The words come from package metadata, so the match is loose ...
PERMISSIVE: Final = re.compile(
    r"\b(MIT|Expat|X11|0?BSD|Apache|PSF|Python Software Foundation|ISC|zlib|libpng|PostgreSQL|curl|"
    r"Unlicense|CC0)",
    re.IGNORECASE,
)
# ... and a part that names one of these is refused, whatever else it says.
REFUSED: Final = re.compile(
    r"GPL|General Public|MPL|Mozilla|\bEPL|Eclipse|CDDL|\bCPL|EUPL|SSPL|BUSL|\bBSL|CC-BY|Creative Commons|"
    r"Artistic|proprietary|commercial|non-?free|Apache[- ]?1|OFL|-NC\b|See LICEN[CS]E",
    re.IGNORECASE,
)
# What the head of a file says of itself, where the package says less.
COPYLEFT: Final = re.compile(
    r"General Public Licen[cs]e|Mozilla Public|Eclipse Public|SPDX-License-Identifier:[^\n]*(?:GPL|MPL|EPL)"
)
FORMAT: Final = re.compile(r"copyright-format|dep-?5", re.IGNORECASE)
LONGEST = 100  # Characters of a licence's name; what is longer is its text.


@dataclass(frozen=True, slots=True, kw_only=True)
class Stanza:
    """The files of a Debian package that one licence holds for."""

    patterns: tuple[str, ...]
    licence: str
    matches: re.Pattern[str]


def permissive(licence: str) -> bool:
    """Whether a licence's name, or an expression of names, surely asks for no more than attribution."""
    plain = re.sub(r",\s*(and|or)\b", r" \1", licence.replace("and/or", "or"), flags=re.IGNORECASE)
    choices = re.split(r"\s+or\s+|\s*\|\|?\s*", plain, flags=re.IGNORECASE)
    parts = [re.split(r"\s+and\s+|\s*[;&/]\s*", it, flags=re.IGNORECASE) for it in choices]
    if "(" in plain and 1 < len(choices) and any(1 < len(it) for it in parts):
        return all(_clear(it) for choice in parts for it in choice)  # nested: every name has to do
    return any(all(map(_clear, it)) for it in parts)


def of_wheel(metadata: str) -> str:
    """The licence that a wheel's ``METADATA`` names, or an empty text."""
    headers = HeaderParser().parsestr(metadata)
    if expression := headers.get("License-Expression"):
        return str(expression).strip()
    classified = [
        str(it).rpartition("::")[2].strip()
        for it in headers.get_all("Classifier", [])
        if str(it).startswith("License ::") and not str(it).endswith("OSI Approved")
    ]
    if classified:
        return " and ".join(classified)
    first = str(headers.get("License", "")).strip().split("\n")[0].strip()
    return first if len(first) <= LONGEST else ""


def of_npm(manifest: dict[str, object]) -> str:
    """The licence that a ``package.json`` names, or an empty text."""
    named = manifest.get("license") or manifest.get("licenses")
    if isinstance(named, list):
        return " OR ".join(str(it.get("type", "")) if isinstance(it, dict) else str(it) for it in named)
    if isinstance(named, dict):
        return str(named.get("type", ""))
    return str(named or "")


def stanzas(copyright_file: str) -> tuple[Stanza, ...]:
    """What a machine-readable ``debian/copyright`` says of which files; nothing if it is not one."""
    paragraphs = [_fields(it) for it in re.split(r"\n\s*\n", copyright_file.replace("\r\n", "\n"))]
    if not paragraphs or not FORMAT.search(paragraphs[0].get("format", "")):
        return ()
    found: list[Stanza] = []
    for it in paragraphs:
        patterns = tuple(it.get("files", "").replace(",", " ").split())
        if patterns:
            licence = it.get("license", "").split("\n")[0].strip()
            found.append(Stanza(patterns=patterns, licence=licence, matches=_pattern(patterns)))
    return tuple(found)


def of_debian(found: Sequence[Stanza]) -> str:
    """The licence of most of a Debian package: that of all files not named apart."""
    for it in found:
        if "*" in it.patterns:
            return it.licence
    others = [it.licence for it in found if not all(name.startswith("debian/") for name in it.patterns)]
    return others[0] if others else ""


def debian_allows(found: Sequence[Stanza], path: str) -> bool:
    """Whether every stanza that may mean this file is permissive.

    Installed files stand elsewhere than in the source, so a pattern may match any end of the path.
    """
    meant = [it for it in found if it.matches.fullmatch(path)]
    return bool(meant) and all(permissive(it.licence) for it in meant)


def _clear(part: str) -> bool:
    return bool(PERMISSIVE.search(part)) and not REFUSED.search(part)


def _fields(paragraph: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in paragraph.strip("\n").split("\n"):
        if line[:1].isspace():
            fields[name] = fields.get(name, "") + "\n" + line.strip()
        elif not line.startswith("#"):
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
    return {key: value.strip() for key, value in fields.items()}


def _pattern(patterns: Sequence[str]) -> re.Pattern[str]:
    shapes = [re.escape(it.removeprefix("./")).replace(r"\*", ".*").replace(r"\?", ".") for it in patterns]
    return re.compile(rf"(?:.*/)?(?:{'|'.join(shapes)})", re.DOTALL)
