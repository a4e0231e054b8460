"""``python -m models.train <step>``: fetch, pack, tokenizer, train, export, evaluate, trial, and so on."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import platformdirs

from models.train.recipe import load_recipe
from models.train.sources import load_packages, load_shares

STARTER: Final = Path(__file__).parent.parent / "starter"
MODEL: Final = STARTER / "hearth-starter-fim.gguf"
RESULTS: Final = Path(__file__).parent / "results"
CHECKED_FILES = 40  # Held-out files on which the export is compared with the checkpoint.
JUDGED_TOKENS = 512  # Of each file, and of each prompt: the same for every model that a card compares.


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
    corpus, shares = read_corpus(work / "train.jsonl.gz"), load_shares()
    train_tokenizer(corpus, work / "tokenizer.json", vocabulary=vocabulary, shares=shares)


def _train(arguments: argparse.Namespace, work: Path) -> None:
    from models.train.train import Files, Stretch, decay_in_pieces, train

    trunk, decayed = work / "trunk.pt", work / "decayed.pt"
    start, until, down = trunk, arguments.until, arguments.decay_tokens
    if down:
        start, until = decay_in_pieces(trunk, decayed, down)
    train(
        load_recipe(),
        Files(
            corpus=work / arguments.corpus,
            tokenizer=work / "tokenizer.json",
            start=start,
            out=decayed if arguments.decay or down else trunk,
        ),
        Stretch(seconds=arguments.seconds, decay=arguments.decay, until=until, decay_tokens=down),
        threads=arguments.threads,
        compiled=not arguments.eager,
    )


def _carry(arguments: argparse.Namespace, work: Path) -> None:
    from models.train.carry import pack_trunk, share_corpus, unpack_trunk

    if arguments.unpack:
        unpack_trunk(arguments.folder, work / "trunk.pt")
    elif arguments.shares:
        share_corpus(work / "train.jsonl.gz", arguments.folder, shares=arguments.shares)
    else:
        pack_trunk(work / "trunk.pt", arguments.folder)


def _trial(arguments: argparse.Namespace, work: Path) -> None:
    from models.train.trial import load_trials, try_out

    arguments.results.mkdir(parents=True, exist_ok=True)
    table = load_trials(load_recipe())
    names = arguments.names or [it.name for it in table.trials]
    out = arguments.results / "trials.csv"
    try_out(table, names, work, out, seconds=arguments.seconds, threads=arguments.threads)


def _speed(arguments: argparse.Namespace, work: Path) -> None:
    from models.train.trial import load_trials
    from models.train.trial_speed import write_speeds

    trials = load_trials(load_recipe()).trials
    chosen = [it for it in trials if not arguments.names or it.name in arguments.names]
    write_speeds(chosen, work, arguments.results / "shapes.csv", threads=arguments.threads)


def _quantize(arguments: argparse.Namespace, work: Path) -> None:
    from models.train.quantize import quantizations, write_quantizations

    rows = []
    for source in arguments.files:
        texts = _checked_texts(work)
        made = quantizations(
            source, work / "quantized", texts, context=JUDGED_TOKENS, threads=arguments.threads
        )
        rows += [(source.stem, it) for it in made]
    write_quantizations(rows, arguments.results / "quantization.csv")


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

    texts = _checked_texts(work)
    agreement = check_export(
        work / arguments.checkpoint,
        work / "tokenizer.json",
        arguments.out,
        texts,
        context=JUDGED_TOKENS,
        averaged=arguments.averaged,
    )
    print(agreement)


def _checked_texts(work: Path) -> list[str]:
    from models.train.pack import read_corpus

    files = read_corpus(work / "heldout.jsonl.gz")
    return [it.text for it in files[:: max(1, len(files) // CHECKED_FILES)]]


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


def _card(arguments: argparse.Namespace, _: Path) -> None:
    from models.train.card import write_notice, write_sources
    from models.train.sources import load_learned, together, write_learned

    learned = load_learned(STARTER / "sources.csv")
    if arguments.new:
        learned = load_packages()
    elif arguments.more:
        learned = together(learned, load_packages())
    write_learned(learned, STARTER / "sources.csv")
    write_notice(learned, STARTER / "NOTICE")
    write_sources(learned, STARTER / "MODEL_CARD.md")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models.train", description=__doc__)
    default = Path(platformdirs.user_cache_dir("hearth")) / "train"
    parser.add_argument("--work", type=Path, default=default, help="where data, checkpoints and logs live")
    steps = parser.add_subparsers(required=True, metavar="step")
    for name, run in (("fetch", _fetch), ("pack", _pack), ("tokenizer", _tokenizer)):
        steps.add_parser(name).set_defaults(step=run)
    card = steps.add_parser("card")
    card.set_defaults(step=_card)
    learned = card.add_mutually_exclusive_group()
    learned.add_argument("--new", action="store_true", help="the bundled weights learned from sources.toml")
    learned.add_argument("--more", action="store_true", help="they went on, and learned from it as well")
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
    train.add_argument(
        "--decay-tokens", type=int, default=0, help="the same over so many tokens; goes on if interrupted"
    )
    train.add_argument("--until", type=int, help="tokens in all at which to stop")
    train.add_argument("--corpus", default="train.jsonl.gz", help="a file in the work folder")
    train.add_argument("--threads", type=int, default=2)
    train.add_argument("--eager", action="store_true", help="do not compile the model")

    for name, compared in (("export", _export), ("check", _check)):
        step = steps.add_parser(name)
        step.set_defaults(step=compared)
        step.add_argument("--checkpoint", default="decayed.pt", help="a file in the work folder")
        step.add_argument("--averaged", action="store_true", help="the average of the latest steps")
        step.add_argument("--quantization", choices=("q8_0", "f16"), default="f16")
        step.add_argument("--out", type=Path, default=MODEL)

    carry = steps.add_parser("carry", help="the trunk in small parts, for another machine")
    carry.set_defaults(step=_carry)
    carry.add_argument("folder", type=Path, help="where the parts lie")
    carry.add_argument("--unpack", action="store_true", help="make trunk.pt of them")
    carry.add_argument("--shares", type=int, default=0, help="write the corpus in so many shares instead")
    _add_trials(steps)

    evaluate = steps.add_parser("evaluate")
    evaluate.set_defaults(step=_evaluate)
    evaluate.add_argument("--out", type=Path, default=MODEL, help="the GGUF file to judge")
    evaluate.add_argument("--count", type=int, default=60, help="cuts for each language and kind")
    evaluate.add_argument("--lines-above", type=int, default=8, help="how far above the cursor to anchor")
    evaluate.add_argument("--context", type=int, default=JUDGED_TOKENS)
    evaluate.add_argument("--threads", type=int, default=2)
    evaluate.add_argument("--results", type=Path, default=RESULTS)
    return parser


def _add_trials(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    trial = steps.add_parser("trial", help="variants of the recipe, each for the same arithmetic")
    trial.set_defaults(step=_trial)
    trial.add_argument("names", nargs="*", help="of trials.toml; all of them if none is given")
    trial.add_argument("--seconds", type=float, default=170.0, help="how long to train in this call")
    speed = steps.add_parser("speed", help="the shapes of the trials in llama.cpp")
    speed.set_defaults(step=_speed)
    speed.add_argument("names", nargs="*", help="of trials.toml; all of them if none is given")
    quantize = steps.add_parser("quantize", help="what each quantization of a file in F16 costs")
    quantize.set_defaults(step=_quantize)
    quantize.add_argument("files", nargs="+", type=Path)
    for it in (trial, speed, quantize):
        it.add_argument("--threads", type=int, default=2)
        it.add_argument("--results", type=Path, default=RESULTS)


if __name__ == "__main__":
    main()
