"""The architecture holds: the rules on the real tree, each broken once on purpose, the invariants' tests."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from scripts import code_map
from tests import rules

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "ARCHITECTURE.md"
LONGEST_PAGE = 300  # lines: what a newcomer reads before lunch.

DOC = '"""What this file is."""\n'
LONG = "\n" * rules.LONGEST_MODULE

BROKEN = {
    "a package imports upwards": (
        rules.imports_go_down,
        {"models/a.py": DOC + "from completion import prompt"},
        "models/a.py imports completion.prompt",
    ),
    "completion reads the index": (
        rules.imports_go_down,
        {"completion/a.py": DOC + "def f():\n    import codeindex.store"},
        "completion/a.py imports codeindex.store",
    ),
    "the product imports its tests": (
        rules.imports_go_down,
        {"lsp_server/a.py": DOC + "from tests.harness import check"},
        "lsp_server/a.py imports tests.harness.check",
    ),
    "the server imports the engine": (
        rules.parts_stand_alone,
        {"lsp_server/a.py": DOC + "from models.engine.worker import Worker"},
        "lsp_server/a.py imports models.engine.worker.Worker",
    ),
    "models imports the engine": (
        rules.parts_stand_alone,
        {"models/launch.py": DOC + "from models import engine"},
        "models/launch.py imports models.engine",
    ),
    "models imports the engine in its own words": (
        rules.parts_stand_alone,
        {"models/launch.py": DOC + "from .engine import app"},
        "models/launch.py imports models.engine.app",
    ),
    "the engine imports the client": (
        rules.parts_stand_alone,
        {"models/engine/app.py": DOC + "import models.backend"},
        "models/engine/app.py imports models.backend",
    ),
    "the product imports the training": (
        rules.parts_stand_alone,
        {"models/registry.py": DOC + "import models.train.recipe"},
        "models/registry.py imports models.train.recipe",
    ),
    "a second place speaks LSP": (
        rules.heavy_dependencies_stay_home,
        {"completion/a.py": DOC + "from lsprotocol import types"},
        "completion/a.py imports lsprotocol.types",
    ),
    "a second place runs the model": (
        rules.heavy_dependencies_stay_home,
        {"models/engine/worker.py": DOC + "import llama_cpp"},
        "models/engine/worker.py imports llama_cpp",
    ),
    "a second place speaks HTTP": (
        rules.heavy_dependencies_stay_home,
        {"models/download.py": DOC + "import httpx"},
        "models/download.py imports httpx",
    ),
    "the prompt reads a file": (
        rules.pure_modules_are_pure,
        {"completion/prompt.py": DOC + "text = open('rules.md')"},
        "completion/prompt.py:2 calls open()",
    ),
    "the prompt reads a file by its path": (
        rules.pure_modules_are_pure,
        {"completion/prompt.py": DOC + "def f(p): return p.read_text()"},
        "completion/prompt.py:2 calls .read_text()",
    ),
    "the stop rule looks at the clock": (
        rules.pure_modules_are_pure,
        {"completion/stop.py": DOC + "from time import monotonic"},
        "completion/stop.py imports time.monotonic",
    ),
    "the trigger leans on what is not pure": (
        rules.pure_modules_are_pure,
        {
            "completion/trigger.py": DOC + "from models.paths import home",
            "models/paths.py": DOC + "import os",
        },
        "completion/trigger.py imports models.paths.home, which is not pure",
    ),
    "a prediction takes chances": (
        rules.pure_modules_are_pure,
        {"completion/memory/beam.py": DOC + "import random"},
        "completion/memory/beam.py imports random",
    ),
    "the memory is read from a file": (
        rules.pure_modules_are_pure,
        {"completion/recall.py": DOC + "def recall(path): return open(path)"},
        "completion/recall.py:2 calls open()",
    ),
    "the product writes to a user's file": (
        rules.only_the_editor_writes_to_files,
        {"chat/edits.py": DOC + "def f(path):\n    with open(path, 'w') as file: file.write('')"},
        "chat/edits.py:3 writes: open(path, 'w')",
    ),
    "a file descriptor is opened to write": (
        rules.only_the_editor_writes_to_files,
        {"codeindex/files.py": DOC + "import os\nos.open('a', os.O_RDONLY | os.O_CREAT)"},
        "codeindex/files.py:3 writes: os.open('a', os.O_RDONLY | os.O_CREAT)",
    ),
    "a feature writes by a path's method": (
        rules.only_the_editor_writes_to_files,
        {"lsp_server/features/a.py": DOC + "def f(path): path.write_text('')"},
        "lsp_server/features/a.py:2 writes: path.write_text('')",
    ),
    "completion removes a file": (
        rules.only_the_editor_writes_to_files,
        {"completion/complete.py": DOC + "import os\nos.remove('a')"},
        "completion/complete.py:3 writes: os.remove('a')",
    ),
    "the prompt is logged": (
        rules.no_source_text_is_logged,
        {"completion/complete.py": DOC + "logger.info('prompt=%s', request.prompt)"},
        "completion/complete.py:2 logs prompt",
    ),
    "the text is logged within an f-string": (
        rules.no_source_text_is_logged,
        {"models/engine/app.py": DOC + "logger.warning(f'cannot tokenize {text!r}')"},
        "models/engine/app.py:2 logs text",
    ),
    "the search speaks SQL": (
        rules.only_the_store_speaks_sql,
        {"codeindex/search.py": DOC + "def f(reader):\n    return reader.rows('SELECT 1 FROM content')"},
        "codeindex/search.py:3 speaks SQL",
    ),
    "a feature changes a table": (
        rules.only_the_store_speaks_sql,
        {"lsp_server/features/a.py": DOC + "QUESTION = f'UPDATE file SET size = {0}'"},
        "lsp_server/features/a.py:2 speaks SQL",
    ),
    "a file does not say what it is": (
        rules.every_file_says_what_it_is,
        {"chat/a.py": "import ast\n"},
        "chat/a.py has no docstring on line 1",
    ),
    "a file says nothing": (
        rules.every_file_says_what_it_is,
        {"tests/a.py": '""""""\n'},
        "tests/a.py has no docstring on line 1",
    ),
    "a module is too long": (
        rules.modules_stay_short,
        {"models/a.py": DOC + LONG},
        "models/a.py has 401 lines",
    ),
    "something is left unfinished": (
        rules.nothing_is_left_unfinished,
        {"editors/neovim/a.lua": "-- TO" + "DO: later\n"},
        "editors/neovim/a.lua:1 says TO" + "DO",
    ),
    "a machine's path": (
        rules.no_machine_is_named,
        {"docs/a.md": "Run /ro" + "ot/bin/hearth.\n"},
        "docs/a.md:1 says /ro" + "ot/bin",
    ),
    "a registry's host": (
        rules.no_machine_is_named,
        {"Makefile": "all:\n\tpip install -i https://test.py" + "pi.org/simple x\n"},
        "Makefile:2 says test.py" + "pi.org",
    ),
}

ALLOWED = {
    "models/launch.py": DOC + "import sys\nCOMMAND = [sys.executable, '-m', 'models.engine']\n",
    "models/wire.py": DOC,
    "models/engine/llama.py": DOC
    + "import llama_cpp\nfrom models.wire import Usage\nfrom models import spec\n",
    "completion/prompt.py": DOC + "import re\nfrom models.wire import Snippet\nfrom completion import spot\n",
    "completion/spot.py": 'r"""A raw docstring is one too."""\n',
    "lsp_server/features/a.py": DOC + "from lsprotocol import types\nfrom completion.spot import spot_at\n",
    "completion/complete.py": DOC
    + "logger.info('ms=%d shown=%d', ms, len(text))\nlogger.debug('%s', text)\n",
    "lsp_server/cli.py": DOC
    + "import os\nos.open(os.devnull, os.O_WRONLY)\nwith open('a', 'rb') as file: pass\n",
    "codeindex/files.py": DOC + "import os\nos.open('a', os.O_RDONLY | os.O_NONBLOCK)\n",
    "codeindex/store/names.py": DOC + "QUESTION = 'SELECT text FROM name'\n",
    "codeindex/search.py": DOC + "SAYS = 'Select a file from the list.'\n",
    "tests/models/engine/test_a.py": DOC + "import httpx\nimport models.engine.app\n",
    "docs/a.md": "Put it in /home/you/models or ~/models; see https://example.org/root/x and src/root/x.",
}


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda it: it.__name__)
def test_the_project_keeps_the_rule(rule: rules.Rule) -> None:
    """Every rule holds on the whole project."""
    assert rule(ROOT) == []


@pytest.mark.parametrize(("rule", "files", "expected"), BROKEN.values(), ids=BROKEN)
def test_the_rule_is_awake(rule: rules.Rule, files: dict[str, str], expected: str, tmp_path: Path) -> None:
    """A tree that breaks the rule is found out, with the file and what it did."""
    write(tmp_path, files)
    assert rule(tmp_path) == [expected]


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda it: it.__name__)
def test_the_rule_lets_good_code_pass(rule: rules.Rule, tmp_path: Path) -> None:
    """What looks like a violation and is none stays unreported."""
    write(tmp_path, ALLOWED)
    assert rule(tmp_path) == []


def test_packages_import_downwards_only() -> None:
    """I1: the import table, and nothing outside the product is imported by it."""
    assert rules.imports_go_down(ROOT) == []


def test_heavy_dependencies_stay_home() -> None:
    """I2 and I3: pygls in the server, llama.cpp in one engine file, httpx in one client file, and so on."""
    assert rules.heavy_dependencies_stay_home(ROOT) == []


def test_nobody_imports_the_engine() -> None:
    """I4: the engine is a process; even a crash of its imports cannot take an editor's server along."""
    assert rules.parts_stand_alone(ROOT) == []


def test_pure_modules_are_pure() -> None:
    """I5: prompt, trigger, stop and clean-up rules see values and nothing else."""
    assert rules.pure_modules_are_pure(ROOT) == []


def test_only_the_editor_writes_to_files() -> None:
    """I14: who may touch files is a short list, and none of them touches the user's."""
    assert rules.only_the_editor_writes_to_files(ROOT) == []


def test_no_text_is_logged() -> None:
    """I9, at the source: no call of a logger above DEBUG is given a text."""
    assert rules.no_source_text_is_logged(ROOT) == []


def test_the_import_table_has_no_circle() -> None:
    """The table itself goes down: every row names only packages above it in `PACKAGES`."""
    for place, package in enumerate(rules.PACKAGES):
        assert rules.MAY_IMPORT[package] <= set(rules.PACKAGES[:place])


@pytest.mark.parametrize("number", range(1, 15))
def test_every_invariant_names_a_test_that_exists(number: int) -> None:
    """An invariant without a test is a wish; one that waits for later code says for which."""
    row = next((it for it in PAGE.read_text().splitlines() if it.startswith(f"| I{number} |")), "")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
    assert named or "holds from the first" in row, f"I{number}: {row or 'no row'}"
    for file, function in named:
        assert function in functions_of(ROOT / file), f"I{number} names {file}::{function}"


def test_code_map_is_current() -> None:
    """The map is the modules' first lines; `make docs` writes it again."""
    assert code_map.in_page(code_map.PAGE.read_text()) == code_map.lines(ROOT)


def test_architecture_page_stays_short() -> None:
    """A page that is read beats a folder that is not."""
    assert len(PAGE.read_text().splitlines()) <= LONGEST_PAGE


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def functions_of(path: Path) -> set[str]:
    """The names of the functions in a test file, inside classes too; none when there is no such file."""
    if not path.is_file():
        return set()
    nodes = ast.walk(ast.parse(path.read_text()))
    return {it.name for it in nodes if isinstance(it, ast.FunctionDef | ast.AsyncFunctionDef)}
