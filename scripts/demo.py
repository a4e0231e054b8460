"""`make demo`: ghost text on real files, through `hearth complete`, with the bundled model and the clock on.

At each place the rest of the line is taken away, and asked for. What was there is shown beside it, so that
everyone can judge. The project memory reads the file's folder, where the line is missing too. The engine
is found or started, the model loaded, by the same code an editor uses.
"""

from __future__ import annotations

import http
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
FILES = ROOT / "scripts" / "demo_files"
PACKAGE = Path(http.__file__).parent  # Real code of some size, on every machine that has Python.
DRAWN = 10  # Places in it, at random.
SETTINGS = {"memory": {"dependencies": False}}  # The standard library is what is asked about.
HOME = ROOT / ".venv" / "demo"  # An engine and settings of the demo's own: yours are left alone.
BEFORE, AFTER = 4, 2  # Lines of context shown around the cursor.
DEADLINE_S = 120  # A machine that takes longer than this to load 15 MB has another problem.


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in a file: the cursor stands after this text, and the rest of its line is taken away."""

    file: Path
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What Hearth said at a place."""

    ghost: str
    original: str
    answer: dict[str, Any]


PLACES = (
    Place(file=FILES / "ledger.py", after="        entry = Entry(account=account, "),
    Place(file=FILES / "ledger.py", after="            totals[entry.account] += "),
    Place(file=FILES / "cart.ts", after="    this.lines = this.lines.filter((line) => "),
    Place(file=FILES / "cart.ts", after="    this.discounts."),
    Place(file=FILES / "limiter.go", after="\t\tinterval: "),
    Place(file=FILES / "limiter.go", after="func (l *Limiter) Reset(key string) {\n\tl.mu."),
    Place(file=FILES / "grid.rs", after="    pub fn get(&self, x: usize, y: usize) -> Cell {\n        self."),
    Place(file=FILES / "grid.rs", after="                let ny = "),
)


def drawn(seed: int = 1) -> list[Place]:
    """Places in real code that nobody has chosen: what follows them is not blank."""
    rng = random.Random(seed)
    files = [it for it in sorted(PACKAGE.glob("*.py")) if it.stat().st_size > 10_000]
    places: list[Place] = []
    while len(places) < DRAWN:
        file = rng.choice(files)
        text = file.read_text(encoding="utf-8")
        at = rng.randrange(len(text))
        line = text[text.rfind("\n", 0, at) + 1 : text.find("\n", at)]
        typed = text[text.rfind("\n", 0, at) + 1 : at]
        if typed.strip() and line[len(typed) :].strip():
            places.append(Place(file=file, after=text[:at]))
    return places


TYPED = Place(file=FILES / "limiter.go", after="func (l *Limiter) Reset(key string) {\n")
KEYS = "\tl.mu.Lo"  # Typed at that place, one key after the other.

EDITORS = """\
[bold]Neovim[/]   vim.opt.rtp:prepend("{plugin}"); require("hearth").setup({{}})
[bold]VS Code[/]  an extension of five lines, until there is a ready one: docs/editors/vscode.md
[bold]Helix[/]    language-server.hearth = {{ command = "hearth", args = ["lsp"] }}  (shows nothing yet)

They start `hearth lsp`: install it with `uv tool install {root}`, or put {bin} on your PATH."""


class DemoError(Exception):
    """The demo cannot go on; the message says why."""


def main() -> int:
    console = Console(highlight=False, soft_wrap=True)
    model = sys.argv[1] if len(sys.argv) == 2 else "starter"
    console.print(
        f"[bold]Hearth[/] completes real code with the model [bold]{model}[/], on this machine alone."
    )
    console.print("The rest of a line is deleted; what Hearth suggests in its place is set off.\n")
    started = time.monotonic()
    (HOME / "config").mkdir(parents=True, exist_ok=True)
    (HOME / "config" / "settings.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    try:
        shown = []
        for place in (*PLACES, *drawn()):
            shown.append(show(console, place, model))
            if len(shown) == 1:
                seconds = time.monotonic() - started
                console.print(f"(From nothing to here, engine and model started: {seconds:.1f} s.)\n")
        type_keys(console, model)
    except DemoError as error:
        console.print(f"\nThe demo failed: {error}", markup=False)
        return 1
    console.print(summary(shown))
    console.print(Rule("connect your editor", style="dim"))
    words = {"plugin": ROOT / "editors" / "neovim", "root": ROOT, "bin": Path(sys.executable).parent}
    console.print(EDITORS.format(**words))
    if not any(it.ghost for it in shown):
        console.print("\nThe demo failed: the model had nothing to suggest anywhere.")
        return 1
    return 0


def show(console: Console, place: Place, model: str) -> Shown:
    """Ask at a place and print the answer in its surroundings."""
    before, original, after = cut(place)
    answer = ask(place.file, before, after, model)
    said = Shown(ghost=answer["suggestion"], original=original, answer=answer)
    line = before.count("\n") + 1
    console.print(Rule(f"{place.file.name}:{line}", style="dim", align="left"))
    console.print(picture(before, said.ghost, after, console.is_terminal))
    console.print(remark(said), style="italic")
    console.print()
    return said


def type_keys(console: Console, model: str) -> None:
    """Ask after every key of a word: what was read for the last key need not be read again."""
    before, _, after = cut(TYPED)
    title = f"{TYPED.file.name}:{before.count(chr(10)) + 1}, key by key"
    console.print(Rule(title, style="dim", align="left"))
    for count in range(len(KEYS) + 1):
        typed = before + KEYS[:count]
        answer = ask(TYPED.file, typed, after, model)
        line = Text().append(f"{answer['ms']:6.0f} ms  {whence(answer):25} ", "italic")
        code = typed.rpartition("\n")[2].lstrip()
        console.print(line.append_text(picture(code, answer["suggestion"], "", console.is_terminal)))
    console.print()


def cut(place: Place) -> tuple[str, str, str]:
    """The file before the cursor, the rest of the line that is taken away, and the file after it."""
    text = place.file.read_text(encoding="utf-8")
    if place.after not in text:
        raise DemoError(f"{place.file} has no line that begins with {place.after.strip()!r}.")
    cursor = text.index(place.after) + len(place.after)
    end = text.index("\n", cursor)
    return text[:cursor], text[cursor:end], text[end:]


def ask(file: Path, before: str, after: str, model: str) -> dict[str, Any]:
    """What `hearth complete --json` says about a file that has its cursor between these two."""
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    environment = {**os.environ, "HEARTH_HOME": str(HOME)}
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        shutil.copytree(file.parent, project, ignore=shutil.ignore_patterns("__pycache__"))
        (project / ".hearthignore").touch()  # This makes it a project of its own.
        copy = project / file.name
        copy.write_text(before + after, encoding="utf-8")
        place = f"{copy}:{line}:{column}"
        options = ["--json", "--auto", "--model", model]
        command = [sys.executable, "-m", "lsp_server.cli", "complete", *options, place]
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=DEADLINE_S,
            )
        except subprocess.TimeoutExpired as error:
            raise DemoError(f"no answer within {DEADLINE_S} seconds.") from error
    if done.returncode:
        raise DemoError(done.stderr.strip() or f"`hearth complete` ended with {done.returncode}.")
    answer: dict[str, Any] = json.loads(done.stdout)
    if answer["problem"]:
        raise DemoError(f"hearth: {answer['problem']}")
    return answer


def picture(before: str, ghost: str, after: str, terminal: bool) -> Text:
    """The surroundings of the cursor with the ghost text in its place."""
    shown = Text("\n".join(before.split("\n")[-BEFORE - 1 :]), tab_size=4)
    if terminal:
        shown.append(ghost, "dim cyan")
    elif ghost:
        shown.append(f"«{ghost}»")
    return shown.append("\n".join(after.split("\n")[: AFTER + 1]))


def remark(said: Shown) -> Text:
    """How long it took, who said it and how surely, and what stood there."""
    answer = said.answer
    sure = f"{whence(answer)}, {answer['confidence']:.0%} sure"
    if not said.ghost:
        sure = f"nothing to suggest: {answer['reason']}"
    was = "as it was" if said.ghost == said.original else f"it was: {said.original}"
    return Text(f"{answer['ms']:.0f} ms; {sure}; {was}")


def whence(answer: dict[str, Any]) -> str:
    """Where a suggestion comes from."""
    if not answer["suggestion"]:
        return ""
    origin = answer["origin"]
    place = f" ({Path(origin['path']).name}:{origin['line']})" if origin else ""
    return {"model": "the model", "memory": "your code", "both": "both"}[answer["source"]] + place


def summary(shown: list[Shown]) -> Text:
    times = [it.answer["ms"] for it in shown[1:]]
    same = sum(it.ghost == it.original for it in shown)
    silent = sum(not it.ghost for it in shown)
    return Text(
        f"Once the model was loaded, an answer took {statistics.median(times):.0f} ms (median), "
        f"{max(times):.0f} ms at most.\n"
        f"At {len(shown)} places it spoke {len(shown) - silent} times, {same} times exactly what was there.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
