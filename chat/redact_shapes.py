"""Pure: secrets known by what stands around them: key blocks, URLs, headers, connection strings, hashes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from chat.redact_values import Hit, holds_login, is_dull, is_made_up, is_random, looks_chosen

LONGEST_KEY = 20_000  # Characters between the marks of a private key; the longest have some 13,000.
LEAST_KEY = 40  # Characters of base64: what is shorter is a text about keys.

BEGIN_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")
END_KEY = re.compile(r"-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")
KEY_LINE = re.compile(
    r"""[ \t"'`+,;#>*/.()|]{0,80}(?:([A-Za-z0-9+/]{2,}={0,2}|=[A-Za-z0-9+/]{4})|[A-Z][A-Za-z-]+:[ ]"""
    r"""[^\n\\]*|)[ \t"'`+,;.()\\|]{0,20}"""
)
"""A line of a key block: base64, a header, or nothing, in whatever quotes and comments it stands."""
LINE_END = re.compile(r"\\r\\n|\\n|\r\n|\n|\\\\n")
KEY_LINES = re.compile(r"(?:^[ \t]*[\"']?[A-Za-z0-9+/]{60,76}(?:\\n)?[\"']?[,+ \t]*\r?\n){3,}", re.MULTILINE)
PUTTY = re.compile(r"^Private-Lines: \d+\r?\n((?:[A-Za-z0-9+/=]+\r?\n?)+)", re.MULTILINE)
JWK = re.compile(r'"(?:d|p|q|dp|dq|qi|k)"\s*:\s*"([A-Za-z0-9_-]{20,})"')

URL_LOGIN = re.compile(r"(?<=://)([^\s:/?#@\"'`<>\\]{0,100}):([^\s/?#\"'`<>\\]{1,300})@(?=[\w\[.$%{-])")
URL_ODD_LOGIN = re.compile(
    r"(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|mssql|oracle|clickhouse|cockroachdb|cassandra|neo4j"
    r"|bolt|s?ftp|smtps?|imaps?|ldaps?|kafka|nats|mqtts?)(?:\+\w+)?://"
    r"[^\s:/?#@\"'`<>\\]{0,100}:(?!\d+[/?#])([^\s\"'`<>\\]{1,300})@(?=[\w\[.-])"
)
URL_TOKEN = re.compile(r"(?<=://)([^\s:/?#@\"'`<>\\]{16,300})@(?=[\w\[.-])")
URL_QUERY = re.compile(
    r"[?&;](?:[\w.-]*(?:token|secret|signature|password|passwd|apikey|api[_-]key|access[_-]key|credential)"
    r"|key|sig|auth|pwd|code|sas)=([^\s&#\"'`<>;\\]{8,500})",
    re.IGNORECASE,
)
HEADER = re.compile(
    r"\b(basic|bearer|token|apikey|api-key|negotiate|digest|splunk|genie[kK]ey|sso-key|aws4-hmac-sha256)"
    r"[ \t:=]{1,3}([A-Za-z0-9+/=_.~:-]{8,4000})",
    re.IGNORECASE,
)
LOGIN_OPTION = re.compile(
    r"(?:\s-u|--user|--proxy-user|--creds?)[ =]+([\"']?)([^\s:\"'`$]{1,80}):([^\s\"'`]{3,200})\1"
)
OPTION = re.compile(
    r"(?<![\w-])--?[\w-]*(?:password|passwd|passphrase|secret|token|api-?key|access-?key|private-?key|credentials?)"
    r"(?:[ =]|\"\s*,\s*\"|'\s*,\s*')([\"']?)([^\s\"'`]{6,500})\1",
    re.IGNORECASE,
)
SHORT_OPTION = re.compile(
    r"\b(?:mysql|mysqldump|mysqladmin|mariadb|sshpass|mongo\w*|docker login|redis-cli|sqlcmd|ldap\w+"
    r"|smbclient)\b[^\n|;]{0,300}?\s-(?:p|P|a|w)\s?([\"']?)([^\s\"'`-][^\s\"'`]{4,200})\1"
)
NETRC = re.compile(r"\b(?:login|user|account)\s+\S+\s+password\s+([^\s\"'`]{3,200})")
PGPASS = re.compile(r"^[\w.*-]+:(?:\d{2,5}|\*):[\w*-]+:[\w*-]+:(\S{4,200})$", re.MULTILINE)
HASH = re.compile(
    r"(?<!\w)\$(?:apr1|1|2[abxy]?|5|6|7|y|gy|argon2(?:id|i|d)|scrypt|pbkdf2[\w-]*|bcrypt-sha256)\$"
    r"[A-Za-z0-9./$=,+-]{20,200}"
    r"|\{S?SHA(?:256|512)?\}[A-Za-z0-9+/]{20,}={0,2}|\bpbkdf2_sha\d+\$\d+\$[^\s$\"']+\$[A-Za-z0-9+/=]{20,}"
)
PAIR = re.compile(
    r"(?<![\w-])(?:password|pwd|passwd|pass|account ?key|shared ?access ?key|shared ?secret|access ?key"
    r"|secret ?key|client ?secret|sharedaccesssignature|api ?key|endpoint ?key|primary ?key)"
    r"\s?=\s?([^;\"'\s&,`<>]{4,500})",
    re.IGNORECASE,
)
NEIGHBOR = re.compile(
    r"(?:^|[;\s\"'&?{])(?:server|host|hostname|data ?source|database|dbname|initial ?catalog|user ?id|uid"
    r"|user|username|port|driver|endpoint|account ?name|sharedaccesskeyname|defaultendpointsprotocol|hostaddr"
    r"|sslmode|account|encrypt|trustservercertificate)\s?=\s?[^;\s]",
    re.IGNORECASE,
)
KUBERNETES = re.compile(r"^kind:[ \t]*[\"']?Secret\b", re.MULTILINE)
KUBERNETES_DATA = re.compile(
    r"^([ \t]*)(?:stringData|data):[ \t]*\n((?:\1[ \t]+\S.*\n?|[ \t]*\n)+)", re.MULTILINE
)
KUBERNETES_VALUE = re.compile(r"^[ \t]+[\w.-]+:[ \t]*[\"']?([^\s\"'|>#][^\s\"']{3,})", re.MULTILINE)


def find(text: str) -> Iterator[Hit]:
    """All secrets that their surroundings give away."""
    for rule in RULES:
        yield from rule(text)


def key_blocks(text: str) -> Iterator[Hit]:
    """What stands between the marks of a private key, or beside the one that is left of them."""
    if "PRIVATE KEY" not in text:
        return
    for mark in BEGIN_KEY.finditer(text):
        end = END_KEY.search(text, mark.end(), mark.end() + LONGEST_KEY)
        limit = end.start() if end else min(len(text), mark.end() + LONGEST_KEY)
        runs = list(_key_lines(text, _lines(text, mark.end(), limit)))
        yield from runs if end else runs[:1]
    for mark in END_KEY.finditer(text):
        start = max(0, mark.start() - LONGEST_KEY)
        if not BEGIN_KEY.search(text, start, mark.start()):
            yield from list(_key_lines(text, _lines(text, start, mark.start())))[-1:]


def bare_key_lines(text: str) -> Iterator[Hit]:
    """Lines of base64 as a key block has them, cut out of its middle; not those of a certificate."""
    for block in KEY_LINES.finditer(text):
        before = text[max(0, block.start() - 200) : block.start()]
        after = text[block.end() : block.end() + 200]
        if "-----BEGIN" not in before and "-----END" not in after and is_random(block.group()):
            yield Hit(start=block.start(), end=len(text[: block.end()].rstrip()), kind="key material")


def other_keys(text: str) -> Iterator[Hit]:
    """PuTTY's key files and JSON web keys."""
    if "Private-Lines:" in text:
        yield from (_hit(it, 1, "private key") for it in PUTTY.finditer(text))
    if '"kty"' in text:
        yield from (_hit(it, 1, "private key") for it in JWK.finditer(text) if is_random(it[1]))


def urls(text: str) -> Iterator[Hit]:
    """Passwords, tokens and signatures in addresses."""
    if "://" in text:
        for it in URL_LOGIN.finditer(text):
            user, password = it.groups()
            if password.lower() != user.lower() and not password.isdigit() and not is_made_up(password):
                yield _hit(it, 2, "password")
        yield from (_hit(it, 1, "password") for it in URL_ODD_LOGIN.finditer(text) if not is_made_up(it[1]))
        yield from (_hit(it, 1, "token") for it in URL_TOKEN.finditer(text) if is_random(it[1]))
    if "=" in text:
        for it in URL_QUERY.finditer(text):
            if not is_made_up(it[1]) and is_random(it[1], least=8):
                yield _hit(it, 1, "token")


def headers(text: str) -> Iterator[Hit]:
    """What follows ``Basic``, ``Bearer`` and their like."""
    for it in HEADER.finditer(text):
        scheme, value = it[1].lower(), it[2]
        if is_made_up(value):
            continue
        if holds_login(value) if scheme == "basic" else is_random(value):
            yield _hit(it, 2, "login" if scheme == "basic" else "token")


def options(text: str) -> Iterator[Hit]:
    """Passwords and tokens on command lines."""
    for pattern, group in ((LOGIN_OPTION, 3), (OPTION, 2), (SHORT_OPTION, 2)):
        for it in pattern.finditer(text):
            if not is_made_up(it[group]) and looks_chosen(it[group]):
                yield _hit(it, group, "password")


def login_files(text: str) -> Iterator[Hit]:
    """Lines of ``.netrc`` and ``.pgpass``, and hashed passwords wherever they stand."""
    for it in NETRC.finditer(text):
        if not is_made_up(it[1]) and looks_chosen(it[1]):
            yield _hit(it, 1, "password")
    yield from (_hit(it, 1, "password") for it in PGPASS.finditer(text) if looks_chosen(it[1]))
    if "$" in text or "SHA" in text:
        yield from (_hit(it, 0, "password hash") for it in HASH.finditer(text) if not is_dull(it[0]))


def connection_strings(text: str) -> Iterator[Hit]:
    """``Server=…;User Id=…;Password=…``, with semicolons or spaces."""
    for it in PAIR.finditer(text):
        value = it[1]
        if is_made_up(value) or re.fullmatch(r"[\w.]*[(\[{].*|self\..*|[a-z_]+", value):
            continue
        start = text.rfind("\n", 0, it.start()) + 1
        end = text.find("\n", it.end())
        line = (
            text[max(start, it.start() - 400) : it.start()]
            + ";"
            + text[it.end() : end if 0 <= end else None][:400]
        )
        if NEIGHBOR.search(line):
            yield _hit(it, 1, "password")


def kubernetes(text: str) -> Iterator[Hit]:
    """The values of a Kubernetes secret."""
    if "Secret" in text and KUBERNETES.search(text):
        for block in KUBERNETES_DATA.finditer(text):
            for it in KUBERNETES_VALUE.finditer(text, block.start(2), block.end(2)):
                if not is_made_up(it[1]) and it[1] not in ("|-", ">-"):
                    yield _hit(it, 1, "secret")


RULES: tuple[Callable[[str], Iterator[Hit]], ...] = (
    key_blocks,
    bare_key_lines,
    other_keys,
    urls,
    headers,
    options,
    login_files,
    connection_strings,
    kubernetes,
)


def _hit(it: re.Match[str], group: int, kind: str) -> Hit:
    return Hit(start=it.start(group), end=it.end(group), kind=kind)


def _lines(text: str, start: int, end: int) -> list[tuple[int, int]]:
    found = []
    for it in LINE_END.finditer(text, start, end):
        found.append((start, it.start()))
        start = it.end()
    return [*found, (start, end)]


def _key_lines(text: str, lines: list[tuple[int, int]]) -> Iterator[Hit]:
    """The stretches of lines that can belong to a key and are long enough for one."""
    spans: list[tuple[int, int]] = []
    for place in [*lines, None]:
        line = KEY_LINE.fullmatch(text, *place) if place else None
        if line is None:
            if LEAST_KEY <= sum(end - start for start, end in spans):
                yield Hit(start=spans[0][0], end=spans[-1][1], kind="private key")
            spans = []
        elif line[1]:
            spans.append(line.span(1))
