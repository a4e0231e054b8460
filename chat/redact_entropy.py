"""Pure: strings without a telling name that were drawn at random, and are no hash that anybody may know."""

from __future__ import annotations

import re
from collections.abc import Iterator

from chat.redact_values import Hit, bits, is_hexadecimal, is_made_up, is_random, mixture

QUOTED = re.compile(r"""(["'`])([A-Za-z0-9+/_=.~-]{32,400})\1""")
UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
BEFORE = re.compile(
    r"(?:sha(?:1|224|256|384|512)|md5|integrity|checksum|digest|hash|base64,|rev|commit)\W*\Z", re.IGNORECASE
)
LEAST_BITS = 4.2  # Per character: 40 random characters of 64 have some 4.8.


def find(text: str) -> Iterator[Hit]:
    """Quoted strings of letters of both cases and digits, as keys without a name look."""
    for it in QUOTED.finditer(text):
        value = it[2]
        letters = re.sub(r"[^A-Za-z0-9]+", "", value)
        if mixture(letters) < 3 or is_hexadecimal(letters.lower()) or UUID.search(value):
            continue
        if (
            "." in value
            or re.search(r"[A-Za-z]{12}", value)
            or BEFORE.search(text, max(0, it.start() - 40), it.start())
        ):
            continue
        if LEAST_BITS <= bits(value) and is_random(value, least=28) and not is_made_up(value):
            yield Hit(start=it.start(2), end=it.end(2), kind="key")
