"""Pure: how model servers say no -> one error with one sentence for the user.

They agree on little: where the words stand, whether the code is a number, and which status it comes with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from models import errors
from models.answers import Reported

Kind = Literal[
    "key", "allowed", "model", "address", "long", "money", "often", "busy", "elsewhere", "withheld",
    "refused", "broken",
]  # fmt: skip

MAX_WORDS = 200  # Characters of the server's own words behind our sentence.
MAX_NUMBER = 599  # The last number that is a status.

# What an error inside a stream says instead of a status.
STATUS_OF: Mapping[str, int] = {
    "api_error": 500,
    "authentication_error": 401,
    "billing_error": 402,
    "insufficient_quota": 402,
    "invalid_api_key": 401,
    "invalid_request_error": 400,
    "exceed_context_size_error": 400,
    "context_length_exceeded": 400,
    "content_filter": 400,
    "model_not_found": 404,
    "not_found_error": 404,
    "overloaded_error": 529,
    "permission_error": 403,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "request_too_large": 413,
    "timeout_error": 504,
    "unavailable_error": 503,
    # Zhipu's numbers.
    "1000": 401, "1001": 401, "1002": 401, "1003": 401, "1004": 401,
    "1113": 402, "1211": 404, "1220": 403, "1261": 400, "1301": 400,
    "1302": 429, "1303": 429, "1305": 429, "1312": 503,
    "1304": 402, "1308": 402, "1309": 402, "1310": 402,
}  # fmt: skip
MONEY = frozenset({
    "insufficient_quota", "billing_hard_limit_reached", "billing_error", "enforced_spend_limit_reached",
    "1113", "1304", "1308", "1309", "1310",
})  # fmt: skip
LONG = frozenset({"context_length_exceeded", "exceed_context_size_error", "request_too_large", "1261"})
NO_MODEL = frozenset({"model_not_found", "1211"})
WITHHELD = frozenset({"content_filter", "content_policy_violation", "sensitive", "refusal", "1301"})
LONG_WORDS = re.compile(
    r"context (?:length|size|window|limit)|prompt is too long|prompt too long|too many (?:input )?tokens",
    re.I,
)
NO_MODEL_WORDS = re.compile(r"\bmodel\b.*\b(?:not (?:found|exist)|no such|unknown)|no model", re.I)
NOT_TAKEN = re.compile(
    r"(?:un|not )supported|not allowed|not permitted|deprecated|unknown|unrecogni[sz]ed|unexpected|extra",
    re.I,
)

ERRORS: Mapping[Kind, type[errors.BackendError]] = {
    "key": errors.NoKey,
    "allowed": errors.NoKey,
    "model": errors.NoModel,
    "address": errors.NoModel,
    "long": errors.TooLong,
    "money": errors.Refused,
    "often": errors.Overloaded,
    "busy": errors.Overloaded,
    "elsewhere": errors.Refused,
    "withheld": errors.Refused,
    "refused": errors.Refused,
    "broken": errors.Broken,
}
PASSING: frozenset[Kind] = frozenset({"often", "busy", "broken"})


def reported(
    status: int, body: bytes | Mapping[str, Any], hidden: Callable[[str], str], wait_s: float | None = None
) -> Reported:
    """What a server reports, from the body of an error or from an event of a stream.

    ``hidden`` takes our key out of its words: some servers repeat what they were sent.
    """
    said = _object(body) if isinstance(body, bytes) else body
    error = said.get("error")
    parts = error if isinstance(error, Mapping) else said
    details = parts.get("details")
    marks = [details.get("error_code") if isinstance(details, Mapping) else None, parts.get("code")]
    codes = [str(it) for it in (*marks, parts.get("type")) if isinstance(it, str | int) and it]
    return Reported(
        status or _status(codes),
        hidden(_words(parts if isinstance(error, Mapping) or not error else {"message": error})),
        code=next((it for it in codes if _is_known(it)), codes[0] if codes else ""),
        parameter=_parameter(parts),
        wait_s=wait_s,
    )


def kind(fault: Reported) -> Kind:
    """What has gone wrong, as far as it matters to whoever asked."""
    status, code, words = fault.status, fault.code, fault.message
    if code in MONEY or status == 402:
        return "money"
    if code in WITHHELD:
        return "withheld"
    if code in LONG or status == 413 or (status in (400, 422, 500) and LONG_WORDS.search(words)):
        return "long"
    if code in NO_MODEL or (status in (400, 404) and NO_MODEL_WORDS.search(words)):
        return "model"
    return _kind_of_status(status, words)


def error(fault: Reported, name: str, model: str, key: str) -> errors.BackendError:
    """The error to raise: ours is the sentence, the server's own words stand behind it in parentheses.

    ``key`` tells where our key came from, if there was one.
    """
    found = kind(fault)
    says = {
        "key": f"does not accept the key from {key}" if key else "wants a key, and there is none",
        "allowed": "does not allow this with your key" if key else "does not allow this without a key",
        "model": f"has no model called {model!r}" if model else "has no such model",
        "address": "does not chat at this address",
        "long": f"finds the conversation too long for {model or 'its model'}",
        "money": "says that your account has no credit left",
        "often": "does not want to be asked so often",
        "busy": "has no room right now",
        "elsewhere": "points to another address, which is not followed",
        "withheld": "did not finish its answer: its content filter objects",
        "refused": f"refused the request with {fault.status}",
        "broken": f"failed with {fault.status}",
    }[found]
    if fault.wait_s and found in ("often", "busy"):
        says += f", asks to wait {fault.wait_s:.0f} s"
    words = fault.message.rstrip(" .")
    words = words if len(words) <= MAX_WORDS else words[: MAX_WORDS - 1] + "…"
    sentence = f"{name[0].upper()}{name[1:]} {says}{f' ({words})' if words else ''}."
    parameter = fault.parameter if found == "refused" else ""
    return ERRORS[found](
        sentence, passes=found in PASSING and fault.status != 501, wait_s=fault.wait_s, parameter=parameter
    )


def _kind_of_status(status: int, words: str) -> Kind:
    if status in (401, 403):
        return "key" if status == 401 else "allowed"
    if status in (404, 405):
        return "model" if "model" in words.lower() else "address"
    if status == 429:
        return "often"
    if status in (503, 529):
        return "busy"
    if 300 <= status < 400:
        return "elsewhere"
    return "refused" if 400 <= status < 500 else "broken"


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _status(codes: list[str]) -> int:
    for code in codes:
        if code in STATUS_OF:
            return STATUS_OF[code]
        if code.isascii() and code.isdigit() and 100 <= int(code[:9]) <= MAX_NUMBER:
            return int(code)
    return 500


def _is_known(code: str) -> bool:
    return code in STATUS_OF or code in MONEY or code in LONG or code in NO_MODEL or code in WITHHELD


def _words(parts: Mapping[str, Any]) -> str:
    """The server's own words, on one line."""
    for name in ("message", "detail", "msg"):
        value = parts.get(name)
        if isinstance(value, list) and value:  # One problem per field, as validating servers report them.
            value = value[0].get("msg") if isinstance(value[0], Mapping) else value[0]
        if isinstance(value, str) and value.strip():
            return " ".join(value.split())
    return ""


def _parameter(parts: Mapping[str, Any]) -> str:
    """The parameter that is not taken: by its field, or by its name in quotation marks."""
    if not NOT_TAKEN.search(f"{parts.get('code')} {_words(parts)}"):
        return ""
    named = parts.get("param")
    if isinstance(named, str) and re.fullmatch("[a-z_]{1,40}", named):
        return named
    found = re.search(r"[`'\"]([a-z_]{3,40})[`'\"]", _words(parts))
    return found[1] if found else ""
