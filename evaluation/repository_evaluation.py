"""`pirouette eval`: how good completion is in a repository, and what each part contributes.

It owns the order of the run: places are drawn, every arm is asked at each, and the judging is done
once everything is written.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from completion.values import PYTHON
from evaluation.kept_results import KeptResults
from evaluation.metrics.parsing import parses
from evaluation.new_faults import NewFaults, filled, new_faults
from evaluation.pipeline_parts import PARTS, Arm, Stage, Written, arms_of, stage
from evaluation.point_results import Checked, Completed, Judged, rows_of
from evaluation.point_sampling import HeldOut, draw_held_out
from evaluation.provenance import made_here, run_name
from evaluation.repositories import Repository
from evaluation.results import BenchResult
from evaluation.type_check import require_checker
from lsp_server.documents import language_of
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import Progress, ProgressCallback


@dataclass(frozen=True, slots=True)
class EvalOptions:
    """How many places, drawn with which seed, and with how many suggestions at each.

    `without` names the parts that are taken away, `added` those that are added, in an arm each.
    What the repository imports is looked up in the `environment`, without one in that of Pirouette.
    `samples` names a JSON-lines file for every completion, from which a run that was cut off goes
    on.
    """

    points: int = 200
    seed: int = 0
    suggestions: int = 1
    without: Sequence[str] = PARTS
    added: Sequence[str] = ()
    environment: Path | None = None
    samples: Path | None = None
    command: str = "pirouette eval"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The rows of an evaluation, and what they were counted from: every place, arm by arm."""

    result: BenchResult
    repository: str
    judged: Sequence[Judged]


def evaluate(
    options: EvalOptions,
    model: LanguageModel,
    repository: Repository,
    progress: ProgressCallback,
) -> Evaluation:
    """Ask every arm at every place, then judge it all; progress counts places, then files.

    Raises `InputError` where the type checker is not installed or no place can be drawn.
    """
    require_checker()
    arms = arms_of(options.without, options.added)
    places = draw_held_out(repository, options.points, options.seed)
    if not places:
        raise InputError(
            f"no place to complete at was found in {repository.name}; name a repository with "
            "sources in Python, TypeScript, JavaScript, Go or Java"
        )
    drawn = f"{repository.name} {fingerprint(repository.files)}, seed {options.seed}"
    run = run_name(f"eval of {drawn}", model, (arm.name for arm in arms))
    kept = KeptResults(options.samples, f"{run}, {options.suggestions} texts", Completed)
    completed = complete_all(options, model, repository, places, arms, kept, progress)
    judged = judge_all(options, repository, places, completed, progress)
    rows = rows_of(judged, options.seed, options.suggestions)
    result = made_here("eval", options.command, options.seed, rows)
    return Evaluation(result, repository.name, judged)


def fingerprint(files: Mapping[str, str]) -> str:
    """What tells these sources from any others."""
    digest = hashlib.sha256()
    for path, text in sorted(files.items()):
        digest.update(f"{path}\0{text}\0".encode())
    return digest.hexdigest()[:12]


def complete_all(
    options: EvalOptions,
    model: LanguageModel,
    repository: Repository,
    places: Sequence[HeldOut],
    arms: Sequence[Arm],
    kept: KeptResults[Completed],
    progress: ProgressCallback,
) -> list[list[Completed]]:
    """For each place what every arm wrote there, in the order of the arms."""
    completed: list[list[Completed]] = []
    with ExitStack() as stack:
        work: Stage | None = None
        for number, place in enumerate(places):
            progress(Progress("completing", number, len(places)))
            found = kept.find(place.key)
            if found is None:
                if work is None:
                    opened = stage(model, repository, options.environment, arms)
                    work = stack.enter_context(opened)
                written = work.ask(place, options.suggestions, options.seed, turn=number)
                found = [completed_by(one) for one in written]
                kept.add(place.key, found)
            completed.append(found)
    progress(Progress("completing", len(places), len(places)))
    return completed


def completed_by(written: Written) -> Completed:
    best = written.suggestions[0]
    return Completed(
        arm=written.arm.name,
        texts=[suggestion.text for suggestion in written.suggestions],
        confidence=best.confidence,
        ms=written.ms,
        prompt=best.tokens.prompt,
        reused=best.tokens.reused,
        moved=best.tokens.moved,
        encoded=best.tokens.encoded,
        generated=best.tokens.generated,
        passes=best.tokens.passes,
        taken_back=best.watched.taken_back,
        cut=best.watched.cut,
    )


def judge_all(
    options: EvalOptions,
    repository: Repository,
    places: Sequence[HeldOut],
    completed: Sequence[Sequence[Completed]],
    progress: ProgressCallback,
) -> list[Judged]:
    """Every completion with what is thought of it; only the first text is put into the file."""
    numbers = [n for n, place in enumerate(places) if language_of(Path(place.path)) == PYTHON]
    checkable = [places[n] for n in numbers]
    texts = [[one.texts[0] for one in completed[n]] for n in numbers]
    faults = new_faults(checkable, texts, [repository], progress, options.environment, filled)
    known = dict(zip(numbers, faults, strict=True))
    return [
        Judged(place, one, checked(place, one.texts[0], fault))
        for n, place in enumerate(places)
        for one, fault in zip(completed[n], known.get(n, [None] * len(completed[n])), strict=True)
    ]


def checked(place: HeldOut, text: str, faults: NewFaults | None) -> Checked:
    parsed = None
    if parses(place.before + place.truth + place.after, place.path):
        parsed = parses(place.before + text + place.after, place.path)
    is_right = None if faults is None else not (faults.names or faults.syntax)
    return Checked(parsed, is_right)
