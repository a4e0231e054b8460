"""Pure: tokens that services hand out, known by how they begin."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from chat.redact_values import Hit, is_dull, is_random

ALNUM = r"[A-Za-z0-9]"
WORD = r"[A-Za-z0-9_-]"

Row = tuple[str, str, str]

SURE: tuple[Row, ...] = (
    ("aws key", "AKIA ASIA ABIA ACCA AGPA AIDA AROA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    ("aws key", "ABSK", r"[A-Za-z0-9+/]{60,}={0,2}"),
    ("github token", "ghp_ gho_ ghu_ ghs_ ghr_", ALNUM + "{30,}"),
    ("github token", "github_pat_", r"\w{36,}"),
    ("gitlab token", "glpat- gldt- glrt- glcbt- glptt- glft- glimt- glagent- gloas- glsoat-", r"[\w.-]{18,}"),
    ("gitlab token", "GR1348941", r"[\w-]{18,}"),
    ("slack token", "xoxa- xoxb- xoxc- xoxd- xoxe- xoxo- xoxp- xoxr- xoxs- xapp-", r"[0-9A-Za-z%-]{16,}"),
    ("slack token", "xoxe.xoxb- xoxe.xoxp-", r"[0-9A-Za-z-]{16,}"),
    ("stripe key", "sk_live_ rk_live_ sk_test_ rk_test_ sk_prod_ rk_prod_ whsec_", r"[A-Za-z0-9+/=]{16,}"),
    ("sendgrid key", "SG.", r"[\w-]{16,}\.[\w-]{16,}"),
    ("npm token", "npm_", ALNUM + "{30,}"),
    ("pypi token", "pypi-AgE", r"[\w-]{40,}"),
    ("google key", "AIza", r"[\w-]{35}(?![\w-])"),
    ("google token", "ya29.", r"[\w-]{20,}"),
    ("google client secret", "GOCSPX-", r"[\w-]{20,}"),
    ("anthropic key", "sk-ant-", r"[\w-]{20,}"),
    ("openai key", "sk-proj- sk-svcacct- sk-admin- sk-None- sk-or-v1-", r"[\w-]{20,}"),
    ("hugging face token", "hf_ api_org_", ALNUM + "{30,}"),
    ("groq key", "gsk_", ALNUM + "{30,}"),
    ("replicate token", "r8_", ALNUM + "{30,}"),
    ("perplexity key", "pplx-", ALNUM + "{30,}"),
    ("xai key", "xai-", ALNUM + "{40,}"),
    ("databricks token", "dapi dkea", r"[0-9a-f]{32}(?:-\d)?(?![0-9a-z])"),
    ("digitalocean token", "dop_v1_ doo_v1_ dor_v1_", r"[0-9a-f]{40,}"),
    ("doppler token", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.", r"[\w.-]{30,}"),
    ("shopify token", "shpat_ shpca_ shppa_ shpss_ shpua_", r"[0-9A-Za-z]{24,}"),
    ("square token", "sq0atp- sq0csp- sq0idp-", r"[\w-]{20,}"),
    ("square token", "EAAA", r"[\w-]{60}(?![\w-])"),
    ("braintree token", "access_token$production$ access_token$sandbox$", r"[0-9a-z]{16}\$[0-9a-f]{32}"),
    ("linear key", "lin_api_ lin_oauth_", ALNUM + "{32,}"),
    ("notion token", "ntn_", ALNUM + "{40,}"),
    ("notion token", "secret_", ALNUM + "{43}(?![A-Za-z0-9])"),
    ("figma token", "figd_ figo_", r"[\w-]{30,}"),
    ("atlassian token", "ATATT3 ATCTT3 ATBB ATOA", r"[\w=-]{24,}"),
    ("dropbox token", "sl.", r"[\w-]{100,}"),
    ("dropbox token", "sl.u.", r"[\w-]{60,}"),
    ("heroku key", "HRKU-", r"[\w-]{30,}"),
    ("new relic key", "NRAK- NRJS- NRII- NRIQ- NRRA- NRAA-", r"[\w-]{19,}"),
    ("grafana token", "glc_ glsa_", r"[\w+/=]{30,}"),
    ("sentry token", "sntrys_ sntryu_ sntrya_", r"[\w+/=.-]{40,}"),
    ("postman key", "PMAK-", r"[0-9a-f]{24}-[0-9a-f]{34}"),
    ("pulumi token", "pul-", r"[0-9a-f]{40}"),
    ("vault token", "hvs. hvb. hvr.", r"[\w-]{20,}"),
    ("age key", "AGE-SECRET-KEY-1 AGE-PLUGIN-", r"[0-9A-Z-]{40,}"),
    ("docker token", "dckr_pat_ dckr_oat_", r"[\w-]{20,}"),
    ("rubygems key", "rubygems_", r"[0-9a-f]{48}"),
    ("clojars token", "CLOJARS_", r"[0-9a-z]{60}"),
    ("crates token", "cio", ALNUM + "{32}(?![A-Za-z0-9])"),
    ("fly token", "fo1_ fm1r_ fm2_", r"[\w+/=,-]{40,}"),
    ("netlify token", "nfp_ nfc_ nfo_", ALNUM + "{36,}"),
    ("supabase key", "sbp_ sb_secret_", r"[\w-]{30,}"),
    ("planetscale password", "pscale_pw_ pscale_tkn_ pscale_oauth_", r"[\w.=-]{30,}"),
    ("prefect key", "pnu_ pnb_", ALNUM + "{36}"),
    ("readme key", "rdme_", r"[0-9a-z]{60,}"),
    ("easypost key", "EZAK EZTK", ALNUM + "{54}"),
    ("dynatrace token", "dt0c01. dt0s01. dt0s16.", r"[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    ("airtable token", "pat", ALNUM + r"{14}\.[0-9a-f]{64}"),
    ("mapbox token", "sk.eyJ", r"[\w-]{20,}\.[\w-]{16,}"),
    ("tailscale key", "tskey-", r"[\w-]{24,}"),
    ("onepassword token", "ops_eyJ", r"[\w+/=-]{100,}"),
    ("typeform token", "tfp_", r"[\w-]{40,}"),
    ("contentful token", "CFPAT-", r"[\w-]{40,}"),
    ("discord webhook", "discord.com/api/webhooks/ discordapp.com/api/webhooks/", r"\d{15,22}/[\w-]{40,}"),
    ("slack webhook", "slack.com/services/ slack.com/workflows/ slack.com/triggers/", r"[\w/-]{30,}"),
    ("teams webhook", ".webhook.office.com/webhookb2/", r"[\w@/-]{60,}"),
    ("zapier webhook", "hooks.zapier.com/hooks/catch/", r"[\w/]{12,}"),
    ("langsmith key", "lsv2_pt_ lsv2_sk_", r"[0-9a-f]{32}_[0-9a-f]{10}"),
    ("mailgun key", "key-", r"[0-9a-f]{32}(?![0-9a-z])"),
    ("twilio key", "SK", r"[0-9a-f]{32}(?![0-9A-Za-z])"),
    ("alibaba key", "LTAI", ALNUM + "{12,20}(?![A-Za-z0-9])"),
    ("tencent key", "AKID", ALNUM + "{32}(?![A-Za-z0-9])"),
    ("yandex key", "AQVN", r"[\w-]{35,38}(?![\w-])"),
    ("adafruit key", "aio_", ALNUM + "{28}(?![A-Za-z0-9])"),
    ("artifactory token", "AKCp", ALNUM + "{60,}"),
    ("intra42 secret", "s-s4t2ud- s-s4t2af-", r"[0-9a-f]{64}"),
    ("pinecone key", "pcsk_", r"\w{40,}"),
    ("nvidia key", "nvapi-", r"[\w-]{40,}"),
    ("buildkite token", "bkua_ bkpt_", r"[0-9a-f]{40}"),
    ("circleci token", "CCIPAT_ CCIPRJ_", r"\w{30,}"),
    ("sonar token", "squ_ sqp_ sqa_", r"[0-9a-f]{40}"),
    ("sourcegraph token", "sgp_", r"[0-9a-f_]{40,}"),
    ("harness token", "pat.", r"[\w-]{22}\.[0-9a-zA-Z]{24}\.[0-9a-zA-Z]{20}"),
)  # fmt: skip
"""Kind, beginnings, and what follows: so particular that whatever is not an example's is a token."""

LIKELY: tuple[Row, ...] = (
    ("openai key", "sk-", r"[\w-]{20,}"),
    ("vault token", "s. b.", ALNUM + r"{24}(?![A-Za-z0-9(.])"),
    ("facebook token", "EAA", ALNUM + "{60,}"),
    ("fastly token", "fastly_", r"[\w-]{30,}"),
    ("okta token", "00", r"[\w-]{40}(?![\w-])"),
    ("asana token", "0/ 1/", r"[0-9a-f]{32}(?![0-9a-z])"),
    ("google token", "1//0", r"[\w-]{38,}"),
)
"""The same, where words may begin like this too: what follows must look drawn at random."""

PATTERNS = {
    "jwt": re.compile(r"(?<![\w.-])ey[JI][\w-]{8,}\.ey[JI][\w-]{8,}(?:\.[\w-]{8,})?"),
    "encrypted jwt": re.compile(r"(?<![\w.-])eyJ[\w-]{16,}\.[\w-]{16,}\.[\w-]{8,}\.[\w-]{16,}\.[\w-]{8,}"),
    "telegram token": re.compile(r"(?<!\d)\d{8,10}:AA[\w-]{32,33}(?![\w-])"),
    "mailchimp key": re.compile(r"(?<![0-9a-z])[0-9a-f]{32}-us\d{1,2}(?!\d)"),
    "azure client secret": re.compile(r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{30,36}(?![\w~.-])"),
    "azure devops token": re.compile(r"(?<!\w)[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}(?!\w)"),
    "azure key": re.compile(
        r"(?<![\w+/])[A-Za-z0-9+/]{40,76}(?:AIoT|\+ABa|\+AMC|\+ASt|ACDb|AzSe|APIM|AzFu|ACR)"
        r"[A-Za-z0-9+/]{2,12}={0,2}"
    ),
    "discord token": re.compile(r"(?<![\w-])[MNO][A-Za-z0-9_-]{23,27}\.[\w-]{6}\.[\w-]{27,38}(?![\w-])"),
    "zhipu key": re.compile(r"(?<![\w.])[0-9a-f]{32}\.[A-Za-z0-9]{16}(?![\w.])"),
    "terraform token": re.compile(r"(?<!\w)[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,}"),
    "onepassword key": re.compile(r"(?<!\w)A3-[A-Z0-9]{6}-[A-Z0-9]{6}-(?:[A-Z0-9]{5}-){3,}[A-Z0-9]{5}"),
}  # fmt: skip
"""Tokens known by a mark in the middle, each with a text that must be there for the pattern to be tried."""
MARKS = {
    "jwt": ("eyJ", "eyI"),
    "encrypted jwt": ("eyJ",),
    "telegram token": (":AA",),
    "mailchimp key": ("-us",),
    "azure client secret": ("Q~",),
    "azure devops token": ("AZDO",),
    "azure key": ("AIoT", "+ABa", "+AMC", "+ASt", "ACDb", "AzSe", "APIM", "AzFu", "ACR"),
    "terraform token": (".atlasv1.",),
    "onepassword key": ("A3-",),
}
ENCODED_KEY = "LS0tLS1CRUdJTi"
"""How a PEM block begins in base64, as in a kubeconfig."""
ENCODED = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{40,}={0,2}")
ESCAPES = ("\\n", "\\t", "\\r", "%3D", "%3d", "%20", "%22", "%2F", "%2f", "%3A", "%3a")

_STARTS = tuple(
    (start, kind, re.compile(body), rows is SURE)
    for rows in (SURE, LIKELY)
    for kind, starts, body in rows
    for start in starts.split()
)


def find(text: str) -> Iterator[Hit]:
    """All tokens with a well known look."""
    for start, kind, body, is_sure in _STARTS:
        if start in text:
            yield from _beginning_with(text, start, kind, body, is_sure)
    for kind, pattern in PATTERNS.items():
        if any(it in text for it in MARKS.get(kind, ("",))):
            yield from (_whole(it, kind) for it in pattern.finditer(text) if not is_dull(it.group()))
    if ENCODED_KEY in text:
        yield from (_whole(it, "private key") for it in ENCODED.finditer(text) if _is_private(it.group()))


def _beginning_with(text: str, start: str, kind: str, body: re.Pattern[str], is_sure: bool) -> Iterator[Hit]:
    at = text.find(start)
    while 0 <= at:
        end = at + len(start)
        rest = body.match(text, end) if stands_alone(text, at) else None
        if rest and (not is_dull(rest.group()) if is_sure else is_random(rest.group())):
            end = rest.end()
            yield Hit(start=at, end=end, kind=kind)
        at = text.find(start, end)


def _whole(it: re.Match[str], kind: str) -> Hit:
    return Hit(start=it.start(), end=it.end(), kind=kind)


def stands_alone(text: str, at: int) -> bool:
    """Whether no word runs into this place; an escape before it is none."""
    if at == 0 or not text[at - 1].isalnum():
        return True
    return text[max(0, at - 2) : at] in ESCAPES or text[max(0, at - 3) : at] in ESCAPES


def _is_private(encoded: str) -> bool:
    head = encoded[: 4 * (min(len(encoded), 96) // 4)]
    try:
        return b"PRIVATE" in base64.b64decode(head)
    except binascii.Error:
        return True
