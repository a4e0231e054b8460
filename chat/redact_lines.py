"""Pure: secrets in command lines, infrastructure files and prose, where a name and a value have no quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from chat.redact_values import Hit, is_made_up, is_random, looks_chosen, mixture

NAME = r"[\w.-]{0,60}(?:password|passwd|passphrase|pwd|secret|token|api_?-?key|access_?-?key)"
BEHIND = r"(?=[\s\"'`]|\Z|\\n)"

INLINE = re.compile(
    rf"(?<=[\s\"'`;,:]){NAME}[A-Z]{{0,10}}=([^\s\"'`<>;&,()\[\]{{}}\\]{{6,400}}){BEHIND}", re.IGNORECASE
)
"""``-e DB_PASSWORD=…``, ``--set auth.password=…``, ``ansible_password=…``."""
DOCKER = re.compile(
    rf"^[ \t]*ENV[ \t]+{NAME}\w{{0,20}}[ \t]+([^\s\"'`=]{{6,400}})[ \t]*$", re.IGNORECASE | re.MULTILINE
)
TERRAFORM = re.compile(
    r"variable[ \t]+\"[^\"\n]{0,60}(?:password|secret|token|key)[^\"\n]{0,20}\"[ \t]*\{[^{}]{0,500}?"
    r"default[ \t]*=[ \t]*\"([^\"\n]{6,400})\""
)
NPM = re.compile(r":_(?:authToken|auth|password)[ \t]*=[ \t]*[\"']?([^\s\"'$]{8,400})")
OPENSSL = re.compile(r"-pass(?:in|out)?[ \t]+[\"']?pass:([^\s\"'`]{4,200})")
ORACLE = re.compile(r"jdbc:oracle:\w+:[^/\s\"'@]{1,60}/([^@\s\"']{3,200})@")
COOKIE = re.compile(r"\bCookie[\"']?:[ \t]*[\"']?[\w.-]{1,60}=([^;\s\"',]{16,2000})", re.IGNORECASE)
AWS_PAIR = re.compile(
    r"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])[\s\S]{1,160}?(?<![A-Za-z0-9/+])([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
)
PROSE = re.compile(
    r"\b(?:password|passphrase|passwd|token|secret|api key|key|login)\b[ \t]+(?:is|was|=|:|->|to)[ \t]+"
    r"[\"'`]?([^\s\"'`]{8,200})",
    re.IGNORECASE,
)
STRENGTH = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])(?=.*[!@#$%^&*+?=~_-])|(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z])")


def find(text: str) -> Iterator[Hit]:
    """All secrets in lines of these kinds."""
    for pattern in (INLINE, DOCKER, TERRAFORM, NPM, OPENSSL, ORACLE):
        for it in pattern.finditer(text):
            if looks_chosen(it[1]) and not is_made_up(it[1]):
                yield _hit(it, it[1], "password")
    yield from (_hit(it, it[1], "token") for it in COOKIE.finditer(text) if is_random(it[1]))
    if "AKIA" in text or "ASIA" in text:
        pairs = AWS_PAIR.finditer(text)
        yield from (_hit(it, it[1], "aws key") for it in pairs if mixture(it[1]) == 3 and is_random(it[1]))
    for it in PROSE.finditer(text):
        value = it[1].rstrip(".,;:!?)")
        if (
            STRENGTH.match(value)
            and looks_chosen(value)
            and is_random(value, least=8)
            and not is_made_up(value)
        ):
            yield _hit(it, value, "password")


def _hit(it: re.Match[str], value: str, kind: str) -> Hit:
    return Hit(start=it.start(1), end=it.start(1) + len(value), kind=kind)
