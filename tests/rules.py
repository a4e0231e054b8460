"""The rules of the architecture, each a plain function from a source tree to what breaks it.

`test_architecture.py` runs them on the project and, so that they cannot fall asleep, on small trees that
break each of them on purpose.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

PACKAGES = ("models", "codeindex", "completion", "chat", "lsp_server")
OUTSIDE = ("benchmarks", "scripts", "tests")

# Imports go down only. Who is not in a row is not to be imported.
MAY_IMPORT = {
    "models": set[str](),
    "codeindex": {"models"},
    "completion": {"models"},
    "chat": {"models", "codeindex"},
    "lsp_server": {"models", "codeindex", "completion", "chat"},
}

# Parts that stand alone: nobody else imports them, and of their own package they see only the listed values.
ALONE = {
    "models/engine/": {
        "models.errors", "models.gguf_header", "models.paths", "models.registry", "models.spec",
        "models.version", "models.wire",
    },
    "models/train/": {"models.errors", "models.paths", "models.registry", "models.spec", "models.version"},
}  # fmt: skip

# Every heavy dependency has one home (or few, each for a reason). Folders end in a slash.
HOMES = {
    "docx": ("chat/documents.py",),
    "faiss": ("codeindex/vectors.py",),
    "gguf": ("models/train/",),
    "h11": ("models/connection.py",),
    "httpx": ("models/connection.py", "models/exchange.py", "models/transport.py"),
    "huggingface_hub": ("models/download.py",),
    "keyring": ("models/keys.py",),
    "llama_cpp": (
        "models/engine/llama.py",
        "models/engine/llama_text.py",
        "models/train/",  # an export is checked against it
    ),
    "lsprotocol": ("lsp_server/",),
    "mcp": ("chat/agent_mcp.py", "lsp_server/mcp_server.py"),
    "mcp_types": ("chat/agent_mcp.py", "lsp_server/mcp_server.py"),
    "onnxruntime": ("codeindex/embed.py",),
    "openai": ("models/backend.py",),
    "pathspec": ("codeindex/gitignore.py",),
    "psutil": ("models/", "lsp_server/"),
    "pydivsufsort": ("codeindex/memory/segment.py",),
    "pygls": ("lsp_server/",),
    "pypdf": ("chat/documents.py",),
    "rich": ("lsp_server/",),
    "sqlite3": ("codeindex/store/", "chat/history.py"),
    "starlette": ("models/engine/",),
    "tokenizers": ("codeindex/embed.py", "models/train/"),
    "torch": ("models/train/",),
    "tree_sitter": ("codeindex/parse.py", "codeindex/parse_grammar.py"),
    "typer": ("lsp_server/", "models/__main__.py", "codeindex/__main__.py"),
    "uvicorn": ("models/engine/",),
    "watchfiles": ("codeindex/watch.py",),
}

# Values in, values out: no file, no clock, no socket, no thread, no chance. What is not there yet joins here.
PURE = (
    "completion/",
    "models/answers.py", "models/errors.py", "models/spec.py", "models/version.py", "models/wire.py",
    "models/engine/dialect.py", "models/engine/fim.py", "models/engine/slots.py",
    "codeindex/chunk.py", "codeindex/config.py", "codeindex/gitignore.py", "codeindex/identifiers.py",
    "codeindex/languages.py", "codeindex/parse_text.py",
    "codeindex/rank.py", "codeindex/secret.py", "codeindex/skip.py", "codeindex/types.py",
    "codeindex/wildmatch.py",
    "chat/config.py", "chat/diff.py", "chat/edits.py", "chat/prompts.py", "chat/router.py", "chat/types.py",
)  # fmt: skip
NOT_PURE = (
    "completion/__init__.py",  # exports the orchestration too
    "completion/complete.py",  # asks the model, takes the time
    "completion/ahead.py",  # rests a moment
    "completion/sessions.py",  # has the engine read ahead
    "completion/latest.py",  # waits for the next keystroke
    "models/engine/template.py",  # a chat template may ask for today's date
    "models/gguf_header.py",  # reads the first bytes of the file itself
)
IMPURE_MODULES = frozenset({
    "anyio", "asyncio", "concurrent", "datetime", "fcntl", "glob", "http", "httpx", "io", "llama_cpp",
    "logging", "mmap", "multiprocessing", "os", "psutil", "random", "secrets", "select", "shutil",
    "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid",
})  # fmt: skip
IMPURE_CALLS = frozenset({"open", "print", "input", "exec", "eval"})
IMPURE_METHODS = frozenset(
    {"read_text", "read_bytes", "write_text", "write_bytes", "exists", "iterdir", "stat"}
)

# Who may touch files, and which: nothing of these is the user's own.
WRITERS = (
    "models/paths.py",  # Hearth's folders
    "models/process.py", "models/launch.py", "models/supervise.py",  # the engine's log, socket and locks
    "models/engine/__main__.py",  # its socket and its port file
    "codeindex/memory/disk.py",  # the memory's own folder in the cache
    "codeindex/store/disk.py",  # the index's own folder in the cache
    "codeindex/store/disk.py",  # the index's
    "models/train/",
    "chat/sent_files.py",  # what was sent and decided, in the data folder
    "lsp_server/answers.py",  # what a command has said, in the cache
    "lsp_server/settings_page.py",  # a page of this repository
)  # fmt: skip
WRITING_METHODS = frozenset({
    "write_text", "write_bytes", "unlink", "rmdir", "touch", "mkdir", "rename", "symlink_to", "hardlink_to",
})  # fmt: skip
WRITING_FUNCTIONS = {
    "os": {"open", "remove", "rename", "replace", "unlink", "makedirs", "mkdir", "rmdir", "truncate"},
    "shutil": {"rmtree", "move", "copy", "copy2", "copyfile", "copytree"},
    "tempfile": {"mkstemp", "mkdtemp", "NamedTemporaryFile", "TemporaryDirectory"},
}

# What holds source text, by the names it goes by. Its length may be logged, it may not, above DEBUG.
TEXTS = frozenset({
    "after", "answer", "before", "body", "completion", "content", "ghost", "line", "lines", "middle",
    "prefix", "prompt", "snippet", "snippets", "spot", "suffix", "suggestion", "text",
})  # fmt: skip
LOUD = frozenset({"info", "warning", "error", "critical", "exception"})

# Where the language of the tables is spoken, and how it shows in a text.
SQL_HOMES = (
    "codeindex/store/",
    "chat/history.py",  # its own database
    "chat/extract_concepts.py",  # what SQL looks like in somebody's code
)
SQL = re.compile(r"\b(?:SELECT|INSERT (?:OR \w+ )?INTO|DELETE FROM|UPDATE \w+ SET|CREATE \w+|PRAGMA) ")

SHORTEST_DOCSTRING = 10  # characters, quotes included: "It is." says nothing.
LONGEST_MODULE = 400  # lines: what one reader can hold in the head in one sitting.
LONGEST_TESTS = 500  # lines: tests are read one by one.
SOURCES = (".py", ".lua", ".sh", ".ts", ".js", ".toml", ".md", ".json", ".yml", ".yaml", ".cmake", ".txt", "")
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")
MACHINE_PATH = re.compile(
    r"(?<![\w.$}{\])])/(?:work|root|Users|home)/(?!you\b|me\b|user\b|someone\b|\.\.\.|<|\$|\{)[\w.-]+"
)
REGISTRY = re.compile(
    r"(?<![\w-])(?:[\w-]+\.)*(?:py" + r"pi\.org|pythonhosted\.org|npm" + r"js\.(?:org|com)|yarnpkg\.com|"
    r"crates\.io|rubygems\.org|proxy\.golang\.org|deb\.debian\.org|security\.debian\.org|archive\.ubuntu\.com)"
)

Rule = Callable[[Path], list[str]]


def imports_go_down(root: Path) -> list[str]:
    """A package imports only itself and those below it; nobody imports benchmarks, scripts or tests."""
    found = []
    for path, name in _imports(root):
        package, target = path.split("/")[0], name.split(".")[0]
        if package not in PACKAGES or target == package:
            continue
        if target in OUTSIDE or (target in PACKAGES and target not in MAY_IMPORT[package]):
            found.append(f"{path} imports {name}")
    return found


def parts_stand_alone(root: Path) -> list[str]:
    """Nobody imports the engine or the training; they see only the values they share with the rest."""
    found = []
    for path, name in _imports(root):
        for part, values in ALONE.items():
            inside = path.startswith(part)
            target_inside = _among(name, {part.rstrip("/").replace("/", ".")})
            if path.split("/")[0] in PACKAGES and target_inside and not inside:
                found.append(f"{path} imports {name}")
            if inside and not target_inside and name.split(".")[0] in PACKAGES and not _among(name, values):
                found.append(f"{path} imports {name}")
    return found


def heavy_dependencies_stay_home(root: Path) -> list[str]:
    """Each heavy dependency is imported at its home alone, so that it can be replaced there alone."""
    found = []
    for path, name in _imports(root):
        homes = HOMES.get(name.split(".")[0])
        if homes is not None and path.split("/")[0] in PACKAGES and not _at_home(path, homes):
            found.append(f"{path} imports {name}")
    return found


def pure_modules_are_pure(root: Path) -> list[str]:
    """A pure module imports nothing that touches the world and calls nothing that does.

    Those on the list also lean only on their like; those that call themselves pure are taken at their word.
    """
    found = []
    for path in (it for it in python_files(root) if _is_pure(root, it)):
        for name in _imports_of(root, path):
            top = name.split(".")[0]
            if top in IMPURE_MODULES:
                found.append(f"{path} imports {name}")
            elif top in PACKAGES and _at_home(path, PURE) and not _leads_to_pure(root, name):
                found.append(f"{path} imports {name}, which is not pure")
        for node in ast.walk(_tree(root / path)):
            if isinstance(node, ast.Call):
                if isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS:
                    found.append(f"{path}:{node.lineno} calls {node.func.id}()")
                elif isinstance(node.func, ast.Attribute) and node.func.attr in IMPURE_METHODS:
                    found.append(f"{path}:{node.lineno} calls .{node.func.attr}()")
    return found


def only_the_editor_writes_to_files(root: Path) -> list[str]:
    """The product touches its own folders, at few places; only the editor changes the user's."""
    found = []
    for path in python_files(root, PACKAGES):
        for node in ast.walk(_tree(root / path)):
            if isinstance(node, ast.Call) and not _at_home(path, WRITERS) and _writes(node):
                found.append(f"{path}:{node.lineno} writes: {ast.unparse(node)}")
    return found


def no_source_text_is_logged(root: Path) -> list[str]:
    """Above DEBUG a log has numbers and names, and of a text at most its length."""
    found = []
    for path in python_files(root, PACKAGES):
        for node in ast.walk(_tree(root / path)):
            if isinstance(node, ast.Call) and _is_loud(node.func):
                texts = sorted({name for it in node.args for name in _names(it)} & TEXTS)
                found += [f"{path}:{node.lineno} logs {it}" for it in texts]
    return found


def only_the_store_speaks_sql(root: Path) -> list[str]:
    """Who wants something of a store asks it by name: the tables can change in one place."""
    found = []
    for path in python_files(root, PACKAGES):
        if path.startswith(SQL_HOMES):
            continue
        for node in ast.walk(_tree(root / path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value):
                found.append(f"{path}:{node.lineno} speaks SQL")
    return found


def every_file_says_what_it_is(root: Path) -> list[str]:
    """Line one of a Python file is its docstring's first sentence: the code map is made of these."""
    found = []
    for path in python_files(root):
        first = (root / path).read_text(encoding="utf-8").partition("\n")[0]
        if not first.startswith(('"""', 'r"""')) or len(first) < SHORTEST_DOCSTRING:
            found.append(f"{path} has no docstring on line 1")
    return found


def modules_stay_short(root: Path) -> list[str]:
    """A module that outgrows one sitting is two modules."""
    found = []
    for path in python_files(root):
        lines = len((root / path).read_text(encoding="utf-8").splitlines())
        if (LONGEST_TESTS if path.startswith("tests/") else LONGEST_MODULE) < lines:
            found.append(f"{path} has {lines} lines")
    return found


def nothing_is_left_unfinished(root: Path) -> list[str]:
    """What is not done is in the issue tracker or not there; never a mark in the code."""
    return _matches(root, UNFINISHED, skip=("tests/completion/golden/",))


def no_machine_is_named(root: Path) -> list[str]:
    """No path of one person's machine and no registry's host: a checkout works anywhere."""
    return _matches(root, MACHINE_PATH) + _matches(root, REGISTRY)


RULES: tuple[Rule, ...] = (
    imports_go_down,
    parts_stand_alone,
    heavy_dependencies_stay_home,
    pure_modules_are_pure,
    only_the_editor_writes_to_files,
    no_source_text_is_logged,
    only_the_store_speaks_sql,
    every_file_says_what_it_is,
    modules_stay_short,
    nothing_is_left_unfinished,
    no_machine_is_named,
)


def python_files(root: Path, folders: tuple[str, ...] = (*PACKAGES, *OUTSIDE)) -> list[str]:
    """Our Python files, relative to the root, in a stable order."""
    paths = (it for folder in folders for it in (root / folder).rglob("*.py"))
    return sorted(it.relative_to(root).as_posix() for it in paths if not _generated(it.relative_to(root)))


def text_files(root: Path) -> list[str]:
    """Everything a person wrote: sources, documents, settings."""
    found = []
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if path.is_file() and path.suffix in SOURCES and not _generated(relative):
            found.append(relative.as_posix())
    return found


def _generated(path: Path) -> bool:
    hidden = path.parts[0].startswith(".") and path.parts[0] != ".ci"
    folders = {"__pycache__", "node_modules", "build", "dist", "out"}
    return hidden or bool(folders & set(path.parts)) or path.suffix == ".egg-info"


def _matches(root: Path, pattern: re.Pattern[str], skip: tuple[str, ...] = ()) -> list[str]:
    found = []
    for path in text_files(root):
        try:
            text = (root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if path.startswith(skip or "\0"):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if hit := pattern.search(line):
                found.append(f"{path}:{number} says {hit.group()}")
    return found


def _imports(root: Path) -> Iterator[tuple[str, str]]:
    for path in python_files(root):
        for name in _imports_of(root, path):
            yield path, name


def _imports_of(root: Path, path: str) -> list[str]:
    """The full name of everything imported, wherever the import stands: `from a import b` is `a.b`."""
    found = []
    for node in ast.walk(_tree(root / path)):
        if isinstance(node, ast.Import):
            found += [it.name for it in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = path.split("/")[: -node.level] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            found += [f"{module}.{it.name}" for it in node.names]
    return found


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _among(name: str, allowed: set[str]) -> bool:
    return any((name + ".").startswith(it + ".") for it in allowed)


def _is_pure(root: Path, path: str) -> bool:
    """On the list, or the module says so itself."""
    says_so = (ast.get_docstring(_tree(root / path)) or "").startswith("Pure:")
    return path not in NOT_PURE and (says_so or _at_home(path, PURE))


def _at_home(path: str, homes: tuple[str, ...]) -> bool:
    return any(path == it or (it.endswith("/") and path.startswith(it)) for it in homes)


def _leads_to_pure(root: Path, name: str) -> bool:
    modules = (name.replace(".", "/"), name.rpartition(".")[0].replace(".", "/"))
    candidates = [it + end for it in modules for end in (".py", "/__init__.py")]
    return any(_is_pure(root, it) for it in candidates if (root / it).is_file())


def _writes(call: ast.Call) -> bool:
    first = ast.unparse(call.args[0]) if call.args else ""
    if "os.devnull" in first:
        return False
    function = call.func
    if isinstance(function, ast.Attribute):
        module = function.value.id if isinstance(function.value, ast.Name) else ""
        if (module, function.attr) == ("os", "open") and _only_reads(call):
            return False
        if function.attr == "rename" and 1 < len(call.args):  # A file's own has one: where it goes.
            return module in WRITING_FUNCTIONS
        if function.attr in WRITING_FUNCTIONS.get(module, ()) or function.attr in WRITING_METHODS:
            return True
        mode = call.args[0] if function.attr == "open" and call.args else None
    else:
        is_open = isinstance(function, ast.Name) and function.id == "open"
        mode = call.args[1] if is_open and 1 < len(call.args) else None
    named = [it.value for it in call.keywords if it.arg == "mode"]
    modes = [it.value for it in (mode, *named) if isinstance(it, ast.Constant)]
    return any(isinstance(it, str) and len(it) < 4 and set(it) & set("wax+") for it in modes)


def _only_reads(call: ast.Call) -> bool:
    """Whether flags in plain sight open a file for reading: `os.open` is how one opens without waiting."""
    nodes = [it for argument in call.args[1:2] for it in ast.walk(argument)]
    flags = {it.attr for it in nodes if isinstance(it, ast.Attribute)}
    hidden = {it.id for it in nodes if isinstance(it, ast.Name)} - {"os"}
    reading = {"O_RDONLY", "O_NONBLOCK", "O_CLOEXEC", "O_NOFOLLOW"}
    return "O_RDONLY" in flags and flags <= reading and not hidden


def _is_loud(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr in LOUD
        and isinstance(function.value, ast.Name)
        and function.value.id in ("log", "logger", "logging")
    )


def _names(node: ast.expr) -> set[str]:
    """The names whose values an expression may show; what is only counted or measured does not show."""
    if isinstance(node, ast.Call):
        return {name for it in (node.args if _shows(node.func) else []) for name in _names(it)}
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, ast.Attribute):
        return {node.attr}
    children = (it for it in ast.iter_child_nodes(node) if isinstance(it, ast.expr))
    return {name for it in children for name in _names(it)}


def _shows(function: ast.expr) -> bool:
    return isinstance(function, ast.Name) and function.id in ("str", "repr", "ascii", "format")
