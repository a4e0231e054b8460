"""Pure: what the user's own settings say about chat -> who may answer, and what is allowed."""

from __future__ import annotations

from dataclasses import replace

from chat.router import Places, Policy, Server
from lsp_server.settings import Settings
from models.errors import BackendError
from models.providers import SERVICE, backend_spec
from models.spec import BackendSpec, KeySource, Prices


def policy(settings: Settings) -> Policy:
    """What is allowed and preferred."""
    return Policy(
        cloud_allowed=settings.cloud_allowed is True,
        preference="cloud" if settings.chat_prefer == "cloud" else "local",
        per_task=dict(settings.chat_tasks),
    )


def places(settings: Settings, engine: BackendSpec | None = None) -> tuple[Places, list[str]]:
    """Who may answer, and as sentences what keeps the others from it.

    ``engine`` is Hearth's own, as it is reached; without it, a model of its own has nobody to run it.
    """
    servers, problems = [], []
    for make in (_here, _cloud):
        try:
            spec = make(settings, engine)
        except BackendError as exc:
            problems.append(str(exc))
            continue
        if spec is not None:
            servers.append(Server(spec=spec, is_own=True))
    return Places(servers=tuple(servers)), problems


def _here(settings: Settings, engine: BackendSpec | None) -> BackendSpec | None:
    if not settings.chat_model:
        return None
    if settings.chat_provider == "hearth":
        if engine is None:
            return None
        name = settings.chat_model.replace("\\", "/").rpartition("/")[2].removesuffix(".gguf")
        return replace(engine, model=settings.chat_model, name=name)
    return backend_spec(
        settings.chat_provider,
        settings.chat_model,
        url=settings.chat_url,
        key=_key(settings.chat_key_variable, settings.chat_provider),
        context_tokens=settings.chat_context_tokens or None,
    )


def _cloud(settings: Settings, engine: BackendSpec | None) -> BackendSpec | None:
    if not settings.cloud_provider or not settings.cloud_model:
        return None
    prices = Prices(
        input=settings.cloud_price_in, output=settings.cloud_price_out, currency=settings.cloud_currency
    )
    return backend_spec(
        settings.cloud_provider,
        settings.cloud_model,
        url=settings.cloud_url,
        key=_key(settings.cloud_key_variable, settings.cloud_provider),
        context_tokens=settings.cloud_context_tokens or None,
        prices=prices if prices.input or prices.output else None,
    )


def _key(variable: str, account: str) -> KeySource | None:
    return KeySource(variable=variable, service=SERVICE, account=account, required=True) if variable else None
