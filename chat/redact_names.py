"""Pure: secrets known by the name they are given: in code, settings files, `.env` files, command lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from chat.redact_values import Hit, holds_login, is_hexadecimal, is_made_up, is_random, looks_chosen, mixture

Strength = Literal["password", "secret", "key", ""]

KEYWORD = re.compile(
    r"pass(?:word|wd|phrase|code)?|pwd|secret|token|api_?-?key|key|cred|auth|webhook|dsn|salt|cookie|nonce|seed|pin|"
    r"mot_?de_?passe|kennwort|contrase|senha",
    re.IGNORECASE,
)
REST = re.compile(r"[\w.\-]{0,60}")
BEFORE = re.compile(r"[\w.\-]{0,60}\Z")
LINK = re.compile(
    r"""(?x)
      (?P<close>\\*["'`]?\]?)                                        # the name may be quoted, or a subscript
      (?: [ \t]*:[ \t]*[A-Za-z_&'][\w.\[\]<>?|&:, ']{0,40}?[ \t]+=[ \t]+  # a type between
        | [ \t]*(?:===?|!==?|:=|=>|\?=|\+=|[=:>,(])                   # what binds a value to it
        | [ \t]+(?=["'])                                             # `set_password "..."`
      )
      [ \t]*(?:!{1,2}\w+[ \t]+)?(?:[(\[][ \t]*)?(?:\n[ \t]*(?=\\*["'`]))?
      # a type may stand before the value, and the value on the next line
    """
)
QUOTED = re.compile(
    r"""(?:[bBrRuUfF@$]{0,2}|new\s+\w+\(|\w{1,20}\()(\\*)(\"\"\"|'''|["'`])((?:(?!\1\2)[^\n]){1,1000}?)\1\2"""
)
BLOCK = re.compile(r"[|>][+-]?[ \t]*\n[ \t]+(\S[^\n]{3,500})")
BARE = re.compile(r"[^\s\"'`<>\[\]{},;][^\s\"'`<>,;]{3,1000}")
ENV_VALUE = re.compile(r"[^\s\"'`][^\s\"'`]{2,1000}")
XML_VALUE = re.compile(r"\s*([^\s<][^<\n]{3,500}?)\s*</")
NUMBERED = re.compile(r"[A-Za-z]+\d{1,3}")
VERBS = ("pass", "key", "auth")
CALL = re.compile(r"[A-Za-z_][\w.]*[(\[].*")
ATTRIBUTE = re.compile(r"""["']?[ \t]+value[ \t]*=[ \t]*(["'])([^"'\n]{4,500})\1""", re.IGNORECASE)
LINE_START = re.compile(
    r"(?:^|\n)[ \t]*(?:[+\-#>*]|//|--|;|REM )?[ \t]*(?:-[ \t]+)?"
    r"(?:(?:export|set|setx|ENV|ARG|declare -x|SET)[ \t]+)?[\"']?\Z"
)
COMMENT = re.compile(r"[ \t]*(?:(?:#|//|;)[^\n]*)?(?:\r?\n|\Z|\\n)")

PASSWORDS = frozenset({
    "pass", "password", "passwd", "passphrase", "passcode", "pwd", "pw", "kennwort", "senha",
})  # fmt: skip
SECRETS = frozenset({
    "secret", "secrets", "token", "tokens", "credential", "credentials", "creds", "cred", "auth", "apikey",
    "webhook", "dsn", "salt",
})  # fmt: skip
OTHER = frozenset({
    "cookie", "nonce", "seed", "pin", "key", "keys", "bearer",
})  # fmt: skip
KEYS_OF = frozenset({
    "api", "access", "private", "secret", "encryption", "encrypt", "decryption", "signing", "sign",
    "master", "account", "client", "shared", "service", "session", "license", "auth", "app", "application",
    "deploy", "ssh", "rsa", "aes", "hmac", "jwt", "crypto", "cipher", "storage", "subscription", "admin",
    "consumer", "bot", "webhook", "server", "root",
})  # fmt: skip
AFTERS = frozenset({
    "count", "counts", "counter", "length", "len", "size", "limit", "limits", "max", "min", "type", "types",
    "kind", "name", "names", "field", "fields", "url", "urls", "uri", "path", "paths", "file", "files",
    "filename", "dir", "directory", "label", "title", "text", "texts", "message", "messages", "error",
    "errors", "help", "pattern", "patterns", "regex", "re", "prefix", "suffix", "header", "headers", "env",
    "var", "vars", "variable", "format", "algorithm", "alg", "ttl", "timeout", "expiry", "expires",
    "expiration", "idx", "id", "ids", "position", "pos", "class", "cls", "list", "map", "dict",
    "set", "table", "column", "columns", "index", "hint", "mode", "policy", "provider", "handler",
    "manager", "factory", "store", "storage", "service", "page", "view", "form", "input", "reset",
    "changed", "required", "enabled", "method", "scheme", "strategy", "option", "options", "param",
    "params", "parameter", "parameters", "arg", "args", "callback", "listener", "event", "status", "state",
    "usage", "scope", "scopes", "per", "issuer", "audience", "lifetime", "endpoint", "lookup", "getter",
    "setter", "validator", "description", "desc", "placeholder", "strength", "confirm", "confirmation",
    "template", "command", "cmd", "backend", "source", "target", "version", "ref", "reference", "selector",
    "generator", "parser", "encoder", "decoder", "encoding", "charset", "separator", "delimiter", "start",
    "end", "begin", "stop",
})  # fmt: skip
"""Words behind the name that make it the name of something else: `token_count`, `password_field`."""
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
KINDS = {"password": "password", "secret": "secret", "key": "key"}
LEAST_HEX = 24
LEAST_RANDOM = 16


def find(text: str) -> Iterator[Hit]:
    """All values whose name says that they are secret, and that look as if they were."""
    done = 0
    for word in KEYWORD.finditer(text):
        if word.start() < done:
            continue
        rest = REST.match(text, word.end())
        done = end = rest.end() if rest else word.end()
        link = LINK.match(text, end) or ATTRIBUTE.match(text, end)
        if link is None:
            continue
        before = BEFORE.search(text, max(0, word.start() - 60), word.start())
        start = before.start() if before else word.start()
        strength = strength_of(text[start:end])
        value = _value(text, start, end, link, strength) if strength else None
        if value:
            yield Hit(start=value[0], end=value[1], kind=KINDS[strength])


def strength_of(name: str) -> Strength:
    """What a name promises: a password is believed in easily, a key only if it looks like one."""
    words = [it.lower() for it in WORDS.findall(name)]
    while words and words[-1].isdigit():
        words.pop()
    if not words or (words[-1] in AFTERS and words[-2:] not in (["key", "id"], ["secret", "id"])):
        return ""
    if not PASSWORDS.isdisjoint(words) or "password" in name.lower() or "passwd" in name.lower():
        return "password"
    if words[-1] in ("key", "keys") and 1 < len(words) and words[-2] in KEYS_OF:
        return "secret"
    if not SECRETS.isdisjoint(words) or "secret" in name.lower() or "apikey" in name.lower():
        return "secret"
    return "key" if not OTHER.isdisjoint(words) or words[-1].endswith(("key", "token")) else ""


def is_secret(value: str, strength: Strength, *, is_quoted: bool) -> bool:
    """Whether a value of such a name is one to hide."""
    if is_made_up(value) or len(value) < 4 or value.startswith("[secret: "):
        return False
    if holds_login(value) and 12 <= len(value):
        return True
    letters = re.sub(r"[^A-Za-z0-9]+", "", value)
    if strength == "password":
        if " " in value.strip() and not is_random(value, least=12):
            return False
        return 5 < len(value) and (looks_chosen(value, is_quoted=is_quoted) or is_random(value, least=8))
    if " " in value.strip():
        return False
    if is_hexadecimal(letters):
        return (LEAST_HEX if strength == "secret" else 32) <= len(letters) and is_random(value)
    if strength == "secret":
        return is_random(value, least=LEAST_RANDOM) or (
            (8 if is_quoted else LEAST_RANDOM) <= len(letters)
            and looks_chosen(value, is_quoted=is_quoted)
            and _is_mixed(value)
        )
    return is_random(value, least=20)


def _value(
    text: str, start: int, end: int, link: re.Match[str], strength: Strength
) -> tuple[int, int] | None:
    """Where the value is that a name is bound to, if it is one to hide."""
    if link.re is ATTRIBUTE:
        return _good(link, 2, strength)
    binds = link[0].strip(" \t\"'`\\]\n")
    is_open = 1 < len(binds) and binds[-1] in "(["
    binds = binds.rstrip("([ \t\n") or binds
    if quoted := QUOTED.match(text, link.end()):
        return _good(quoted, 3, strength) if _may_bind(text, start, end, link, binds, quoted[3]) else None
    if binds == ">":
        return _good(XML_VALUE.match(text, link.end()), 1, strength)
    if binds not in ("=", ":", "?=", ":=", "==", "==="):
        return None
    if block := BLOCK.match(text, link.end()):
        return _good(block, 1, strength)
    if not LINE_START.search(text, max(0, start - 40), start):
        return None
    is_env = binds[0] == "=" and text[start:end].isupper() and " " not in link[0]
    at = link.start() + len(link[0].rstrip()) - 1 if is_open else link.end()
    if is_env:  # What follows may begin with another one.
        at = link.start() + link[0].index("=") + 1
    return _bare(text, at, strength, is_env=is_env)


def _may_bind(text: str, start: int, end: int, link: re.Match[str], binds: str, value: str) -> bool:
    """Whether a string behind a name is its value: not the next of a list, nor what a verb is about."""
    if binds == "," and not (link["close"] and text[max(0, start - 2) : start - 1] in ("(", "[", "{")):
        return False
    if binds in ("(", ",") and NUMBERED.fullmatch(value):
        return False
    return bool(binds) or text[start:end].lower() not in VERBS


def _bare(text: str, at: int, strength: Strength, *, is_env: bool) -> tuple[int, int] | None:
    """A value without quotes, alone on the rest of its line."""
    bare = (ENV_VALUE if is_env else BARE).match(text, at)
    if bare is None:
        return None
    value = bare[0]
    if not COMMENT.match(text, bare.end()):  # Before a command it must look the part.
        return bare.span() if is_env and is_secret(value, strength, is_quoted=True) else None
    if is_env and strength == "password":
        return None if is_made_up(value) or value.startswith(("$", "[secret: ")) else bare.span()
    if CALL.fullmatch(value) and not is_random(value):
        return None
    return bare.span() if is_secret(value, strength, is_quoted=False) else None


def _good(it: re.Match[str] | None, group: int, strength: Strength) -> tuple[int, int] | None:
    return it.span(group) if it and is_secret(it[group], strength, is_quoted=True) else None


def _is_mixed(value: str) -> bool:
    """Whether digits or odd characters stand within the letters, not only at their end."""
    return mixture(value) == 3 and bool(re.search(r"[0-9!@#%^&*+?=~$][A-Za-z]", value))
