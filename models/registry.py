"""Find a model by the name people type: the bundled starter, or any `.gguf` file."""

from __future__ import annotations

import tomllib
from pathlib import Path

from models.errors import ModelError
from models.spec import ModelSpec

STARTER = "starter"
MAX_SHOWN = 100  # Characters of a name that nothing is called by.
STARTER_FILE = Path(__file__).parent / "starter" / "hearth-starter-fim.gguf"
STARTER_CARD = Path(__file__).parent / "starter" / "starter.toml"


def find(name_or_path: str) -> ModelSpec:
    """The model called so, or the GGUF file at this path.

    Raises ``ModelError`` with one sentence when there is neither. The file itself is judged by the engine,
    when it loads it.
    """
    if name_or_path in ("", STARTER):
        return starter()
    try:
        path = Path(name_or_path).expanduser()
        if path.is_file():
            return ModelSpec(name=path.stem, path=path.resolve(), title=f"local file {path.name}")
        is_path = path.suffix == ".gguf" or path.exists()
    except (OSError, RuntimeError, ValueError):  # Too long, no such home, nothing for us to look at.
        is_path = False
    if is_path:
        raise ModelError(f"There is no model file at {path}.")
    raise ModelError(
        f"No model is called {name_or_path[:MAX_SHOWN]!r}; known: {STARTER}, or the path of a .gguf file."
    )


def starter() -> ModelSpec:
    """The bundled model: a bridge until a larger one is there."""
    if not STARTER_FILE.is_file():
        raise ModelError(f"The bundled starter model is missing at {STARTER_FILE}; install Hearth again.")
    card = tomllib.loads(STARTER_CARD.read_text("utf-8"))
    return ModelSpec(
        name=STARTER,
        path=STARTER_FILE,
        title="bundled starter, a bridge until you add Qwen2.5-Coder",
        trained_tokens=card["context_tokens"],
        anchor_lines=card["anchor_lines_above"],
        confidence_threshold=card["confidence_threshold"],
        memory_weight=card["memory_weight"],
        chance=card["chance"],
    )
