"""The set-up and the demo: what they say while they work, and where the demo puts its cursor."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scripts import demo, setup

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("line", "phase"),
    [
        ("[12/83] /usr/bin/c++ -DGGML_SHARED -o a.o -c a.cpp", "compiling  14 % (12 of 83)"),
        ("[1/2] Building CXX object probe.o", "starting"),
        ("[ 41%] Building CXX object ggml.dir/ggml.c.o", "compiling  41 %"),
        ("Building wheel for llama-cpp-python (pyproject.toml): started", "configuring the build"),
        ("Collecting httpx==0.28.1", "finding package 1"),
        ("Installing collected packages: httpx", "installing"),
        ("-- Detecting C compiler ABI info - done", "starting"),
    ],
)
def test_progress_is_read_from_the_output(line: str, phase: str) -> None:
    """The long wait shows how far it is, whatever builds."""
    progress = setup.Progress("llama.cpp")
    progress.note(line)
    assert progress.phase == phase


def test_a_wheel_from_the_cache_is_said_to_be_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Who waited ten seconds instead of minutes learns why."""
    progress = setup.Progress("llama.cpp")
    progress.note("Using cached llama_cpp_python-0.3.36-py3-none-linux_x86_64.whl")
    progress.end(0)
    assert "llama.cpp: installed from pip's cache, 0:00" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("log", "advice"),
    [
        ("CMake Error: No CMAKE_CXX_COMPILER could be found.", "no working C/C++ compiler"),
        ("c++: fatal error: Killed signal terminated program cc1plus", "CMAKE_BUILD_PARALLEL_LEVEL=1"),
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("NewConnectionError: Temporary failure in name resolution", "cannot be reached"),
        ("ERROR: ResolutionImpossible: for help visit", "does not offer a pinned version"),
        ("something nobody has seen", "The same command tries again"),
    ],
)
def test_a_failure_ends_with_advice(log: str, advice: str) -> None:
    """The last lines of the log, then what to do: nobody has to read the whole of it."""
    said = setup.failure("\n".join(f"step {n}" for n in range(99)) + "\n" + log)
    assert said.splitlines()[-1].find(advice) != -1
    assert f"  | {log}" in said
    assert "step 50" not in said


def test_the_stamp_changes_with_what_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another pin, another declaration or another Python means there is something to install."""
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    stamps = set()
    for project, pins, python in (
        ("a", "b", "3.11"),
        ("A", "b", "3.11"),
        ("a", "B", "3.11"),
        ("a", "b", "3.12"),
    ):
        (tmp_path / "pyproject.toml").write_text(project)
        (tmp_path / "constraints.txt").write_text(pins)
        stamps.add(setup.fingerprint(python))
    assert len(stamps) == 4


def test_an_interpreter_that_does_not_fit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has the wrong Python is told which one is wanted, which was found, and how to get one."""
    monkeypatch.setattr(setup, "CANDIDATES", ())
    monkeypatch.setattr(setup, "output", lambda *command: "3 9 /usr/bin/python3\n")
    with pytest.raises(setup.SetupError, match=r"needs Python 3\.11 to 3\.13 with venv \(found: 3\.9\)"):
        setup.fitting_python()


def test_the_first_fitting_interpreter_is_taken() -> None:
    """The one that runs this test fits, so it is taken as it is."""
    assert Path(setup.fitting_python()).samefile(sys.executable)


def test_a_llama_of_another_processor_is_compiled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that came from another machine costs a compilation, not a crash at the first keystroke."""
    installed: list[tuple[str, ...]] = []

    def output(*command: str) -> str:
        if "cache" in command:
            return "/cache/llama_cpp_python-0.0-x.whl" if "list" in command else ""
        return "runs" if command[-1] == setup.TRIAL and len(installed) == 2 else ""

    monkeypatch.setattr(setup, "output", output)
    monkeypatch.setattr(setup, "require_compilers", lambda: None)
    monkeypatch.setattr(setup, "pip", lambda *arguments: installed.append(arguments))
    setup.install_llama()
    assert ["--force-reinstall" in it for it in installed] == [False, True]


@pytest.mark.parametrize(
    "place",
    [*demo.PLACES, *demo.drawn(), demo.TYPED],
    ids=lambda it: f"{it.file.name} {it.after.strip()[-30:]}",
)
def test_the_places_of_the_demo_are_there(place: demo.Place) -> None:
    """The demo's cursor stands at one place in real code, with something behind it to take away."""
    assert place.file.read_text().count(place.after) >= 1
    before, original, after = demo.cut(place)
    assert before.endswith(place.after)
    assert original.strip()
    assert before + original + after == place.file.read_text()


def test_the_demo_shows_several_languages() -> None:
    """Four languages, and code that nobody of us wrote."""
    assert {it.file.suffix for it in demo.PLACES} == {".py", ".ts", ".go", ".rs"}
    assert {it.file.parent for it in demo.drawn()} == {demo.PACKAGE}


def test_ghost_text_is_set_off_in_place() -> None:
    """In a terminal it is dimmed; in a file or a pipe, marked."""
    assert demo.picture("a\nx = ", "f(1)", "\nb", terminal=False).plain == "a\nx = «f(1)»\nb"
    assert demo.picture("a\nx = ", "f(1)", "\nb", terminal=True).plain == "a\nx = f(1)\nb"


def test_the_demo_fails_aloud(tmp_path: Path) -> None:
    """A demo that cannot show anything says why and does not pretend."""
    missing = tmp_path / "missing.gguf"
    command = [sys.executable, "-m", "scripts.demo", str(missing)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert f"The demo failed: hearth: There is no model file at {missing}." in done.stdout.replace("\n", " ")
