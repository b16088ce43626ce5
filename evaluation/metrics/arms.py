"""The metrics that `pirouette bench metrics` compares, each under the name of its arm."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from evaluation.graded_programs import GradedProgram, ScorePrograms, published_scores
from evaluation.metrics.codebertscore import CodeBertScorer, CodePair
from evaluation.metrics.encoders import load_encoder
from evaluation.metrics.overlap import (
    bleu,
    chrf,
    edit_similarity,
    import_sacrebleu,
    token_dice,
)
from models.progress import ProgressCallback

OVERLAPS: Mapping[str, Callable[[str, str], float]] = {
    "dice": token_dice,
    "bleu": bleu,
    "chrf": chrf,
    "edit_similarity": edit_similarity,
}


def metric_arms(encoder: str, home: Path, progress: ProgressCallback) -> list[ScorePrograms]:
    """All that is compared; CodeBERTScore with the encoder of that name.

    Raises a `PirouetteError` where there is no such model, or a package is not installed.
    """
    import_sacrebleu()
    scorer = CodeBertScorer(load_encoder(encoder, home, progress))
    return [overlap_scores, lambda programs: codebertscores(scorer, programs), published_scores]


def overlap_scores(programs: Sequence[GradedProgram]) -> dict[str, list[float]]:
    return {
        arm: [measure(program.text, program.reference) for program in programs]
        for arm, measure in OVERLAPS.items()
    }


def codebertscores(
    scorer: CodeBertScorer, programs: Sequence[GradedProgram]
) -> dict[str, list[float]]:
    pairs = [CodePair(program.text, program.reference) for program in programs]
    found = scorer.score(pairs)
    return {
        "codebertscore_f1": [score.f1 for score in found],
        "codebertscore_f3": [score.f3 for score in found],
    }
