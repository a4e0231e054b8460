"""Settings of chat and cloud: who gets to see code. They count in the user's own file alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsp_server import settings_agent
from lsp_server.settings_values import amount, choices, one_of, option, text, truth, variable, whole

if TYPE_CHECKING:
    from chat.agent_server import ServerSpec

TASKS = ("ask", "explain", "document", "tests", "fix", "refactor", "review", "summarize", "architecture")
TIERS = ("extractive", "local", "cloud")
KINDS = (
    "hearth", "ollama", "llama-server", "vllm", "lm-studio", "openai", "anthropic", "zhipu", "compatible",
)  # fmt: skip
KINDS_SHOWN = ", ".join(f'`"{it}"`' for it in KINDS)
KEY_SAYS = (
    "The environment variable that holds the key; empty takes the usual one of the kind, then the system's "
    "keyring. The key itself never stands in a file of Hearth."
)
CONTEXT_SAYS = "How much text it takes at once, in tokens; 0 takes what is usual for the kind."


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudSettings:
    """Who may answer a question, and at what price."""

    chat_provider: str = option(
        "chat.provider",
        "hearth",
        one_of(*KINDS),
        "What serves the chat model on this machine: Hearth's own engine, or another server that you run. "
        "Any other machine counts as the cloud, also one of your own.",
        KINDS_SHOWN,
        own=True,
    )
    chat_model: str = option(
        "chat.model",
        "",
        text,
        "The model that chats: the absolute path of a `.gguf` file for Hearth's own engine, or its name at "
        "the other server. Empty: answers are put together from your code, without a model.",
        "a path or a name",
        own=True,
    )
    chat_url: str = option(
        "chat.url", "", text, "Where that server listens; empty for its usual place.", "an address", own=True
    )
    chat_key_variable: str = option(
        "chat.keyVariable", "", variable, KEY_SAYS, "the name of an environment variable", own=True
    )
    chat_context_tokens: int = option(
        "chat.contextTokens", 0, whole(0, 10_000_000), CONTEXT_SAYS, "0 to 10000000", own=True
    )
    chat_prefer: str = option(
        "chat.prefer",
        "local",
        one_of("local", "cloud"),
        "Who answers where both could. Small refactorings and tests stay on this machine, questions of "
        "architecture and very long ones go to the cloud where it is allowed.",
        '`"local"`, `"cloud"`',
        own=True,
    )
    chat_tasks: tuple[tuple[str, str], ...] = option(
        "chat.tasks",
        (),
        choices(TASKS, TIERS),
        'Who answers for single tasks, whatever else would be chosen, such as `{"review": "local"}`. '
        "What is sent to this machine here never goes to the cloud.",
        f"an object of {', '.join(TASKS)}, each one of {', '.join(TIERS)}",
        own=True,
    )
    chat_mcp_servers: tuple[ServerSpec, ...] = option(
        "chat.mcpServers",
        (),
        settings_agent.servers,
        "MCP servers whose tools the agent mode of chat may use: programs on this machine, started for one "
        "question and ended behind it. In `args`, `${workspace}` is the project's folder. "
        "See [agent.md](agent.md).",
        settings_agent.SERVERS_SHOWN,
        own=True,
    )
    chat_mcp_allowed: tuple[str, ...] = option(
        "chat.mcpAllowed",
        (),
        settings_agent.calls,
        "Tools of these servers that may be called without asking you each time.",
        'a list such as `["tracker/find_issue"]`',
        own=True,
    )
    cloud_allowed: bool = option(
        "cloud.allowed",
        False,
        truth,
        "Whether anything may be sent to another machine at all. An editor can forbid it, never allow it. "
        "See [privacy.md](privacy.md) for what is sent then.",
        "`true`, `false`",
        own=True,
    )
    cloud_provider: str = option(
        "cloud.provider",
        "",
        one_of("", *(it for it in KINDS if it != "hearth")),
        "Which service is asked; empty for none.",
        f'`""`, {KINDS_SHOWN}',
        own=True,
    )
    cloud_model: str = option("cloud.model", "", text, "The name of its model.", "a name", own=True)
    cloud_url: str = option(
        "cloud.url", "", text, "Where it is; empty for the service's usual address.", "an address", own=True
    )
    cloud_key_variable: str = option(
        "cloud.keyVariable", "", variable, KEY_SAYS, "the name of an environment variable", own=True
    )
    cloud_context_tokens: int = option(
        "cloud.contextTokens", 0, whole(0, 10_000_000), CONTEXT_SAYS, "0 to 10000000", own=True
    )
    cloud_price_in: float = option(
        "cloud.priceIn",
        0.0,
        amount,
        "What a million tokens cost that it reads, in the currency below.",
        "0 to 1000000",
        own=True,
    )
    cloud_price_out: float = option(
        "cloud.priceOut", 0.0, amount, "What a million tokens cost that it writes.", "0 to 1000000", own=True
    )
    cloud_currency: str = option(
        "cloud.currency", "USD", text, "What these prices are in.", "a currency", own=True
    )
    cloud_kept_megabytes: int = option(
        "cloud.keptMegabytes",
        50,
        whole(1, 10_000),
        "How much of what was sent is kept for you to see, in megabytes; the oldest goes first.",
        "1 to 10000",
        own=True,
    )
