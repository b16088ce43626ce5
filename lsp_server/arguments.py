"""What the command lines of the project share: their parser, and options of several benchmarks."""

import argparse
import math
from pathlib import Path
from typing import NoReturn

from models.errors import InputError

LARGEST_RANK = 512
LOCAL_JUDGE = "local"
MOST_ALTERNATIVES = 20  # that the interface of chat completions allows
GOES_ON = "each outcome as JSONL; goes on from there"


class OneLineParser(argparse.ArgumentParser):
    """Refuses wrong usage in one line."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see '{self.prog} --help'")


def add_benches(bench: argparse.ArgumentParser) -> None:
    """The benchmarks by name."""
    benches = bench.add_subparsers(metavar="NAME", required=True, parser_class=OneLineParser)
    add_published(benches, "infilling", "Fill in lines of functions (HumanEval).")
    add_published(benches, "repobench", "Write the next line after code of other files.")
    add_published(benches, "crosscodeeval", "Finish statements that need other files.")
    repoeval = add_published(
        benches, "repoeval", "Write lines, calls and functions of repositories."
    )
    repoeval.add_argument(
        "--repositories", type=Path, metavar="FOLDER", help="of the tasks, to search in"
    )
    add_published(benches, "py150", "Finish lines of PY150, or tell each next token.")
    add_published(benches, "dotprompts", "Finish Java methods after a dot.")
    edits = add_replay(benches, "edits", "Edit a text under the cache.", GOES_ON)
    edits.add_argument("--peer", choices=("llama.cpp",), help="run it on the same prompts")
    edits.add_argument(
        "--context", type=positive, action="append", metavar="TOKENS", help="the largest prompt"
    )
    edits.add_argument("--kind", action="append", metavar="NAME", help="only edits of this kind")
    edits.add_argument("--arm", action="append", metavar="NAME", help="only this, beside 'full'")
    add_replay(benches, "cuts", "Go on from a cursor inside a token.", GOES_ON)
    after_dots = "Complete after a dot, and look for names that are not there."
    dereference = add_replay(benches, "dereference", after_dots, GOES_ON)
    timing = "Time suggestions as an editor sees them."
    latency = add_replay(benches, "latency", timing, "each time taken as JSONL")
    latency.add_argument("--peer", choices=("llama.cpp",), help="run it on the same texts")
    latency.add_argument(
        "--without",
        choices=("monitors", "related"),
        action="append",
        default=[],
        help="an arm without this as well",
    )
    latency.add_argument(
        "--with",
        dest="with_",
        choices=("types",),
        action="append",
        default=[],
        help="an arm with this as well",
    )
    apis = "Find the APIs of a repository."
    api = add_replay(benches, "api", apis, GOES_ON)
    api.add_argument(
        "--task",
        choices=("ask", "token", "retrieve", "private"),
        default="ask",
        help="for a wish; where one is called, by whoever writes or by search; unseen libraries",
    )
    api.add_argument(
        "--language",
        choices=("python", "java"),
        default="python",
        help="of the repositories, for the task token",
    )
    api.add_argument("--data", type=Path, metavar="PATH", help="the programs' published files")
    packages = "environment with what the repositories import; default: Pirouette's own"
    for bench in (dereference, api):
        bench.add_argument("--environment", type=Path, metavar="PATH", help=packages)
    add_replay(benches, "types", "Tell next tokens, and lines, with types of tokens.", GOES_ON)
    judging = "Judge metrics of code by programs that pass their tests and programs that fail."
    metrics = add_bench(benches, "metrics", judging)
    folder = "the folder that holds codebertscore/ and ice-score/"
    metrics.add_argument("--data", type=Path, metavar="PATH", required=True, help=folder)
    metrics.add_argument("--samples", type=Path, metavar="PATH", help=GOES_ON)
    add_judge(metrics)
    add_replay(benches, "related", "Complete with code of other files before the file.", GOES_ON)


def add_bench(
    benches: "argparse._SubParsersAction[OneLineParser]", name: str, help_text: str
) -> argparse.ArgumentParser:
    """A benchmark with the options that all of them have."""
    added = benches.add_parser(name, help=help_text, description=help_text)
    added.set_defaults(bench=name)
    added.add_argument("--model", metavar="NAME", help="as for 'pirouette complete'")
    added.add_argument("--adapter", type=Path, metavar="FOLDER", help="that changes the model")
    added.add_argument("--limit", type=positive, metavar="N", help="only so many tasks")
    added.add_argument("--seed", type=int, default=0, metavar="S")
    added.add_argument("--json", action="store_true", help="print one JSON object")
    added.add_argument("--exact", action="store_true", help="float32 weights, not 8 bits (CPU)")
    return added


def add_published(
    benches: "argparse._SubParsersAction[OneLineParser]", name: str, help_text: str
) -> argparse.ArgumentParser:
    """A benchmark with published files."""
    added = add_bench(benches, name, help_text)
    added.add_argument(
        "--data", type=Path, metavar="PATH", required=True, help="the published file, or its folder"
    )
    added.add_argument("--samples", type=Path, metavar="PATH", help=GOES_ON)
    added.add_argument("--peer", choices=("transformers",), help="run it on the same prompts")
    added.add_argument(
        "--engine",
        metavar="KIND=URL",
        help="run a server on the same texts: llama.cpp=http://… or openai=http://…",
    )
    added.add_argument(
        "--context", type=positive, metavar="TOKENS", help="the largest prompt; default: published"
    )
    return added


def add_replay(
    benches: "argparse._SubParsersAction[OneLineParser]",
    name: str,
    help_text: str,
    samples: str,
) -> argparse.ArgumentParser:
    """A benchmark that works in repositories; `samples` says what it keeps of that."""
    added = add_bench(benches, name, help_text)
    added.add_argument("repositories", type=Path, nargs="*", metavar="REPOSITORY")
    added.add_argument("--samples", type=Path, metavar="PATH", help=samples)
    return added


def add_evaluation(evaluation: argparse.ArgumentParser) -> None:
    """What is evaluated, how, and where the report goes."""
    evaluation.add_argument("path", type=Path, metavar="PATH", help="a repository, or a wheel")
    evaluation.add_argument("--points", type=positive, default=200, metavar="N", help="places")
    evaluation.add_argument("--seed", type=seed, default=0, metavar="S")
    evaluation.add_argument(
        "--suggestions", type=positive, default=1, metavar="K", help="for score@k; default: 1"
    )
    parts = "an arm without each of these parts; default: all; empty for none"
    evaluation.add_argument("--without", metavar="PART,PART", help=parts)
    evaluation.add_argument(
        "--with", dest="with_", default="", metavar="PART", help="an arm with this as well"
    )
    evaluation.add_argument(
        "--environment", type=Path, metavar="PATH", help="with what the repository imports"
    )
    evaluation.add_argument("--samples", type=Path, metavar="PATH", help=GOES_ON)
    cluster = "HOST:PORT of a Ray cluster that completes, or auto"
    evaluation.add_argument("--ray", metavar="ADDRESS", help=cluster)
    evaluation.add_argument(
        "--report",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="a page (.html), a table (.md) or all figures (.json); may be given again",
    )
    add_judge(evaluation)


def add_judge(parser: argparse.ArgumentParser) -> None:
    """Which model rates code, and how it is asked; none does where `--judge` is not given."""
    judge = parser.add_argument_group("judge")
    which = f"rate code with '{LOCAL_JUDGE}' or a model at an OpenAI-compatible address"
    judge.add_argument("--judge", metavar=f"{LOCAL_JUDGE}|URL", help=which)
    judge.add_argument("--judge-model", metavar="NAME", help="as it is called there")
    judge.add_argument(
        "--judge-key-variable", metavar="NAME", help="environment variable that holds the key"
    )
    judge.add_argument(
        "--judge-steps", action="store_true", help="assess step by step before rating"
    )
    judge.add_argument(
        "--judge-prices",
        type=not_below_zero,
        nargs=2,
        metavar=("READ", "WRITTEN"),
        help="of a million tokens, to show the cost",
    )
    judge.add_argument(
        "--judge-timeout", type=above_zero, default=60.0, metavar="SECONDS", help="of a request"
    )
    judge.add_argument(
        "--judge-alternatives",
        type=alternatives,
        default=MOST_ALTERNATIVES,
        metavar="N",
        help="tokens asked for beside each, to weigh ratings; 0 for none",
    )
    judge.add_argument(
        "--judge-cache", type=Path, metavar="FOLDER", help="answers; default: in PIROUETTE_HOME"
    )


def add_training(train: argparse.ArgumentParser) -> None:
    """What can be trained."""
    kinds = train.add_subparsers(metavar="KIND", required=True, parser_class=OneLineParser)
    help_text = "Learn an adapter from a folder's code, the types of its tokens beside it."
    types = kinds.add_parser("types", help=help_text, description=help_text)
    types.add_argument("path", type=Path, metavar="PATH", help="the code, in Python")
    types.add_argument("adapter", type=Path, metavar="FOLDER", help="where the adapter goes")
    types.add_argument("--model", metavar="NAME", help="as for 'pirouette complete'")
    types.add_argument(
        "--type-weight", type=share, default=0.1, metavar="W", help="of the loss; 0 for code alone"
    )
    types.add_argument("--samples", type=positive, default=4_000, metavar="N", help="drawn of it")
    types.add_argument("--updates", type=positive, metavar="N", help="at most; default: one pass")
    types.add_argument("--minutes", type=above_zero, metavar="M", help="what fits into so long")
    types.add_argument("--rank", type=rank, default=16, metavar="R", help="of the adapter")
    types.add_argument("--seed", type=seed, default=0, metavar="S")
    types.add_argument("--json", action="store_true", help="print one JSON object")


def rank(text: str) -> int:
    number = positive(text)
    if number > LARGEST_RANK:
        raise ValueError
    return number


def seed(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**63:
        raise ValueError
    return number


def above_zero(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise ValueError
    return number


def not_below_zero(text: str) -> float:
    number = float(text)
    if not 0 <= number < math.inf:
        raise ValueError
    return number


def alternatives(text: str) -> int:
    number = int(text)
    if not 0 <= number <= MOST_ALTERNATIVES:
        raise ValueError
    return number


def share(text: str) -> float:
    number = float(text)
    if not 0 <= number < 1:
        raise ValueError
    return number


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number
