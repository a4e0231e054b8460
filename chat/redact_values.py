"""Pure: whether a piece of text looks made at random, made up for an example, or written by a person."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter
from dataclasses import dataclass

from chat.redact_letters import surprise

PLACEHOLDER = re.compile(r"\[secret: [a-z][a-z0-9 ]*\]")
"""What stands in the place of a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A secret's place in a text, in code points, and what it is called."""

    start: int
    end: int
    kind: str


LEAST_DISTINCT = 5  # Different characters in 16 random hexadecimal digits: fewer once in 50,000 times.
LEAST_SURPRISE = 4.75
"""Bits per character. What people write has 3 to 4.5, random letters and digits 5 to 6.5."""
SHORT = 24  # Below this length chance is wide, and the bar is higher.
LEAST_SURPRISE_SHORT = 4.95
ONE_CASE_SURPRISE = 6.2  # For letters of one case without a digit: no word comes near it.

EXAMPLE = re.compile(
    r"""(?x)
      example|sample|place.?holder|change.?(?:this|me)|replace|redacted|removed|insert.?your|foo.?bar|not.?a.?real
    | x{5}|\*{3}|\.{3}|…|0{8}|12345678|0123456789|abcdefgh|deadbeef|qwerty
    """,
    re.IGNORECASE,
)
"""What an author writes who shows where a secret would stand; too long to turn up by chance."""
SHORT_EXAMPLE = re.compile(
    r"dummy|hidden|your|\bmy[_-]?(?:pass|secret|token|key|user)|\b(?:some|any)[_-]|fake|mock|invalid|wrong|bogus|lorem|xxx|abcdef|asdf|123456|test",
    re.IGNORECASE,
)
"""The same, where chance must be ruled out."""
REFERENCE = re.compile(
    r"""(?x)
      \$\{[^}]*\} | \$\([^)]*\) | \A\$[A-Za-z_]\w*\Z | \{\{.*\}\} | <[A-Za-z_ \-]{2,}>
    | %\(\w+\)[sd] | \A%[sdr]\Z | \A%\w+%\Z
    | \A\{[\w.!:\[\]]*\}\Z | \{[A-Za-z_]\w{2,}\}
    | \A\(?(?:os\.|process\.env|env[.\[(]|ENV\[|var\.|local\.|data\.|secrets?[.\[(])
    | \A(?:vault|ssm|sm|keyring|env|file|op|awssm|gcpsm|secret|ref):(?://)?[\w./-]
    """
)
"""What names the place where the secret is kept instead of holding it."""
NAMELIKE = re.compile(r"[\d.,:]+|[./~].*|[A-Za-z_]\w*(?:[./][A-Za-z_]\w*)+|[a-z]+(?:[-_][a-z]+)*|[A-Z_]+")
CAMEL = re.compile(r"(?:[A-Z]?[a-z]{2,}+|[A-Z]+(?=[A-Z][a-z]|\Z)){2,}+")
CODELIKE = re.compile(r"[\w.]*[A-Za-z_]\w*[(\[].*")
PLAIN = frozenset({
    "password", "passwd", "passphrase", "pass", "pwd", "pw", "secret", "secrets", "token", "tokens", "key",
    "keys", "user", "username", "admin", "root", "guest", "test", "tests", "testing", "tester", "demo",
    "postgres", "mysql", "mariadb", "mongo", "redis", "rabbitmq", "oracle", "sa", "foo", "bar", "baz",
    "qux", "hello", "world", "string", "str", "text", "bytes", "int", "integer", "bool", "boolean", "none",
    "null", "nil", "true", "false", "yes", "no", "on", "off", "default", "empty", "undefined", "unset",
    "required", "optional", "any", "object", "number", "varchar", "basic", "bearer", "digest", "oauth",
    "oauth2", "jwt", "ntlm", "anonymous", "localhost", "host", "login", "auth", "apikey", "value", "name",
    "email", "credentials", "credential", "private", "public", "changeme", "letmein", "unknown", "disabled",
    "enabled", "auto", "system", "inherit", "json", "xml", "yaml", "env", "file", "prompt", "pass1",
    "pass2", "pass123", "password1", "password123", "test123", "secret123", "user1", "user2", "abc",
    "abc123", "123456", "12345678", "aaa", "bbb", "uint8", "uint16", "uint32", "uint64", "int8", "int16",
    "int32", "int64", "float32", "float64", "utf8", "sha1", "sha256", "sha512", "md5", "base64", "hunter2",
})  # fmt: skip
"""Words that stand where a password would, and are none that anybody needs to hide."""


def is_made_up(value: str) -> bool:
    """Whether this only shows where a secret would stand, or says where it is kept."""
    bare = value.strip().strip("\"'`").lower()
    if bare in PLAIN or len(set(bare)) < min(3, len(bare)):
        return True
    return bool(REFERENCE.search(value)) or _is_example(value)


def is_dull(body: str) -> bool:
    """Whether a token's random part is none: too few different characters, or an example's words."""
    return len(set(body)) < min(LEAST_DISTINCT, len(body)) or _is_example(body)


def _is_example(text: str) -> bool:
    if EXAMPLE.search(text):
        return True
    return bool(SHORT_EXAMPLE.search(text)) and surprise(text) < LEAST_SURPRISE_SHORT


def bits(text: str) -> float:
    """Entropy by the text's own counts, bits per character."""
    counts = Counter(text).values()
    return -sum(it / len(text) * math.log2(it / len(text)) for it in counts) if text else 0.0


def is_random(text: str, *, least: int = 16) -> bool:
    """Whether these letters and digits were drawn and not written, as far as ``least`` and more tell."""
    letters = re.sub(r"[^A-Za-z0-9]+", "", text)
    if len(letters) < least or is_dull(letters):
        return False
    if letters.isdigit():
        return False
    if is_hexadecimal(letters):
        return bits(letters.lower()) >= (2.6 if len(letters) < SHORT else 3.0) and not letters.isalpha()
    bar = LEAST_SURPRISE_SHORT if len(letters) < SHORT else LEAST_SURPRISE
    if mixture(letters) < 2 or CAMEL.fullmatch(letters):
        bar = ONE_CASE_SURPRISE
    return bar <= surprise(text)


def looks_chosen(value: str, *, is_quoted: bool = False) -> bool:
    """Whether this may be a password: not a name, a number, a path or, outside of quotes, a piece of code."""
    if NAMELIKE.fullmatch(value) or (not is_quoted and CODELIKE.fullmatch(value)):
        return is_random(value, least=8)
    return bool(re.search(r"[0-9!@#%^&*+?=~$]", value) and re.search(r"[A-Za-z]", value))


def is_hexadecimal(text: str) -> bool:
    """Whether these are hexadecimal digits of one case."""
    return bool(re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", text))


def mixture(text: str) -> int:
    """How many of lower case, upper case and digits there are."""
    return sum(bool(re.search(it, text)) for it in ("[a-z]", "[A-Z]", "[0-9]"))


def holds_login(text: str) -> bool:
    """Whether this is ``user:password`` in base64."""
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return False
    user, colon, password = plain.partition(":")
    return bool(colon and user and password and plain.isprintable())
