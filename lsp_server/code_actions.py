"""Pure: what can be done at a place -> the code actions that an editor offers there.

Nothing is asked for this, neither the index nor a model: what is known is the selection, the diagnostics that
the editor sent along, the language, and whether a chat model is set up. The work is in ``hearth.run``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lsprotocol import types as lsp

from chat.commands import COMMANDS, NEEDS_MODEL, Command
from chat.imports_known import missing_name
from lsp_server import protocol
from lsp_server.settings import Settings

LONGEST_TITLE = 70  # characters of a diagnostic in a menu
MOST_FIXES = 5
PROBLEMS = (lsp.DiagnosticSeverity.Error, lsp.DiagnosticSeverity.Warning, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """What an editor does with code actions."""

    disabled: bool = False
    """Whether it shows what cannot be done, with the reason."""
    tags: bool = False
    """Whether it marks what a model makes."""
    asks: bool = False
    """Whether it asks the user what a command still has to be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Where a menu is opened."""

    uri: str
    version: int | None
    language: str
    range: lsp.Range
    has_code: bool
    """Whether there is anything on the cursor's line."""
    diagnostics: tuple[lsp.Diagnostic, ...] = ()
    only: tuple[str, ...] = ()
    """The kinds that are wanted; none: all."""
    has_model: bool = False

    @property
    def is_selection(self) -> bool:
        """Whether something is selected."""
        return self.range.start != self.range.end


def has_model(settings: Settings) -> bool:
    """Whether a chat model is set up, as far as the settings tell."""
    cloud = settings.cloud_allowed is True and settings.cloud_provider and settings.cloud_model
    return bool(settings.chat_model or cloud)


def menu_of(client: lsp.ClientCapabilities) -> Menu:
    """What the client says of itself."""
    document = client.text_document
    actions = document.code_action if document else None
    tags = actions.tag_support.value_set if actions and actions.tag_support else ()
    experimental = client.experimental
    ours: Any = experimental.get("hearth") if isinstance(experimental, dict) else None
    if ours is None:
        ours = getattr(experimental, "hearth", None)
    asks = ours.get("asks") if isinstance(ours, dict) else getattr(ours, "asks", None)
    return Menu(
        disabled=bool(actions and actions.disabled_support),
        tags=lsp.CodeActionTag.LlmGenerated in tags,
        asks=asks is True,
    )


def offers(moment: Moment, menu: Menu, own: Sequence[Command] = ()) -> list[lsp.CodeAction]:
    """The actions for this place, in the table's order; ``own`` are the user's own commands."""
    found: list[lsp.CodeAction] = []
    for command in (*COMMANDS, *own):
        if not _is_wanted(command.kind, moment.only) or not command.is_for(moment.language):
            continue
        if command.asks and not menu.asks:
            continue
        lacks_model = command.model == "needed" and not moment.has_model
        if lacks_model and not menu.disabled:
            continue
        for diagnostic in _abouts(command, moment):
            found.append(_action(command, moment, menu, diagnostic, lacks_model=lacks_model))
    return found


def _is_wanted(kind: str, only: Iterable[str]) -> bool:
    """Kinds are a tree: who wants `refactor` wants all below it."""
    wanted = tuple(only)
    return not wanted or any(it == "" or kind == it or kind.startswith(f"{it}.") for it in wanted)


def _abouts(command: Command, moment: Moment) -> Sequence[lsp.Diagnostic | None]:
    """What the command can be about here: each diagnostic, or the place once, or nothing."""
    if command.about == "problem":
        found = [it for it in moment.diagnostics if it.severity in PROBLEMS]
        if command.part == "imports" and not moment.has_model:  # That is all that the code itself can mend.
            found = [it for it in found if missing_name(it.message)]
        return found[:MOST_FIXES]
    if command.about == "file" or moment.is_selection:
        return (None,)
    return (None,) if moment.has_code and command.about != "selection" else ()


def _action(
    command: Command, moment: Moment, menu: Menu, diagnostic: lsp.Diagnostic | None, *, lacks_model: bool
) -> lsp.CodeAction:
    title = f"Hearth: {command.title}"
    if diagnostic is not None and command.name == "fix":
        says = " ".join(diagnostic.message.split())
        cut = says if len(says) <= LONGEST_TITLE else f"{says[:LONGEST_TITLE].rstrip()} …"
        title = f"Hearth: Fix “{cut}”"
    run = lsp.Command(title=title, command=protocol.RUN, arguments=[_argument(command, moment, diagnostic)])
    has_tag = menu.tags and command.model != "never" and moment.has_model
    return lsp.CodeAction(
        title=title,
        kind=command.kind,
        diagnostics=[diagnostic] if diagnostic is not None else None,
        disabled=lsp.CodeActionDisabled(reason=NEEDS_MODEL) if lacks_model else None,
        command=None if lacks_model else run,
        tags=[lsp.CodeActionTag.LlmGenerated] if has_tag else None,
    )


def _argument(command: Command, moment: Moment, diagnostic: lsp.Diagnostic | None) -> dict[str, Any]:
    """What ``hearth.run`` is to do. Nobody reads its result, so nobody waits for it."""
    where = moment.range if diagnostic is None else diagnostic.range
    said: dict[str, Any] = {
        "command": command.name,
        "textDocument": {"uri": moment.uri, "version": moment.version},
        "range": range_json(where),
        "wait": False,
    }
    if diagnostic is not None:
        said["diagnostics"] = [diagnostic_json(diagnostic)]
    if command.asks:
        said["asks"] = command.asks
    return said


def range_json(where: lsp.Range) -> dict[str, Any]:
    """A range as it goes over the wire."""
    return {
        "start": {"line": where.start.line, "character": where.start.character},
        "end": {"line": where.end.line, "character": where.end.character},
    }


def diagnostic_json(it: lsp.Diagnostic) -> dict[str, Any]:
    """What a command has to know of a diagnostic."""
    return {
        "range": range_json(it.range),
        "message": it.message,
        "severity": int(it.severity or lsp.DiagnosticSeverity.Error),
        "source": it.source or "",
        "code": "" if it.code is None else str(it.code),
    }
