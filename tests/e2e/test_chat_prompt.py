"""`hearth chat` and `hearth ask` in a terminal: what a person types and sees, and that he can stop it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chat.history import History, located
from tests.e2e.talking_model import WAIT, TalkingModel, talking
from tests.terminal import HEARTH, Terminal, terminal

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal"),
]

PROMPT = "\n›"
FILES = {
    "pyproject.toml": "",
    "shop/cart.py": "from shop.round import round_up\n\n\ndef total():\n    return round_up(3)\n",
    "shop/round.py": 'def round_up(value):\n    """The next whole number."""\n    return value + 1\n',
}
RECIPE = """
title = "Callers"
says = "Who calls it."
about = "symbol"
[[steps]]
do = "retrieve"
what = "callers"
[[steps]]
do = "prompt"
text = "{{context}} Why is this called so often? {{code}}"
"""
CODE = "It is **easy**:\n\n```python\nreturn 1\n```\n\nAs [1] shows."


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project outside of any git repository."""
    folder = tmp_path / "project"
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def use(home: Path, model: TalkingModel) -> None:
    """Have a model on this machine answer."""
    chat = {"provider": "compatible", "url": model.url, "model": "m"}
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "settings.json").write_text(json.dumps({"chat": chat}))


@contextmanager
def prompt(project: Path, *arguments: str, **rest: Any) -> Iterator[Terminal]:
    """`hearth chat`, as far as its first question."""
    with terminal(*HEARTH, "chat", *arguments, cwd=project, **rest) as it:
        it.until(PROMPT)
        yield it


def ask(it: Terminal, line: str) -> str:
    """Type a line; what is on the screen below it when the next one can be typed."""
    count = it.screen.count(PROMPT)
    it.type(f"{line}\n")
    it.until(PROMPT, times=count + 1)
    return it.screen.split(PROMPT)[count].partition("\n")[2]


def kept(home: Path) -> list[tuple[str, str]]:
    """Questions and answers of the latest conversation, as the history has them."""
    history = History(located(home / "data"))
    latest = history.list()[0]
    conversation = history.get(latest.id)
    assert conversation is not None
    return [(it.asked, it.shown) for it in conversation.turns]


def test_a_conversation_without_a_model(project: Path, hearth_home: Path) -> None:
    """Greeted, answered with paths to click, told why, helped, and gone with a way back."""
    with prompt(project) as it:
        assert "your code itself answers" in it.screen
        said = ask(it, "How do I call round_up?")
        assert "round_up is a function in shop/round.py:1." in said
        assert "extractive · You prefer this machine" in said
        assert f"{(project / 'shop' / 'round.py').as_uri()}#1" in it.links
        assert "extractive · " in ask(it, "/why")
        assert "/explain" in ask(it, "/help")
        assert "hearth: There is no command /sing" in ask(it, "/sing")
        assert "hearth: Say what it is about" in ask(it, "/explain")
        assert ask(it, "").strip() == ""
        it.type("/quit\n")
        assert it.wait() == 0
        short = it.screen.rpartition("--conversation ")[2][:8]
    assert History(located(hearth_home / "data")).list()[0].id.startswith(short)
    assert [asked for asked, _ in kept(hearth_home)] == ["How do I call round_up?"]


def test_an_answer_is_stopped(project: Path, hearth_home: Path) -> None:
    """Ctrl-C hangs up; what was said stays on the screen, in the history and in the conversation."""
    with talking(["Now", "wait", WAIT, "more"], "Next.") as model:
        use(hearth_home, model)
        with prompt(project) as it:
            it.type("Why is that?\n")
            it.until("Now wait")
            it.interrupt()
            it.until(PROMPT, times=2)
            assert "m answers on this machine. · stopped" in " ".join(it.screen.split())
            assert model.hung_up.wait(30)
            assert "Next." in ask(it, "And then?")
            it.type("\x04")
            assert it.wait() == 0
    assert kept(hearth_home) == [("Why is that?", "Now wait"), ("And then?", "Next.")]
    roles = [(it["role"], it["content"]) for it in model.asked[1]["messages"]]
    assert ("assistant", "Now wait") in roles


def test_an_answer_as_it_comes(project: Path, hearth_home: Path) -> None:
    """Markdown is drawn before its end is there, and stands there once when it is."""
    with talking([*CODE.split(" "), WAIT, "End."]) as model:
        use(hearth_home, model)
        with prompt(project, rows=14) as it:
            it.type("Where is round_up?\n")
            it.until("return 1\n\nAs shop/")
            assert "End." not in it.screen
            model.go_on.set()
            it.until(PROMPT, times=2)
            assert it.screen.count("It is easy:\n\nreturn 1\n\nAs shop/round.py") == 1
            assert "shows. End.\n\nlocal · m · You prefer" in it.screen
            assert "**" not in it.screen
            assert "```" not in it.screen


def test_again_and_anew(project: Path, hearth_home: Path) -> None:
    """Another answer takes the first one's place, and so does another question; so many as there were."""
    with talking("One.", "Two.", "Three.", "Four.") as model:
        use(hearth_home, model)
        with prompt(project, "How", "is", "it?") as it:
            assert "One." in it.screen
            assert "Two." in ask(it, "/again")
            assert kept(hearth_home) == [("How is it?", "Two.")]
            assert "Three." in ask(it, "/edit How was it?")
            assert kept(hearth_home) == [("How was it?", "Three.")]
            assert "hearth: There is no question 7." in ask(it, "/edit 7 What?")
            ask(it, "/new")
            assert "hearth: Nothing has been asked yet." in ask(it, "/again")
            assert "Four." in ask(it, "Who?")
    assert kept(hearth_home) == [("Who?", "Four.")]
    first, again, *_ = model.asked
    assert first["messages"] == again["messages"]
    assert first["temperature"] < again["temperature"]


def test_it_goes_on_where_it_was(project: Path, hearth_home: Path) -> None:
    """The last conversation about this project, or one by the beginning of its id."""
    with talking("One.", "Two.", "Three.") as model:
        use(hearth_home, model)
        with prompt(project, "First?") as it:
            it.type("\x04")
            it.wait()
        with prompt(project, "--continue") as it:
            assert "First?\n\nOne." in it.screen
            ask(it, "Second?")
        identity = History(located(hearth_home / "data")).list()[0].id
        with prompt(project, "--conversation", identity[:6]) as it:
            assert "Second?\n\nTwo." in it.screen
            ask(it, "Third?")
    assert [asked for asked, _ in kept(hearth_home)] == ["First?", "Second?", "Third?"]
    contents = [it["content"] for it in model.asked[2]["messages"]]
    assert "One." in contents
    assert "Two." in contents


def test_lines_are_typed(project: Path, hearth_home: Path) -> None:
    """Several lines make one question; Ctrl-C takes back what was typed; Tab completes."""
    with talking("Yes.") as model:
        use(hearth_home, model)
        with prompt(project) as it:
            it.type('"""One\n')
            it.until("…")
            it.type('two"""\n')
            it.until(PROMPT, times=2)
            it.type("Three \\\n")
            it.until("…", times=2)
            it.type("four\n")
            it.until(PROMPT, times=3)
            it.type("never asked")
            it.interrupt()
            it.until(PROMPT, times=4)
            it.type("@shop/ro\t\n")
            it.until(PROMPT, times=5)
            it.type("/choice extractive\n")
            it.until(PROMPT, times=6)
            it.type("@round_\t\n")
            it.until(PROMPT, times=7)
    assert [asked for asked, _ in kept(hearth_home)] == [
        *("One\ntwo", "Three \nfour", "@shop/round.py", "@round_up")
    ]
    assert len(model.asked) == 3


def test_lines_through_a_pipe(project: Path, hearth_home: Path) -> None:
    """Each is a question, and what comes out is Markdown."""
    lines = "where is round_up?\n/sing\nwhere is total?\n"
    done = subprocess.run(
        [*HEARTH, "chat"], cwd=project, input=lines, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1  # One of them was no question.
    assert "[shop/round.py:1](shop/round.py#L1)" in done.stdout
    assert "[shop/cart.py:4](shop/cart.py#L4)" in done.stdout
    assert "›" not in done.stdout + done.stderr
    assert "hearth: There is no command /sing" in done.stderr


def test_a_question_is_stopped(project: Path, hearth_home: Path) -> None:
    """Ctrl-C at `hearth ask` keeps what was said, and its exit code says that it was stopped."""
    with talking(["Now", "wait", WAIT, "more"]) as model:
        use(hearth_home, model)
        with terminal(*HEARTH, "ask", "Why is that?", cwd=project) as it:
            it.until("Now wait")
            it.interrupt()
            assert it.wait() == 130
    assert it.screen.startswith("Now wait\n\nlocal · m · ")
    assert "stopped" in it.screen
    assert "Traceback" not in it.screen


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--conversation", "abc"), "hearth: There is no conversation abc; "),
        (("--conversation", "abc", "--continue"), "either the last one or one by its id."),
        (("--root", "nowhere"), "nowhere"),
    ],
)
def test_a_conversation_that_cannot_begin(
    project: Path, hearth_home: Path, arguments: tuple[str, ...], says: str
) -> None:
    """One sentence, and no prompt."""
    with terminal(*HEARTH, "chat", *arguments, cwd=project) as it:
        assert it.wait() in (1, 2)
    assert says in it.screen
    assert PROMPT not in it.screen


def test_a_command_is_a_turn(project: Path, hearth_home: Path) -> None:
    """What comes of it is kept like an answer, and what asks next knows of it; also one of the user's own."""
    recipes = hearth_home / "config" / "recipes"
    recipes.mkdir(parents=True)
    (recipes / "callers.toml").write_text(RECIPE)
    (recipes / "broken.toml").write_text("title = 3\n")
    with talking("Because.") as model:
        use(hearth_home, model)
        with prompt(project) as it:
            assert "+++ b/tests/test_round.py" in ask(it, "/tests round_up")
            assert "hearth: " in it.screen
            assert "broken.toml" in it.screen
            assert "Because." in ask(it, "/callers round_up")
            assert "Because." in ask(it, "Why?")
            it.type("/summarize shop/round.py\n")
            it.until(PROMPT, times=5)
            assert "/callers: Who calls it." in " ".join(ask(it, "/help").split())
    assert [asked for asked, _ in kept(hearth_home)] == [
        *("/tests round_up", "/callers round_up", "Why?", "/summarize shop/round.py")
    ]
    assert any("test_round.py" in it["content"] for it in model.asked[-2]["messages"])
