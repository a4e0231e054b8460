"""``python -m models.train.embedder <step>``: tokenizer, lessons, train, export.

The rows come from ``python -m scripts.embedder_pairs``; how good the table is says
``python -m benchmarks.retrieval --documented --model FOLDER``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

import platformdirs

from models.train.embedder_recipe import EmbedderRecipe, load_embedder_recipe

EMBEDDER: Final = Path(__file__).parent.parent / "starter" / "embedder"
SAMPLE: Final = 3  # Every third row is enough to learn the parts of words from.


def main() -> None:
    """Run one step; steps import what they need themselves."""
    arguments = _parser().parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    arguments.step(arguments, load_embedder_recipe(changed=dict(arguments.set)))


def _tokenizer(arguments: argparse.Namespace, recipe: EmbedderRecipe) -> None:
    from models.train.embedder_data import read_rows
    from models.train.embedder_tokens import train_embedder_tokenizer

    rows = (it for number, it in enumerate(read_rows(arguments.rows)) if number % SAMPLE == 0)
    texts = (text for row in rows for text in (row["code"], *(it for _, it in row["questions"])))
    train_embedder_tokenizer(
        texts,
        arguments.work / "tokenizer.json",
        vocabulary=recipe.vocabulary,
        longest_word=recipe.longest_word,
    )


def _lessons(arguments: argparse.Namespace, recipe: EmbedderRecipe) -> None:
    from models.train.embedder_data import lessons, read_rows, save_lessons

    found = lessons(list(read_rows(arguments.rows)), _loaded(arguments.work), recipe.tokens)
    save_lessons(found, arguments.work / "lessons.npz")
    print(
        f"lessons codes={len(found.codes)} questions={len(found.questions)} tokens={len(found.codes.tokens)}"
    )


def _train(arguments: argparse.Namespace, recipe: EmbedderRecipe) -> None:
    from models.train.embedder_data import load_lessons
    from models.train.embedder_train import train_embedder

    found = load_lessons(arguments.work / "lessons.npz")
    size = _loaded(arguments.work).get_vocab_size()
    kept = arguments.work / f"{arguments.name}.pt"
    is_done = train_embedder(found, recipe, size, kept, arguments.seconds)
    print(f"train done={is_done}")


def _export(arguments: argparse.Namespace, recipe: EmbedderRecipe) -> None:
    from models.train.embedder_export import export_embedder
    from models.train.embedder_train import learned

    rows, weights = learned(arguments.work / f"{arguments.name}.pt")
    export_embedder(rows, weights, arguments.work / "tokenizer.json", arguments.out, tokens=recipe.tokens)


def _loaded(work: Path) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(work / "tokenizer.json"))


def _change(said: str) -> tuple[str, Any]:
    name, _, value = said.partition("=")
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m models.train.embedder",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    default = Path(platformdirs.user_cache_dir("hearth")) / "train"
    parser.add_argument("--work", type=Path, default=default / "embedder", help="where what is made is kept")
    parser.add_argument("--rows", type=Path, default=default / "pairs.jsonl.gz", help="questions and code")
    parser.add_argument("--set", type=_change, action="append", default=[], help="another number: rate=0.001")
    steps = parser.add_subparsers(required=True, metavar="step")
    for name, run in (("tokenizer", _tokenizer), ("lessons", _lessons)):
        steps.add_parser(name).set_defaults(step=run)
    for name, run in (("train", _train), ("export", _export)):
        step = steps.add_parser(name)
        step.set_defaults(step=run)
        step.add_argument("--name", default="table", help="of the trial")
        if run is _train:
            step.add_argument("--seconds", type=float, required=True, help="how long, in this call")
        else:
            step.add_argument("--out", type=Path, default=EMBEDDER)
    return parser


if __name__ == "__main__":
    main()
