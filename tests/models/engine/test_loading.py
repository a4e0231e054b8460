"""Models come into memory with the first request, give way to others, go when unused; health says which."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from benchmarks.shape_model import Shape, byte_vocabulary, write
from models.engine import worker
from models.engine.job import Unavailable
from models.engine.llama import Llama
from models.engine.machine import default_threads, on_battery
from models.errors import ModelError
from models.wire import Priority
from tests.models.conftest import TINY
from tests.models.engine.driver import LONG, PATIENCE_S, Asked, Driver, same, spec_of, working


def until(condition: Callable[[], object]) -> None:
    """Wait for what the worker's thread does by itself."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it never happens"
        time.sleep(0.01)


@pytest.fixture
def copies(tiny_model: Path, tmp_path: Path) -> list[Path]:
    """Four files of the same model."""
    paths = [tmp_path / f"copy-{number}.gguf" for number in range(4)]
    for path in paths:
        shutil.copy(tiny_model, path)
    return paths


def loaded(driver: Driver) -> list[str]:
    return [it.spec.name for it in driver.worker._models.values()]


def test_nothing_is_loaded_before_the_first_request(tiny_model: Path) -> None:
    """Then the states are told in order, with progress that only grows."""
    with working(tiny_model) as driver:
        assert driver.worker.health.state == "idle"
        usage = driver.ask().usage
        assert driver.states == ["loading", "ready"]
        progress = [it.progress for it in driver.told if it.state == "loading"]
        assert progress == sorted(progress)
        assert usage.load_ms > 0
        assert driver.ask().usage.load_ms == 0
        health = driver.worker.health
    assert (health.context_tokens, health.loads, health.problem) == (2048, 1, "")


def test_an_unused_model_leaves_and_comes_back(tiny_model: Path) -> None:
    """The answer is the same, evaluated anew."""
    with working(tiny_model, idle_unload=0.05) as driver:
        first = driver.ask()
        text = first.text
        until(lambda: driver.worker.health.state == "idle")
        again = driver.ask()
        assert (again.text, again.usage.cached_tokens) == (text, 0)
        assert driver.states[:4] == ["loading", "ready", "idle", "loading"]
        assert driver.worker.health.loads == 2


def test_two_models_stay_and_a_third_sends_the_longest_unused_away(copies: list[Path]) -> None:
    """One for ghost text, one for chat."""
    with working(copies[0]) as driver:
        for number in (0, 1, 0, 2):
            driver.ask(spec=spec_of(copies[number])).wait()
        assert loaded(driver) == ["copy-0", "copy-2"]
        assert driver.worker.health.model == "copy-2"


def test_models_answer_side_by_side(copies: list[Path]) -> None:
    """Jobs of two models take turns; a model in use is not unloaded for a third."""
    with working(copies[0]) as driver:
        expected = driver.ask(max_tokens=30).text

        def ask_others() -> None:
            for path in copies[1:]:
                driver.ask(spec=spec_of(path))

        slow = driver.ask(max_tokens=30, priority="background", on_first=ask_others)
        assert slow.text == expected
        for path in copies:
            assert driver.ask(max_tokens=30, spec=spec_of(path)).text == expected


def test_a_replaced_file_is_loaded_anew(tiny_model: Path, tmp_path: Path) -> None:
    """After a download of a newer one, without starting the engine again."""
    path = tmp_path / "model.gguf"
    shutil.copy(tiny_model, path)
    with working(path) as driver:
        before = driver.ask(max_tokens=20).text
        write(tmp_path / "new", ftype="F32", shape=replace(TINY, sharpness=2.0))
        (tmp_path / "new").replace(path)
        after = driver.ask(max_tokens=20).text
        assert after != before
        assert driver.worker.health.loads == 2


def test_a_deleted_file_serves_until_it_is_unloaded(tiny_model: Path, tmp_path: Path) -> None:
    """What is in memory is not taken away; afterwards there is a sentence."""
    path = tmp_path / "model.gguf"
    shutil.copy(tiny_model, path)
    with working(path) as driver:
        driver.ask().wait()
        path.unlink()
        driver.worker._config = replace(driver.worker._config, idle_unload=0.05)
        assert driver.ask().wait().error is None
        until(lambda: driver.worker.health.state == "idle")
        assert "cannot be read: No such file" in str(driver.ask().wait().error)


def test_a_model_that_fails_does_not_harm_the_others(copies: list[Path]) -> None:
    """Health says what is wrong until something works again."""
    copies[1].write_bytes(copies[1].read_bytes()[:-5000])
    with working(copies[0]) as driver:
        driver.ask().wait()
        failed = driver.ask(spec=spec_of(copies[1])).wait()
        assert str(failed.error) == ("copy-1.gguf is incomplete: 0.5 of 0.5 MB are there; fetch it again.")
        assert (driver.worker.health.state, driver.worker.health.problem) == ("failed", str(failed.error))
        driver.ask().wait()
        health = driver.worker.health
        assert (health.state, health.problem, health.model) == ("ready", "", "copy-0")


def test_too_little_memory_is_said_with_both_numbers(
    copies: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is loaded already and unused makes room first."""
    free = psutil.virtual_memory()._replace(available=50 * 2**20)
    with working(copies[0]) as driver:
        driver.ask().wait()
        monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
        failed = driver.ask(spec=spec_of(copies[1])).wait()
        assert str(failed.error) == (
            "copy-1.gguf needs about 0.1 GB of memory and 0.1 GB are free;"
            " choose a smaller model or less context."
        )
        assert loaded(driver) == []


def test_an_architecture_llama_cpp_does_not_know(tiny_model: Path, tmp_path: Path) -> None:
    """In llama.cpp's words, which name it."""
    path = tmp_path / "model.gguf"
    path.write_bytes(tiny_model.read_bytes().replace(b"qwen2", b"qwenX"))
    with working(path) as driver:
        said = str(driver.ask().wait().error)
    assert said.startswith("model.gguf cannot be loaded: ")
    assert "unknown model architecture: 'qwenX'" in said
    assert said.endswith(".")
    assert "\n" not in said


def test_stopping_does_not_wait_for_a_load(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading some gigabytes takes long; it is broken off."""
    stoppers: list[threading.Thread] = []
    with working(tiny_model) as driver:
        real = driver.worker._on_progress

        def progress(fraction: float) -> bool:
            if not stoppers:
                stoppers.append(threading.Thread(target=driver.worker.stop))
                stoppers[0].start()
                until(lambda: driver.worker._queue.stopping)
            return real(fraction)

        monkeypatch.setattr(driver.worker, "_on_progress", progress)
        assert isinstance(driver.ask().wait().error, Unavailable)
        stoppers[0].join()
    assert driver.worker.health.loads == 0


@pytest.mark.parametrize(("wanted", "context"), [(None, 512), (300, 300), (1, 256), (100_000, 512)])
def test_the_context_is_what_was_asked_for_within_reason(
    tmp_path: Path, wanted: int | None, context: int
) -> None:
    """A request may take what the model was trained for; the memory is for four such requests at most."""
    path = tmp_path / "short.gguf"
    write(path, ftype="F32", shape=replace(TINY, n_ctx=512))
    with working(path, context=wanted) as driver:
        driver.ask().wait()
        assert driver.worker.health.context_tokens == context
        assert driver.worker._models[path].llama.limits.context_tokens <= 4 * 512


def test_a_model_without_fim_tokens_says_so(tmp_path: Path) -> None:
    """It still continues text, and chats if it has a template."""
    path = tmp_path / "plain.gguf"
    vocabulary = byte_vocabulary(600, special=("<|endoftext|>", "<|im_start|>", "<|im_end|>"))
    write(path, ftype="F32", shape=TINY, vocabulary=replace(vocabulary, chat_template=""))
    with working(path) as driver:
        said = str(driver.ask("a", suffix="b").wait().error)
        assert said == "plain cannot fill in between two texts; choose a code model that can."
        assert driver.ask("a").wait().error is None
        said = str(driver.chat("Hello").wait().error)
        assert said == "plain is not made for chat: its file carries no chat template."


def test_a_failed_load_leaks_nothing(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A context that cannot be had frees the weights again."""
    closed: list[Llama] = []
    real = Llama.close

    def close(self: Llama) -> None:
        closed.append(self)
        real(self)

    monkeypatch.setattr(Llama, "close", close)
    monkeypatch.setattr(Llama, "_new_context", lambda *_: (_ for _ in ()).throw(ModelError("No room.")))
    with working(tiny_model) as driver:
        assert str(driver.ask().wait().error) == "No room."
    assert len(closed) == 1


def test_threads_are_cores_that_we_may_use() -> None:
    """Never none, never more than there are."""
    assert 1 <= default_threads() <= (psutil.cpu_count() or 1)


def test_on_battery_there_are_fewer(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for a model that is loaded already, and health says so."""
    power = SimpleNamespace(percent=50, secsleft=999, power_plugged=True)
    monkeypatch.setattr(psutil, "sensors_battery", lambda: power, raising=False)
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: 2)
    monkeypatch.setattr(psutil.Process, "cpu_affinity", lambda _: [0, 1], raising=False)
    monkeypatch.setattr(worker, "MIND_SECONDS", 0.0)
    with working(tiny_model) as driver:
        driver.worker._config = replace(driver.worker._config, threads=None)
        expected = driver.ask(logprobs=True).wait()
        assert driver.worker.health.threads == 2
        power.power_plugged = False
        same(driver.ask(logprobs=True), expected)
        assert driver.worker.health.threads == 1
        power.power_plugged = True
        driver.ask().wait()
        assert driver.worker.health.threads == 2


def test_who_types_is_left_a_processor(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read ahead uses one less for a while after a key; what somebody waits for uses all."""
    used: list[int] = []
    real = Llama.use_threads

    def noted(self: Llama, threads: int) -> None:
        used.append(threads)
        real(self, threads)

    monkeypatch.setattr(Llama, "use_threads", noted)

    def threads_of(driver: Driver, priority: Priority) -> set[int]:
        used.clear()
        driver.ask(LONG[:400], priority=priority).wait()
        return set(used)

    with working(tiny_model) as driver:
        driver.worker._config = replace(driver.worker._config, threads=3)
        assert threads_of(driver, "prefill") == {3}
        assert threads_of(driver, "typing") == {3}
        assert threads_of(driver, "prefill") == threads_of(driver, "background") == {2}
        assert threads_of(driver, "chat") == {3}
        monkeypatch.setattr(worker, "TYPING_SECONDS", 0.0)
        assert threads_of(driver, "prefill") == {3}
        assert driver.worker.health.threads == 3


def test_a_key_that_needs_no_answer_frees_a_processor_at_once(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long reading is interrupted, goes on with less, and its answer is the same."""
    used: list[int] = []
    real = Llama.use_threads

    def noted(self: Llama, threads: int) -> None:
        used.append(threads)
        real(self, threads)

    with working(tiny_model) as driver:
        driver.worker._config = replace(driver.worker._config, threads=2)
        expected = driver.ask(LONG, logprobs=True).wait()
        monkeypatch.setattr(worker, "TYPING_SECONDS", 0.0)
        driver.ask("x").wait()
        monkeypatch.setattr(worker, "TYPING_SECONDS", 60.0)
        driver.worker._typed_at = float("-inf")
        monkeypatch.setattr(Llama, "use_threads", noted)
        asked = driver.ask("#\n" + LONG, priority="prefill", logprobs=True)
        until(lambda: used)
        driver.worker.typed()
        assert asked.text
        assert used[0] == 2
        assert used[-1] == 1
        same(driver.ask(LONG, logprobs=True), expected)


def test_a_machine_without_a_battery(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing known, none there, or a system that cannot say: it is plugged in."""
    for sensors in (lambda: None, lambda: SimpleNamespace(power_plugged=None)):
        monkeypatch.setattr(psutil, "sensors_battery", sensors, raising=False)
        assert not on_battery()
    monkeypatch.delattr(psutil, "sensors_battery")
    assert not on_battery()


def test_all_models_share_one_memory(copies: list[Path]) -> None:
    """With room for one the other leaves; with room for both it stays."""
    for megabytes, stay in ((200, 1), (400, 2)):
        with working(copies[0], memory=megabytes * 2**20) as driver:
            driver.ask().wait()
            driver.ask(spec=spec_of(copies[1])).wait()
            assert len(loaded(driver)) == stay
            assert driver.ask(spec=spec_of(copies[1])).wait().error is None


def test_a_model_larger_than_what_is_allowed_is_refused(copies: list[Path]) -> None:
    """Before anything is unloaded for it."""
    with working(copies[0], memory=400 * 2**20) as driver:
        driver.ask().wait()
        driver.worker._config = replace(driver.worker._config, memory=100 * 2**20)
        failed = driver.ask(spec=spec_of(copies[1])).wait()
        assert str(failed.error) == (
            "copy-1.gguf needs about 0.1 GB of memory and 0.1 GB are allowed;"
            " choose a smaller model or less context."
        )
        assert len(loaded(driver)) == 1


def test_memory_that_is_in_use_is_not_taken(copies: list[Path]) -> None:
    """A model that is answering stays; who wants another one is told to come back."""
    other: list[Asked] = []
    with working(copies[0], memory=200 * 2**20) as driver:
        slow = driver.ask(
            max_tokens=60,
            priority="chat",
            on_first=lambda: other.append(driver.ask(spec=spec_of(copies[1]))),
        )
        assert slow.wait().error is None
        assert isinstance(other[0].wait().error, Unavailable)
        assert driver.ask(spec=spec_of(copies[1])).wait().error is None


def test_a_shape_is_written_the_same_each_time(tmp_path: Path) -> None:
    """Tests and measurements can rely on it."""
    for name in ("one", "two"):
        write(tmp_path / name, ftype="F32", shape=replace(TINY, n_layer=1))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert Shape().n_vocab == 151_936
