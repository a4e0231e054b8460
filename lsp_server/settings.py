"""Raw JSON from the user's file and the editor -> frozen ``Settings`` and a list of problems.

Only this file reads untrusted settings. A value of the wrong type is data: the default is used and one
sentence says so. No file of a repository is ever read here. Where the editor and the user's own file both
say something, the editor wins (it is closer to the keyboard); ``--model`` wins over both.

What decides who gets to see code (``cloud.*``, ``chat.*``) counts in the user's own file alone: an editor
hands over what a workspace's settings say as if the user had said it.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsp_server import settings_own
from lsp_server.settings_cloud import CloudSettings
from lsp_server.settings_values import Confidence as Confidence
from lsp_server.settings_values import Unusable, confidence, one_of, option, text, texts, truth, whole

LOG_LEVELS = ("debug", "info", "warning", "error")
SECTION = "hearth"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(CloudSettings):
    """What the user can choose. The docs page and the editors' settings are made from these fields."""

    completion_enabled: bool = option(
        "completion.enabled", True, truth, "Whether ghost text is shown at all.", "`true`, `false`"
    )
    completion_max_tokens: int = option(
        "completion.maxTokens",
        96,
        whole(1, 1024),
        "The longest suggestion, in tokens of the model.",
        "1 to 1024",
    )
    completion_max_lines: int = option(
        "completion.maxLines",
        12,
        whole(1, 200),
        "The longest suggestion, in lines; 1 keeps every suggestion on the cursor's line.",
        "1 to 200",
    )
    completion_pause_ms: int = option(
        "completion.pauseMs",
        40,
        whole(0, 5000),
        "How long typing must pause before the model is asked, in milliseconds. "
        "Asking by hand never waits. Editors add a pause of their own: Neovim 200 ms, VS Code about 50 ms.",
        "0 to 5000",
    )
    completion_confidence: Confidence = option(  # noqa: RUF009  # it makes a dataclass field, like the others
        "completion.confidence",
        "balanced",
        confidence,
        "How sure a suggestion must be to be worth showing by itself. "
        "A number is the least chance that its line is exactly right; for a model whose card does not say "
        "how to tell that, the least mean probability of its tokens. "
        "By chance, `balanced` shows from 0.15 on, `eager` from 0.075 and `quiet` from 0.575.",
        '`"eager"`, `"balanced"`, `"quiet"`, or a number from 0 to 1',
    )
    completion_look_ahead: bool = option(
        "completion.lookAhead",
        True,
        truth,
        "Whether the suggestion that follows the one on screen is made while you look at it, so that it is "
        "there at once when you accept. It takes processor time for what you may never see.",
        "`true`, `false`",
    )
    completion_deadline_ms: int = option(
        "completion.deadlineMs",
        4000,
        whole(50, 60000),
        "When to stop waiting for the model and show what is there, in milliseconds.",
        "50 to 60000",
    )
    model: str = option(
        "model",
        "starter",
        text,
        "The model that completes: a name Hearth knows, or the absolute path of a `.gguf` file.",
        "a name or a path",
    )
    memory_enabled: bool = option(
        "memory.enabled",
        True,
        truth,
        "Whether Hearth remembers your project: what you write again is suggested from your own code, at "
        "once. See [memory.md](memory.md) for what it reads and where that is kept.",
        "`true`, `false`",
    )
    memory_dependencies: bool = option(
        "memory.dependencies",
        True,
        truth,
        "Whether it also learns from the source of what the project builds on: installed packages and the "
        "standard library.",
        "`true`, `false`",
    )
    memory_dependency_megabytes: int = option(
        "memory.dependencyMegabytes",
        100,
        whole(1, 10_000),
        "How much source text of dependencies is remembered, in megabytes; the nearest ones come first. "
        "It takes up to six times as much on disk.",
        "1 to 10000",
    )
    memory_project_megabytes: int = option(
        "memory.projectMegabytes",
        200,
        whole(1, 2_000),
        "How much source text of one workspace folder is remembered, in megabytes; the newest files come "
        "first. It takes up to six times as much on disk.",
        "1 to 2000",
    )
    index_enabled: bool = option(
        "index.enabled",
        True,
        truth,
        "Whether Hearth indexes the workspace: for searching it, and for code from other files beside the "
        "cursor. See [index.md](index.md) for what it reads and where that is kept.",
        "`true`, `false`",
    )
    index_embeddings: str = option(
        "index.embeddings",
        "auto",
        text,
        "Which model compares meanings, so that a search finds what uses other words. "
        "`auto` takes the one that Hearth brings along, where it brings one; `off` searches by words, names "
        "and paths alone, which is complete in itself.",
        '`"auto"`, `"off"`, or the folder of a model with its `model.json`',
    )
    index_include: tuple[str, ...] = option(
        "index.include",
        (),
        texts,
        "Patterns as in a `.gitignore`, from the workspace folder on, that bring in what is left out as "
        "ignored or generated. Files that may hold secrets are never indexed, whatever is written here.",
        'a list such as `["generated/", "*.min.js"]`',
    )
    index_max_file_kilobytes: int = option(
        "index.maxFileKilobytes",
        1000,
        whole(1, 16_000),
        "The largest file that is indexed, in kilobytes. What is larger was rarely written by hand.",
        "1 to 16000",
    )
    index_reranker: str = option(
        "index.reranker",
        "off",
        text,
        "Which model reads the first hits of a question in words once more, together with the question, to "
        "put them in better order. It reads as many as a third of a second is enough for; where that is next "
        "to none, or it fails, the order stays as it was.",
        '`"off"`, or the folder of a model with its `model.json`',
    )
    index_workspace_symbols: bool = option(
        "index.workspaceSymbols",
        True,
        truth,
        "Whether the index answers when the editor asks for a symbol of the workspace. "
        "Switch it off where another language server does, and its answers are enough.",
        "`true`, `false`",
    )
    engine_idle_unload_minutes: int = option(
        "engine.idleUnloadMinutes",
        10,
        whole(1, 1440),
        "After how many idle minutes the model leaves memory. It comes back with the next request.",
        "1 to 1440",
    )
    engine_keep_loaded: bool = option(
        "engine.keepLoaded",
        False,
        truth,
        "Whether the model stays in memory as long as an editor is open.",
        "`true`, `false`",
    )
    engine_threads: int = option(
        "engine.threads",
        0,
        whole(0, 512),
        "How many processor threads the model may use; 0 lets the engine choose.",
        "0 to 512",
    )
    engine_context_tokens: int = option(
        "engine.contextTokens",
        0,
        whole(0, 1_048_576),
        "How much text the model can hold at once, in tokens; 0 lets the engine choose. "
        "More needs more memory.",
        "0 to 1048576",
    )
    log_level: str = option(
        "logLevel",
        "warning",
        one_of(*LOG_LEVELS),
        "How much is logged to standard error. Your code is never logged above `debug`.",
        ", ".join(f'`"{it}"`' for it in LOG_LEVELS),
    )


FIELDS = dataclasses.fields(Settings)
_BY_KEY = {it.metadata["key"]: it for it in FIELDS}
CLOUD = "cloud.allowed"


def resolve(
    own: Mapping[str, Any] | None = None, editor: Mapping[str, Any] | None = None, model: str | None = None
) -> tuple[Settings, list[str]]:
    """Settle what the user's own file, the editor and the command line say; list what could not be used."""
    problems: list[str] = []
    values: dict[str, Any] = {}
    refused: list[str] = []
    for raw, place in ((own, "in settings.json"), (editor, "from the editor")):
        for key, value in _flat(raw or {}):
            known = _BY_KEY.get(key)
            if value is None:  # editors send null for "not set"
                continue
            if known is None:
                problems += _unknown(key, place)
                continue
            if known.metadata["own"] and raw is editor:
                if (key, value) != (CLOUD, False) and value != known.default:
                    refused.append(f"{SECTION}.{key}")
                continue
            try:
                values[known.name] = known.metadata["reads"](value)
            except Unusable as exc:
                problems.append(f"The setting {SECTION}.{key} {place} must be {exc}; it is ignored.")
    if refused:
        problems.append(settings_own.only_own(refused))
    values["cloud_allowed"] = settings_own.cloud_allowed(
        [value for key, value in _flat(own or {}) if key == CLOUD],
        [value for key, value in _flat(editor or {}) if key == CLOUD],
    )
    if model is not None:
        values["model"] = model
    return Settings(**values), problems


def read_own(path: Path) -> tuple[dict[str, Any], list[str]]:
    """The user's own ``settings.json``; a file that is not there says nothing.

    One that others may have written, or that says things twice, says nothing of what only the user may say.
    """
    twice: list[str] = []
    try:
        raw = json.loads(
            path.read_text(encoding="utf-8-sig") or "{}",
            object_pairs_hook=lambda pairs: settings_own.once(pairs, twice),
        )
    except FileNotFoundError:
        return {}, []
    except (OSError, ValueError, RecursionError) as exc:
        where = f"line {exc.lineno}" if isinstance(exc, json.JSONDecodeError) else type(exc).__name__
        return {}, [f"The settings file {path} cannot be read ({where}); it is ignored."]
    if not isinstance(raw, dict):
        return {}, [f"The settings file {path} must hold a JSON object; it is ignored."]
    doubt = settings_own.doubt(path, twice)
    said = dict(_flat(raw)) if doubt else {}
    if not any(_is_own(it) for it in said):
        return raw, []
    return {key: value for key, value in said.items() if not _is_own(key)}, [doubt]


def section(raw: Any) -> dict[str, Any]:
    """What an editor sent, by dotted names, with or without our section around it; no object says nothing."""
    return dict(_flat(raw)) if isinstance(raw, Mapping) else {}


def _flat(raw: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """``{"a": {"b": 1}}`` and ``{"a.b": 1}`` mean the same, with or without our section around them."""
    for name, value in raw.items():
        key = f"{prefix}{name}".removeprefix(f"{SECTION}.")
        if isinstance(value, Mapping) and (_is_group(key) or key == SECTION):
            yield from _flat(value, "" if key == SECTION else f"{key}.")
        else:
            yield key, value


def _is_own(key: str) -> bool:
    """Whether only the user may say this; a group that is no object counts as well."""
    return key.partition(".")[0] in {
        it.partition(".")[0] for it, field in _BY_KEY.items() if field.metadata["own"]
    }


def _is_group(key: str) -> bool:
    return any(it.startswith(f"{key}.") for it in _BY_KEY)


def _unknown(key: str, place: str) -> list[str]:
    """Editors keep settings of their own beside ours: an unknown name is a problem only if it looks alike."""
    if _is_group(key):
        return [f"The setting {SECTION}.{key} {place} must be an object; it is ignored."]
    close = difflib.get_close_matches(key.lower(), [it.lower() for it in _BY_KEY], n=1, cutoff=0.8)
    if not close:
        return []
    meant = next(it for it in _BY_KEY if it.lower() == close[0])
    return [f"There is no setting {SECTION}.{key} ({place}); did you mean {SECTION}.{meant}?"]
