"""`hearth ask` as it is typed: an answer from whatever is there, in a pipe and for programs, and faults."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chat import why
from tests.e2e.talking_model import BREAK, TalkingModel, talking
from tests.terminal import HEARTH

pytestmark = pytest.mark.e2e

FILES = {
    "pyproject.toml": "",
    "shop/cart.py": '"""Carts."""\n\nfrom shop.round import round_up\n\n\nclass Cart:\n'
    '    """What somebody wants to buy."""\n\n    def total_price(self, taxes: float = 0.2) -> int:\n'
    "        return round_up(3 * (1 + taxes))\n",
    "shop/round.py": '"""Rounding."""\n\n\ndef round_up(value: float) -> int:\n'
    '    """The next whole number."""\n    return int(value) + 1\n',
    ".env": "API_TOKEN=swordfish\n",
}
LINK = "[shop/round.py:4](shop/round.py#L4)"
NO_MODEL = "extractive · You prefer this machine, but no model is set up here, "
Typed = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project outside of any git repository."""
    folder = tmp_path / "project"
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.fixture
def typed(hearth_home: Path, project: Path) -> Typed:
    """Type `hearth ask` and more in the project's folder."""

    def run(*arguments: str, said: str = "", cwd: Path = project) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*HEARTH, "ask", *arguments],
            cwd=cwd,
            input=said,
            capture_output=True,
            text=True,
            check=False,
            env=dict(os.environ),
        )
        assert "Traceback" not in done.stderr
        return done

    return run


def use(home: Path, model: TalkingModel, **more: Any) -> None:
    """Have a model on this machine answer."""
    chat = {"provider": "compatible", "url": model.url, "model": "m", **more}
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "settings.json").write_text(json.dumps({"chat": chat}))


def test_without_a_model_the_code_answers(typed: Typed, hearth_home: Path) -> None:
    """Markdown with links on the standard output, who answered beside it, and no failure."""
    done = typed("How do I", "call round_up?")
    assert done.returncode == 0
    assert LINK in done.stdout
    assert "def round_up(value: float) -> int:" in done.stdout
    assert "(shop/cart.py#L10)" in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stderr.startswith(NO_MODEL)
    assert done.stderr.count("\n") == 1
    (noted,) = why.decisions(hearth_home / "data")
    assert (noted.task, noted.tier) == ("ask", "extractive")
    assert not (hearth_home / "data" / "history.sqlite3").exists()


def test_for_programs(typed: Typed) -> None:
    """One object with all there is to know, and nothing else."""
    done = typed("--json", "who calls round_up?")
    said = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert LINK in said["answer"]
    assert (said["tier"], said["server"], said["usage"], said["whole"]) == ("extractive", "", None, True)
    assert said["reason"].startswith("You prefer this machine")
    assert {"path": "shop/cart.py", "first_line": 10, "last_line": 10} in said["places"]
    assert said["problem"] == ""


def test_a_model_answers(typed: Typed, hearth_home: Path) -> None:
    """With its words, in which numbers are links to the lines that it was given, and what it cost."""
    with talking("Call `round_up` [1], nobody else does [7].") as model:
        use(hearth_home, model)
        done = typed("How do I call round_up?", "--json")
    said = json.loads(done.stdout)
    assert done.returncode == 0
    assert said["answer"].startswith("Call `round_up` [shop/round.py")
    assert "[7]" not in said["answer"]
    assert (said["tier"], said["server"], said["whole"]) == ("local", "m", True)
    assert said["places"][0]["path"] == "shop/round.py"
    assert (said["usage"]["prompt_tokens"], said["problem"]) == (9, "")
    (asked,) = model.asked
    assert "def round_up(value: float)" in asked["messages"][-1]["content"]
    assert "How do I call round_up?" in asked["messages"][-1]["content"]


def test_it_can_be_asked_who_answers(typed: Typed, hearth_home: Path) -> None:
    """`--choice` is stronger than the settings; a name that nobody has is said to be none."""
    with talking("Words.") as model:
        use(hearth_home, model)
        assert LINK in typed("where is round_up?", "--choice", "extractive").stdout
        assert model.asked == []
        done = typed("where is round_up?", "--choice", "nobody")
    assert done.stdout == "Words.\n"
    assert "no model is called nobody" in done.stderr


def test_what_it_is_about(typed: Typed, hearth_home: Path, project: Path) -> None:
    """Lines of a file, from wherever one is; the task that is named; a question through a pipe."""
    with talking("Words.") as model:
        use(hearth_home, model)
        file = ("--file", "cart.py:9-10", "--task", "architecture")
        assert typed("what is this?", *file, cwd=project / "shop").returncode == 0
        assert typed("-", said="What does @shop/round.py do?").returncode == 0
    first, second = (it["messages"][-1]["content"] for it in model.asked)
    assert "return round_up(3 * (1 + taxes))" in first
    assert "def round_up" in second
    assert [it.task for it in why.decisions(hearth_home / "data")] == ["ask", "architecture"]


def test_a_model_that_breaks_off(typed: Typed, hearth_home: Path) -> None:
    """What was said stands, one sentence says what happened, and the exit code says that it is not whole."""
    with talking(["It", "begins", BREAK]) as model:
        use(hearth_home, model)
        done = typed("where is round_up?")
    assert (done.returncode, done.stdout) == (1, "It begins\n")
    assert [it for it in done.stderr.splitlines() if it.startswith("hearth: ")] == [
        f"hearth: The connection to the model server at {model.url} broke."
    ]


def test_a_model_that_is_not_there(typed: Typed, hearth_home: Path) -> None:
    """Then the code answers, and says whose place it takes."""
    use(hearth_home, TalkingModel([], port=9))
    done = typed("where is round_up?", "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["tier"]) == (0, "extractive")
    assert LINK in said["answer"]
    assert said["reason"] == "m could not be reached, so your code itself answers, without a model."


def test_settings_that_cannot_be_used_are_told(typed: Typed, hearth_home: Path) -> None:
    """One sentence each, and an answer all the same."""
    (hearth_home / "config").mkdir()
    (hearth_home / "config" / "settings.json").write_text('{"chat": {"model": "/gone.gguf", "prefer": 3}}')
    done = typed("where is round_up?")
    assert (done.returncode, LINK in done.stdout) == (0, True)
    assert "hearth: The setting hearth.chat.prefer in settings.json must be" in done.stderr
    assert "hearth: There is no " in done.stderr
    assert "/gone.gguf" in done.stderr


def test_a_change_is_a_patch(typed: Typed, project: Path) -> None:
    """What a command would change is shown as git takes it; nothing is written."""
    before = {it: it.read_bytes() for it in project.rglob("*") if it.is_file()}
    done = typed("/tests round_up")
    assert done.returncode == 0
    assert done.stdout.startswith("```diff\n--- /dev/null\n+++ b/tests/test_round.py\n@@ -0,0 +1,")
    assert "Nothing was changed" in done.stdout
    assert {it: it.read_bytes() for it in project.rglob("*") if it.is_file()} == before
    applied = subprocess.run(["git", "apply"], cwd=project, input=done.stdout, text=True, check=False)
    assert applied.returncode == 0
    assert "round_up(" in (project / "tests" / "test_round.py").read_text()


def test_nobody_listens_any_more(typed: Typed, project: Path) -> None:
    """A pipe that is closed, as by `head`, is no bug."""
    command = [*HEARTH, "ask", "where is round_up?"]
    process = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() in (0, 1)
    assert "bug" not in said
