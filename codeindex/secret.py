"""Pure: whether a file keeps a secret, by its name or by what is in it. Nothing switches this off."""

from __future__ import annotations

import math
import re
from collections import Counter

FOLDERS = frozenset({".aws", ".azure", ".gcloud", ".gnupg", ".kube", ".ssh", ".vault", ".password-store"})
"""Folders that hold little but credentials."""

NAMES = re.compile(
    r"""
      \.env(?!\.(?:example|sample|template|dist|defaults)\Z)(?:\..*|rc)? | .+\.env
    | .*\.(?:pem|key|p12|pfx|pkcs12|jks|keystore|kdbx?|ppk|gpg|pgp|ovpn|secret|mobileprovision)
    | id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?.*
    | \.?credentials(?:\.(?:json|ya?ml|toml|ini|csv|xml|db))? | .*[_-]credentials\.json
    | [._]netrc | \.npmrc | \.pypirc | \.git-credentials | \.pgpass | \.my\.cnf | \.htpasswd | \.dockercfg
    | \.s3cfg | \.boto | \.vault[_-]pass.* | \.vault-token | kubeconfig(?:\.ya?ml)?
    | .*\.tfvars(?:\.json)? | .*\.tfstate(?:\..*)?
    | .*service[_-]?account.*\.json | client[_-]secrets?.*\.json | .*firebase-adminsdk.*\.json
    | \.?secrets?(?:\.[\w-]+)?\.(?:json|ya?ml|toml|ini|env|properties|txt)
    """,
    re.VERBOSE | re.DOTALL,
)
PATHS = re.compile(
    r"(?:.*/)?(?:\.docker/config\.json|\.config/gh/hosts\.yml|\.cargo/credentials.*)", re.DOTALL
)

TOKENS = tuple(
    (start, re.compile(body))
    for start, body in (
        *((it, r"[0-9A-Z]{16}(?![0-9A-Za-z])") for it in ("AKIA", "ASIA")),
        *((it, r"[A-Za-z0-9]{36,}") for it in ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "npm_")),
        ("github_pat_", r"[A-Za-z0-9_]{40,}"),
        ("glpat-", r"[\w-]{20,}"),
        ("hf_", r"[A-Za-z0-9]{30,}"),
        ("pypi-AgE", r"[\w-]{40,}"),
        ("AIza", r"[\w-]{35}(?![\w-])"),
        ("SG.", r"[\w-]{22}\.[\w-]{43}"),
        ("sk-", r"[\w-]{20,}"),
        *((it, r"[A-Za-z0-9]{20,}") for it in ("sk_live_", "rk_live_")),
        *(
            (it, r"[0-9A-Za-z-]{20,}")
            for it in ("xoxa-", "xoxb-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-")
        ),
    )
)
"""How tokens of well known services begin, and what follows: a random part, long enough to be one."""
PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\\[rn]|[\s\"'+,]|[A-Z][A-Za-z-]+: [^\n\\]*)*"
    r"[A-Za-z0-9+/]{24}"
)
SERVICE_ACCOUNT = re.compile(r'"type"\s*:\s*"service_account"')
LEAST_BITS = 3.2
"""Entropy of a token's random part, bits per character, by its own counts. Random ones of 16 to 40 characters
have 3.3 to 4.8; placeholders such as `xxxx…` and `your-key-goes-here` have less, or no digit."""


def secret_name(relative: str) -> bool:
    """Whether a file with this relative POSIX path is one that people keep secrets in."""
    lower = relative.lower()
    *folders, name = lower.split("/")
    return bool(NAMES.fullmatch(name) or not FOLDERS.isdisjoint(folders) or PATHS.fullmatch(lower))


def secret_content(text: str) -> bool:
    """Whether a private key or a token with a well known beginning stands in this text."""
    if "PRIVATE KEY" in text and PRIVATE_KEY.search(text):
        return True
    if '"service_account"' in text and '"private_key"' in text and SERVICE_ACCOUNT.search(text):
        return True
    return any(_has_token(text, start, body) for start, body in TOKENS)


def _has_token(text: str, start: str, body: re.Pattern[str]) -> bool:
    place = text.find(start)
    while 0 <= place:
        alone = place == 0 or not (text[place - 1].isalnum() or text[place - 1] in "_-")
        found = body.match(text, place + len(start)) if alone else None
        if found and _is_random(found.group()):
            return True
        place = text.find(start, place + 1)
    return False


def _is_random(body: str) -> bool:
    if body.endswith("EXAMPLE") or not re.search(r"\d", body) or not re.search(r"[A-Za-z]", body):
        return False
    counts = Counter(body).values()
    bits = -sum(it / len(body) * math.log2(it / len(body)) for it in counts)
    return LEAST_BITS <= bits
