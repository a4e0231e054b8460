"""Which code actions are offered: by the place, by what the editor can do, by whether there is a model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from lsprotocol import types as lsp

from chat.commands import COMMANDS, NEEDS_MODEL, Command
from lsp_server import protocol
from lsp_server.code_actions import Menu, Moment, has_model, menu_of, offers
from lsp_server.settings import Settings

CURSOR = lsp.Range(start=lsp.Position(3, 4), end=lsp.Position(3, 4))
LINES = lsp.Range(start=lsp.Position(3, 0), end=lsp.Position(5, 0))
HERE = Moment(uri="file:///p/a.py", version=3, language="python", range=CURSOR, has_code=True)
FULL = Menu(disabled=True, tags=True, asks=True)
WRONG = lsp.Diagnostic(range=LINES, message="undefined name 'os'\n(F821)", source="ruff", code="F821")
OWN = Command(
    name="mine", title="M", says="", task="ask", kind="source.hearth.mine", about="anything", gives="prose"
)


def names(moment: Moment, menu: Menu = FULL, *own: Command) -> list[str]:
    """The commands that can be chosen, by their names."""
    return [it["command"] for it in arguments(offers(moment, menu, own))]


def arguments(found: list[lsp.CodeAction]) -> list[dict[str, Any]]:
    """What `hearth.run` would be told."""
    return [said for it in found if it.command for said in it.command.arguments or () if said]


def test_without_a_model() -> None:
    """What is made from the code alone can be chosen; the rest says what it lacks, or is not there."""
    can = ["explain", "document", "tests", "rename", "review", "summarize"]
    moment = replace(HERE, range=LINES)
    assert names(moment) == can
    off = [it for it in offers(moment, FULL) if it.disabled]
    assert {it.disabled.reason for it in off if it.disabled} == {NEEDS_MODEL}
    assert all(it.command is None for it in off)
    assert len(off) == len(COMMANDS) - len(can) - 1  # There is no problem to be fixed.
    assert not any(it.disabled for it in offers(moment, replace(FULL, disabled=False)))


def test_with_a_model() -> None:
    """A selection can be worked on in every way; a cursor alone has no lines to be moved or reviewed."""
    moment = replace(HERE, has_model=True)
    assert set(names(replace(moment, range=LINES))) == {it.name for it in COMMANDS} - {"fix"}
    assert set(names(moment)) == {it.name for it in COMMANDS} - {"fix", "extract", "review"}
    assert names(replace(moment, has_code=False)) == ["summarize"]


def test_a_problem() -> None:
    """Each error and warning here can be fixed, in its own words; a hint is none."""
    hint = replace_severity(WRONG, lsp.DiagnosticSeverity.Hint)
    found = offers(replace(HERE, diagnostics=(WRONG, hint), only=("quickfix",)), FULL)
    assert [it.title for it in found] == ["Hearth: Fix “undefined name 'os' (F821)”"]
    [fix] = found
    assert fix.diagnostics == [WRONG]
    assert fix.command is not None
    assert fix.command.command == protocol.RUN
    assert fix.command.arguments == [
        {
            "command": "fix",
            "textDocument": {"uri": HERE.uri, "version": 3},
            "range": {"start": {"line": 3, "character": 0}, "end": {"line": 5, "character": 0}},
            "wait": False,
            "diagnostics": [
                {
                    "range": {"start": {"line": 3, "character": 0}, "end": {"line": 5, "character": 0}},
                    "message": "undefined name 'os'\n(F821)",
                    "severity": 1,
                    "source": "ruff",
                    "code": "F821",
                }
            ],
        }
    ]


def test_problems_that_need_a_model() -> None:
    """Without one, only unknown names can be mended."""
    other = lsp.Diagnostic(range=LINES, message="line too long")
    moment = replace(HERE, diagnostics=(other, WRONG))
    assert names(moment).count("fix") == 1
    assert names(replace(moment, has_model=True)).count("fix") == 2


@pytest.mark.parametrize(
    ("only", "kinds"),
    [
        (("quickfix",), {"quickfix.hearth.fix"}),
        (("refactor.extract",), {"refactor.extract.hearth.function"}),
        (("refactor.rewrite.hearth.types",), {"refactor.rewrite.hearth.types"}),
        (("refactor.inline",), set()),
        (("source.organizeImports",), set()),
        (("source.fixAll", "quick"), set()),
    ],
)
def test_only_what_is_wanted(only: tuple[str, ...], kinds: set[str]) -> None:
    """Kinds are a tree, cut at dots: on saving, nothing of ours runs by accident."""
    moment = replace(HERE, range=LINES, diagnostics=(WRONG,), has_model=True, only=only)
    assert {it.kind for it in offers(moment, FULL)} == kinds


def test_every_kind_has_its_place() -> None:
    """Under `refactor` and `source` is all that is not a quick fix; no filter means all."""
    moment = replace(HERE, range=LINES, diagnostics=(WRONG,), has_model=True)
    below = {it.kind for only in ("refactor", "source") for it in offers(replace(moment, only=(only,)), FULL)}
    assert below == {it.kind for it in offers(moment, FULL)} - {"quickfix.hearth.fix"}


def test_what_has_to_be_said_needs_an_editor_that_asks() -> None:
    """A free instruction or a new name: where nobody asks for it, the action is not offered."""
    moment = replace(HERE, range=LINES, has_model=True)
    asking = {it.name for it in COMMANDS if it.asks}
    assert asking == {"refactor", "convert", "rename"}
    assert not asking & set(names(moment, Menu(disabled=True)))
    found = arguments(offers(moment, FULL))
    assert {it["command"] for it in found if "asks" in it} == asking


@pytest.mark.parametrize("language", ["markdown", "json", "plaintext", ""])
def test_prose_and_data(language: str) -> None:
    """There is nothing to test or to extract in them; they can be explained, changed, reviewed, summed up."""
    moment = replace(HERE, range=LINES, language=language, has_model=True)
    assert names(moment) == ["explain", "refactor", "review", "summarize"]


def test_what_a_model_makes_is_marked() -> None:
    """Where the editor has a mark for it, and only if a model will be asked."""
    marked = {it.kind for it in offers(replace(HERE, range=LINES, has_model=True), FULL) if it.tags}
    assert "refactor.rewrite.hearth.simplify" in marked
    assert "refactor.rewrite.hearth.rename" not in marked
    assert not any(it.tags for it in offers(replace(HERE, range=LINES), FULL))
    assert not any(it.tags for it in offers(replace(HERE, has_model=True), replace(FULL, tags=False)))


def test_the_users_own_commands() -> None:
    """They stand behind the others."""
    assert names(HERE, FULL, OWN)[-1] != "mine"
    assert names(replace(HERE, has_model=True), FULL, OWN)[-1] == "mine"


def test_what_an_editor_says_of_itself() -> None:
    """Nothing said: nothing is disabled, marked or asked for."""
    assert menu_of(lsp.ClientCapabilities()) == Menu()
    actions = lsp.CodeActionClientCapabilities(
        disabled_support=True,
        tag_support=lsp.CodeActionTagOptions(value_set=[lsp.CodeActionTag.LlmGenerated]),
    )
    client = lsp.ClientCapabilities(
        text_document=lsp.TextDocumentClientCapabilities(code_action=actions),
        experimental={"hearth": {"asks": True}},
    )
    assert menu_of(client) == FULL
    assert not menu_of(lsp.ClientCapabilities(experimental={"hearth": {"asks": "yes"}})).asks


def test_whether_a_model_is_set_up() -> None:
    """The settings tell; a cloud counts only where it is allowed."""
    cloud = Settings(cloud_provider="openai", cloud_model="m")
    assert not has_model(Settings())
    assert has_model(Settings(chat_model="m"))
    assert not has_model(cloud)
    assert has_model(replace(cloud, cloud_allowed=True))


def replace_severity(it: lsp.Diagnostic, severity: lsp.DiagnosticSeverity) -> lsp.Diagnostic:
    return lsp.Diagnostic(range=it.range, message=it.message, severity=severity)
