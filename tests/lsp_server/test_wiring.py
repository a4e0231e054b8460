"""From settings to what answers questions, and again when they change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lsp_server import resolve, wiring
from lsp_server.documents import Window
from lsp_server.settings import Confidence, Settings
from lsp_server.wiring import Workbench
from models.errors import ModelError
from models.spec import ModelSpec
from models.wire import Health
from tests.harness import Script


@pytest.mark.parametrize(
    ("confidence", "calibrated", "expected"),
    [
        ("eager", 0.4, 0.2),
        ("balanced", 0.4, 0.4),
        ("quiet", 0.4, 0.7),
        ("balanced", 0.0, 0.0),
        (0.9, 0.4, 0.9),
        (0.0, 0.4, 0.0),
    ],
)
def test_how_sure_is_sure_enough(confidence: Confidence, calibrated: float, expected: float) -> None:
    """The model's own threshold, lowered or raised; a number is the user's word."""
    assert resolve.threshold(confidence, calibrated) == pytest.approx(expected)


def test_the_engines_part_of_the_settings(tmp_path: Path) -> None:
    """Minutes become seconds, 0 lets the engine choose, a path becomes absolute."""
    model = tmp_path / "m.gguf"
    model.write_bytes(b"GGUF")
    options = resolve.engine_options(
        Settings(model=str(model), engine_idle_unload_minutes=2, engine_threads=3)
    )
    assert (options.model, options.idle_unload_s) == (str(model), 120.0)
    assert (options.context_tokens, options.threads) == (None, 3)


@pytest.mark.parametrize(("context", "answer"), [(512, 96), (512, 1024), (2048, 96), (8192, 96), (None, 96)])
def test_a_prompt_fits_into_the_model(tmp_path: Path, context: int | None, answer: int) -> None:
    """What is asked leaves room for the answer and for what will be typed before the next anchor."""
    model = ModelSpec(name="m", path=tmp_path, title="", context_tokens=context)
    settings = Settings(completion_max_tokens=answer)
    config = resolve.completion_config(settings, model)
    assert config == resolve.completion_config(settings, replace(model, context_tokens=None), context)
    parts = config.prefix_tokens, config.suffix_tokens, config.middle_tokens
    assert 0 < min(parts)
    assert 0 <= config.snippet_tokens
    room = (context or resolve.LARGE) - min(answer, (context or resolve.LARGE) // 4)
    assert sum(parts) + config.snippet_tokens <= room
    roomy = context is None or 4096 <= context
    assert (config.prefix_tokens == resolve.PREFIX_TOKENS) is (roomy or context == 2048)
    assert (config.snippet_tokens == resolve.SNIPPET_TOKENS) is roomy


async def test_settings_change_under_a_running_server(hearth_home: Path) -> None:
    """The editor's word replaces its last one; the user's file and the command line keep their places."""
    (hearth_home / "config").mkdir()
    (hearth_home / "config" / "settings.json").write_text('{"completion.maxLines": 3, "model": "theirs"}')
    bench = Workbench("typed")
    assert await bench.configure({"completion.maxTokens": 7}) == []
    assert (bench.settings.completion_max_tokens, bench.settings.completion_max_lines) == (7, 3)
    assert bench.settings.model == bench.model_name == "typed"
    assert len(await bench.configure({"completion.maxTokens": "seven"})) == 1
    assert bench.settings.completion_max_tokens == Settings().completion_max_tokens


async def test_no_moment_to_suggest_asks_nobody(hearth_home: Path) -> None:
    """Where nothing is suggested, no engine is started and no model looked for."""
    bench = Workbench("no-such-model")
    window = Window(text="x = 1; y", offset=6)
    spot, trigger = wiring.look(
        window, bench.settings, path="x.py", language="python", explicit=False, previous=None
    )
    suggestion = await wiring.suggest(bench, spot, trigger)
    assert (suggestion.text, suggestion.reason) == ("", "text_after_cursor")


async def test_a_missing_model_is_one_sentence(hearth_home: Path) -> None:
    """Asked for by hand, it is looked for, and what is wrong is said."""
    bench = Workbench("no-such-model")
    window = Window(text="def f(", offset=6)
    spot, trigger = wiring.look(
        window, bench.settings, path="x.py", language="python", explicit=True, previous=None
    )
    with pytest.raises(ModelError, match=r"^No model is called 'no-such-model'.*\.$"):
        await wiring.suggest(bench, spot, trigger)


async def test_one_path_for_editor_and_command_line(
    hearth_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spot, trigger, prompt, model, judgment: all of it behind two calls."""
    model = hearth_home / "m.gguf"
    model.write_bytes(b"GGUF")
    bench = Workbench(str(model))
    script = Script("a + b")

    async def backend() -> object:
        return script.backend()

    monkeypatch.setattr(bench, "backend", backend)
    text = "def add(a, b):\n    return "
    spot, trigger = wiring.look(
        Window(text=text, offset=len(text)),
        bench.settings,
        path="x.py",
        language="python",
        explicit=False,
        previous=None,
    )
    suggestion = await wiring.suggest(bench, spot, trigger)
    assert suggestion.text == "a + b"
    assert script.requests[0]["model"] == str(model)


async def test_another_engine_has_read_nothing(hearth_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor has one that has let go of its model, or loaded it anew; news of the same one change nothing."""
    model = hearth_home / "m.gguf"
    model.write_bytes(b"GGUF")
    bench = Workbench(str(model))
    health = Health(version="1", pid=1, executable="", state="ready", model="m", loads=1, context_tokens=512)
    text = "def add(a, b):\n    return "
    document = "file:///x.py"

    async def backend() -> object:
        return Script("a + b").backend()

    monkeypatch.setattr(bench, "backend", backend)
    changes: list[dict[str, object]] = [{"pid": 2}, {"loads": 2}, {"state": "idle"}, {"state": "failed"}]
    for change in changes:
        bench.heard(health)
        assert bench.context_tokens == 512
        bench.forget_shown()
        window = Window(text=text, offset=len(text))
        spot, trigger = wiring.look(
            window, bench.settings, path="x.py", language="python", explicit=False, previous=None
        )
        await wiring.suggest(bench, spot, trigger, document)
        bench.heard(replace(health, clients=2))
        assert bench.sessions.anchors(document) != ()
        bench.heard(replace(health, **change))  # type: ignore[arg-type]  # fields of Health, by name
        assert bench.sessions.anchors(document) == ()
    await bench.close()


async def test_the_model_that_chats_changes_nothing_for_typing(hearth_home: Path) -> None:
    """What the completing model has read is still there when the engine loads another one beside it."""
    model = hearth_home / "m.gguf"
    model.write_bytes(b"GGUF")
    bench = Workbench(str(model))
    lost: list[str] = []
    bench.sessions.lost = lambda: lost.append("lost")  # type: ignore[method-assign]  # to count it
    ours = Health(version="1", pid=1, executable="", state="ready", model="m", loads=1, context_tokens=512)
    chats = replace(ours, model="chats", loads=2, context_tokens=4096)
    for it in (chats, ours, replace(chats, state="loading"), chats, replace(chats, state="failed")):
        bench.heard(it)
        assert bench.context_tokens in (None, 512)
    assert (lost, bench.context_tokens) == ([], 512)
    bench.heard(replace(chats, pid=2))
    assert (lost, bench.context_tokens) == (["lost"], None)
    await bench.close()
