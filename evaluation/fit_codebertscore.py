"""Finds the layer of a model by which CodeBERTScore tells working programs best.

    python -P -m evaluation.fit_codebertscore --data PATH [--model NAME] [--programs N]

All layers score the programs of the development problems of HumanEval, one in four, which the
benchmark reports apart from the others. Printed is, for each layer, how F1 and F3 correlate with
passing the tests.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from evaluation.benchmarks.metrics import development
from evaluation.correlation import ScoredProblem, spearman, tau_within
from evaluation.graded_programs import GradedProgram, by_problem, read_humaneval
from evaluation.metrics.codebertscore import CodeBertScore, CodeBertScorer, CodePair
from evaluation.metrics.encoders import DEFAULT_ENCODER, encoder_folder, layer_count
from evaluation.metrics.token_encoder import TokenEncoder
from lsp_server.arguments import OneLineParser, positive
from lsp_server.console import ProgressBar
from models.errors import PirouetteError
from models.processor import share_the_processor
from models.progress import ProgressCallback
from models.store import default_home

COLUMNS = ("f1 tau", "f1 rho", "f3 tau", "f3 rho")


def main(argv: Sequence[str] | None = None) -> int:
    share_the_processor()
    parser = OneLineParser(prog="python -P -m evaluation.fit_codebertscore")
    parser.add_argument("--data", type=Path, required=True, metavar="PATH")
    parser.add_argument("--model", default=DEFAULT_ENCODER, metavar="NAME")
    parser.add_argument("--programs", type=positive, metavar="N", help="of each problem, at most")
    parser.add_argument("--context", action="store_true", help="read what is asked for before")
    try:
        arguments: argparse.Namespace = parser.parse_args(argv)
        problems = development_programs(read_humaneval(arguments.data), arguments.programs)
        with ProgressBar() as progress:
            folder = encoder_folder(arguments.model, default_home(), progress)
            encoder = TokenEncoder(folder, range(layer_count(folder) + 1))
            scorer = CodeBertScorer(encoder)
            scores = score_problems(scorer, problems, progress, context=arguments.context)
    except PirouetteError as error:
        print(f"fit_codebertscore: {error}", file=sys.stderr)
        return 2
    print(table(problems, scores))
    return 0


def development_programs(
    programs: Sequence[GradedProgram], most: int | None
) -> list[list[GradedProgram]]:
    """Those of the development problems, of each at most so many, drawn; the same every time."""
    problems = list(by_problem(programs).values())
    return [
        [problems[number][place] for place in drawn(number, len(problems[number]), most)]
        for number in development(len(problems))
    ]


def drawn(number: int, count: int, most: int | None) -> Iterable[int]:
    return np.sort(np.random.default_rng(number).permutation(count)[:most])


def score_problems(
    scorer: CodeBertScorer,
    problems: Sequence[Sequence[GradedProgram]],
    progress: ProgressCallback,
    *,
    context: bool,
) -> list[list[list[CodeBertScore]]]:
    """By problem, program and layer."""
    pairs = [
        CodePair(one.text, one.reference, f"# {one.intent}" if context else "")
        for ones in problems
        for one in ones
    ]
    found = iter(scorer.score_layers(pairs, progress))
    return [[next(found) for _ in ones] for ones in problems]


def table(
    problems: Sequence[Sequence[GradedProgram]], scores: Sequence[Sequence[list[CodeBertScore]]]
) -> str:
    lines = [f"layer  {'  '.join(f'{name:>6}' for name in COLUMNS)}"]
    for layer in range(len(scores[0][0])):
        cells: list[float] = []
        for name in ("f1", "f3"):
            scored = [
                ScoredProblem(
                    np.array([float(one.passed) for one in ones]),
                    np.array([getattr(by_layer[layer], name) for by_layer in of_problem]),
                )
                for ones, of_problem in zip(problems, scores, strict=True)
            ]
            everything = np.arange(len(scored))
            cells += [correlation(scored)(everything) for correlation in (tau_within, spearman)]
        lines.append(f"{layer:>5}  {'  '.join(f'{cell:6.3f}' for cell in cells)}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
