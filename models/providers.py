"""Pure: the model servers we know, one row each, and how a user's choice becomes a ``BackendSpec``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from models.errors import Refused
from models.spec import BackendSpec, Dialect, KeySource, LimitField, Prices

SERVICE = (
    "hearth"  # What our entries in the system's keyring are called; each has its server's name as account.
)
MAX_SHOWN = 100  # Characters of a wrong address that its sentence repeats.
ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?P<port>:[0-9]{1,5})?(?P<path>/[!-~]*)?",
    re.ASCII | re.IGNORECASE,
)
# OpenAI's models that think first: they choose their own temperature, and think within the limit of tokens.
THINKING = r"(?:o[0-9]|gpt-(?:[5-9]|[1-9][0-9])|codex)(?!.*-chat)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A kind of model server: where it listens, how it speaks, where its key is."""

    title: str
    """What sentences call it."""
    url: str = ""
    """Where it listens unless the user says otherwise; empty: the user has to say."""
    dialect: Dialect = "openai"
    variable: str = ""
    """The environment variable of its key."""
    wants_key: bool = False
    context_tokens: int | None = None
    """What it takes at once, where that is known before it is asked."""
    limit_field: LimitField = "max_tokens"
    thinks: str = ""
    """A pattern of the names of models that think before they answer."""


PROVIDERS: Mapping[str, Provider] = {
    # Found or started by `models.launch`, over its socket.
    "hearth": Provider(title="the engine", dialect="hearth"),
    # It cuts off, without a word, what goes beyond the context that it was started with.
    "ollama": Provider(title="Ollama", url="http://127.0.0.1:11434", context_tokens=4096),
    "llama-server": Provider(title="llama-server", url="http://127.0.0.1:8080", variable="LLAMA_API_KEY"),
    "vllm": Provider(title="vLLM", url="http://127.0.0.1:8000", variable="VLLM_API_KEY"),
    "lm-studio": Provider(
        title="LM Studio", url="http://127.0.0.1:1234", variable="LM_API_TOKEN", context_tokens=4096
    ),
    "openai": Provider(
        title="OpenAI",
        url="https://api.openai.com/v1",
        variable="OPENAI_API_KEY",
        wants_key=True,
        context_tokens=128_000,
        limit_field="max_completion_tokens",
        thinks=THINKING,
    ),
    "anthropic": Provider(
        title="Anthropic",
        url="https://api.anthropic.com",
        dialect="anthropic",
        variable="ANTHROPIC_API_KEY",
        wants_key=True,
        context_tokens=200_000,
        thinks=".*",
    ),
    "zhipu": Provider(
        title="Zhipu",
        url="https://open.bigmodel.cn/api/paas/v4",
        variable="ZHIPUAI_API_KEY",
        wants_key=True,
        context_tokens=128_000,
        thinks=r"glm-(?:4\.[5-9]|[5-9]|z1)",
    ),
    "compatible": Provider(title="another server of the OpenAI dialect"),
}


def backend_spec(
    provider: str,
    model: str,
    *,
    url: str = "",
    name: str = "",
    variable: str = "",
    key: KeySource | None = None,
    context_tokens: int | None = None,
    prices: Prices | None = None,
) -> BackendSpec:
    """The server that a user chose, with what its row knows where the user says nothing.

    A provider's own key goes to its own host alone; for another one the user has to name the environment
    ``variable`` that holds it.
    Raises ``Refused`` with one sentence for a name or an address that cannot be used.
    """
    row = PROVIDERS.get(provider)
    if row is None or row.dialect == "hearth":
        known = ", ".join(sorted(it for it, row in PROVIDERS.items() if row.dialect != "hearth"))
        raise Refused(f"No kind of model server is called {provider[:MAX_SHOWN]!r}; known: {known}.")
    address = checked_url(url or row.url)
    is_own = _same_host(address, row.url)
    spec = BackendSpec(
        name=name or (row.title if row.url and (is_own or not row.wants_key) else ""),
        model=model,
        url=address,
        dialect=row.dialect,
        context_tokens=context_tokens or row.context_tokens,
        prices=prices,
        limit_field=row.limit_field,
        thinks=row.thinks,
    )
    if key is None and variable:
        key = KeySource(variable=variable)
    elif key is None and row.variable and (is_own or (spec.is_local and not row.wants_key)):
        key = KeySource(variable=row.variable, service=SERVICE, account=provider, required=row.wants_key)
    return replace(spec, key=key)


def checked_url(url: str) -> str:
    """The address, if it is one that we can ask."""
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise Refused(
            "An address holds no name and password; a key comes from the environment or the keyring."
        )
    if not ADDRESS.fullmatch(url):
        shown = repr(url[:MAX_SHOWN]) if url else "nothing"
        raise Refused(f"The address of a model server begins with http:// or https://, unlike {shown}.")
    return url.removesuffix("/chat/completions").rstrip("/")  # As some pages write it.


def _same_host(one: str, other: str) -> bool:
    first, second = ADDRESS.fullmatch(one), ADDRESS.fullmatch(other)
    if not first or not second:
        return False
    return all(
        (first[part] or "").lower() == (second[part] or "").lower() for part in ("scheme", "host", "port")
    )
