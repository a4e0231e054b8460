"""Find a model by the name people type: the bundled starter, or any `.gguf` file."""

from __future__ import annotations

from pathlib import Path

from models.errors import ModelError
from models.spec import ModelSpec

STARTER = "starter"
STARTER_FILE = Path(__file__).parent / "starter" / "hearth-starter-fim.gguf"


def find(name_or_path: str) -> ModelSpec:
    """The model called so, or the GGUF file at this path.

    Raises ``ModelError`` with one sentence when there is neither. The file itself is judged by the engine,
    when it loads it.
    """
    if name_or_path in ("", STARTER):
        return starter()
    path = Path(name_or_path).expanduser()
    if path.suffix != ".gguf" and not path.exists():
        raise ModelError(
            f"No model is called {name_or_path!r}; known: {STARTER}, or the path of a .gguf file."
        )
    if not path.is_file():
        raise ModelError(f"There is no model file at {path}.")
    return ModelSpec(name=path.stem, path=path.resolve(), title=f"local file {path.name}")


def starter() -> ModelSpec:
    """The bundled model: a bridge until a larger one is there."""
    if not STARTER_FILE.is_file():
        raise ModelError(f"The bundled starter model is missing at {STARTER_FILE}; install Hearth again.")
    return ModelSpec(
        name=STARTER,
        path=STARTER_FILE,
        title="bundled starter, a bridge until you add Qwen2.5-Coder",
    )
