"""``python -m models.train <step>``: fetch, pack, tokenizer, revive, train, export, check, evaluate, card."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import platformdirs

from models.train.recipe import load_recipe
from models.train.sources import load_packages

STARTER: Final = Path(__file__).parent.parent / "starter"
MODEL: Final = STARTER / "hearth-starter-fim.gguf"
RESULTS: Final = Path(__file__).parent / "results"
CHECKED_FILES = 40  # Held-out files on which the export is compared with the checkpoint.


def main() -> None:
    """Run one step; steps import what they need themselves, so that fetching needs no torch."""
    arguments = _parser().parse_args()
    work: Path = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    arguments.step(arguments, work)


def _fetch(_: argparse.Namespace, work: Path) -> None:
    from models.train.fetch import fetch

    fetch(load_packages(), work / "downloads")


def _pack(_: argparse.Namespace, work: Path) -> None:
    from models.train.pack import pack

    pack(load_packages(), work)


def _tokenizer(_: argparse.Namespace, work: Path) -> None:
    from models.train.pack import read_corpus
    from models.train.tokenizer import train_tokenizer

    vocabulary = load_recipe().shape["vocabulary"]
    train_tokenizer(read_corpus(work / "train.jsonl.gz"), work / "tokenizer.json", vocabulary=vocabulary)


def _train(arguments: argparse.Namespace, work: Path) -> None:
    from models.train.train import train

    train(
        load_recipe(),
        work,
        seconds=arguments.seconds,
        decay=arguments.decay,
        threads=arguments.threads,
        compiled=not arguments.eager,
    )


def _export(arguments: argparse.Namespace, work: Path) -> None:
    from models.train.export import export

    export(
        work / arguments.checkpoint,
        work / "tokenizer.json",
        arguments.out,
        quantization=arguments.quantization,
        context=load_recipe().training.context,
        averaged=arguments.averaged,
    )


def _check(arguments: argparse.Namespace, work: Path) -> None:
    from models.train.check_export import check_export
    from models.train.pack import read_corpus

    files = read_corpus(work / "heldout.jsonl.gz")
    texts = [it.text for it in files[:: max(1, len(files) // CHECKED_FILES)]]
    context = load_recipe().training.context
    agreement = check_export(
        work / arguments.checkpoint,
        work / "tokenizer.json",
        arguments.out,
        texts,
        context=context,
        averaged=arguments.averaged,
    )
    print(agreement)


def _evaluate(arguments: argparse.Namespace, work: Path) -> None:
    from models.train.evaluate import evaluate, load_judge, write_confidence, write_scores
    from models.train.pack import read_corpus

    judge = load_judge(arguments.out, context=arguments.context, threads=arguments.threads)
    outcomes = evaluate(
        judge,
        read_corpus(work / "heldout.jsonl.gz"),
        count=arguments.count,
        lines_above=arguments.lines_above,
    )
    arguments.results.mkdir(parents=True, exist_ok=True)
    write_scores(outcomes, arguments.results / "heldout.csv")
    write_confidence(outcomes, arguments.results / "confidence.csv")
    print(f"evaluate cuts={len(outcomes)} exact={sum(it.exact for it in outcomes) / len(outcomes):.3f}")


def _revive(arguments: argparse.Namespace, work: Path) -> None:
    from models.train.revive import revive

    revive(arguments.out, work, tokens=arguments.tokens)


def _card(_: argparse.Namespace, __: Path) -> None:
    from models.train.card import write_notice, write_sources

    write_notice(load_packages(), STARTER / "NOTICE")
    write_sources(load_packages(), STARTER / "MODEL_CARD.md")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models.train", description=__doc__)
    default = Path(platformdirs.user_cache_dir("hearth")) / "train"
    parser.add_argument("--work", type=Path, default=default, help="where data, checkpoints and logs live")
    steps = parser.add_subparsers(required=True, metavar="step")
    for name, run in (("fetch", _fetch), ("pack", _pack), ("tokenizer", _tokenizer), ("card", _card)):
        steps.add_parser(name).set_defaults(step=run)
    revive = steps.add_parser("revive")
    revive.set_defaults(step=_revive)
    revive.add_argument("--out", type=Path, default=MODEL, help="the GGUF file to go on from")
    revive.add_argument("--tokens", type=int, default=0, help="what it was trained on so far; its card says")
    train = steps.add_parser("train")
    train.set_defaults(step=_train)
    train.add_argument("--seconds", type=float, required=True, help="how long to train in this call")
    train.add_argument(
        "--decay", action="store_true", help="go down to rate zero, from the trunk, for an export"
    )
    train.add_argument("--threads", type=int, default=2)
    train.add_argument("--eager", action="store_true", help="do not compile the model")

    for name, compared in (("export", _export), ("check", _check)):
        step = steps.add_parser(name)
        step.set_defaults(step=compared)
        step.add_argument("--checkpoint", default="decayed.pt", help="a file in the work folder")
        step.add_argument("--averaged", action="store_true", help="the average of the latest steps")
        step.add_argument("--quantization", choices=("q8_0", "f16"), default="f16")
        step.add_argument("--out", type=Path, default=MODEL)

    evaluate = steps.add_parser("evaluate")
    evaluate.set_defaults(step=_evaluate)
    evaluate.add_argument("--out", type=Path, default=MODEL, help="the GGUF file to judge")
    evaluate.add_argument("--count", type=int, default=60, help="cuts for each language and kind")
    evaluate.add_argument("--lines-above", type=int, default=8, help="how far above the cursor to anchor")
    evaluate.add_argument("--context", type=int, default=load_recipe().training.context)
    evaluate.add_argument("--threads", type=int, default=2)
    evaluate.add_argument("--results", type=Path, default=RESULTS)
    return parser


if __name__ == "__main__":
    main()
