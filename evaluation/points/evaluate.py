"""`pirouette eval`: how good completion is in a repository, and what each part contributes.

It owns the order of the run: places are drawn, every arm is asked at each, and the judging
(`evaluation.points.judging`) is done once everything is written.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from evaluation.kept_results import KeptResults
from evaluation.points.judging import NO_SCORERS, Scorers, check_all, score_all
from evaluation.points.parts import PARTS, Arm, Written, arms_of, stage
from evaluation.points.results import Completed, Judged, rows_of
from evaluation.points.sampling import HeldOut, draw_held_out
from evaluation.provenance import made_here, run_name
from evaluation.repositories import Repository
from evaluation.results import BenchResult
from evaluation.spread import spread
from evaluation.type_check import require_checker
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import Progress, ProgressCallback
from retrieval.analyst.search_path import environment_folders


@dataclass(frozen=True, slots=True)
class EvalOptions:
    """How many places, drawn with which seed, and with how many suggestions at each.

    `without` names the parts that are taken away, `added` those that are added, in an arm each.
    What the repository imports is looked up in the `environment`, without one in that of Pirouette.
    `samples` names a JSON-lines file for every completion, from which a run that was cut off goes
    on, or a folder in which each run has a file of its own; `cluster` is the address of a Ray
    cluster that completes, each node with a model of its own.
    """

    points: int = 200
    seed: int = 0
    suggestions: int = 1
    without: Sequence[str] = PARTS
    added: Sequence[str] = ()
    environment: Path | None = None
    samples: Path | None = None
    cluster: str | None = None
    command: str = "pirouette eval"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The rows of an evaluation, and what they were counted from: every place, arm by arm.

    Every completion is in the file `samples`, if one was named.
    """

    result: BenchResult
    repository: str
    judged: Sequence[Judged]
    samples: Path | None = None


def evaluate(
    options: EvalOptions,
    load: Callable[[], LanguageModel],
    repository: Repository,
    progress: ProgressCallback,
    scorers: Scorers = NO_SCORERS,
) -> Evaluation:
    """Ask every arm at every place, then judge it all; progress counts places, files, and pairs.

    `load` loads the model, on every node of a cluster as well: it can be pickled then. Raises
    `InputError` where the type checker is not installed or no place can be drawn.
    """
    require_checker()
    arms = arms_of(options.without, options.added)
    places = draw_held_out(repository, options.points, options.seed)
    if not places:
        raise InputError(
            f"no place to complete at was found in {repository.name}; name a repository with "
            "sources in Python, TypeScript, JavaScript, Go or Java"
        )
    here = cache(load)
    drawn = f"{repository.name} {fingerprint(repository.files)}, seed {options.seed}"
    if options.environment is not None:
        drawn += f", packages {fingerprint(installed(options.environment))}"
    run = run_name(f"eval of {drawn}", here(), (arm.name for arm in arms))
    run += f", {options.suggestions} texts"
    samples = file_of(run, options.samples)
    kept = KeptResults(samples, run, restored)
    loading = here if options.cluster is None else load
    completed = complete_all(options, loading, repository, places, arms, kept, progress)
    checked = check_all(places, completed, repository, options.environment, progress)
    judged = score_all(checked, scorers, progress)
    rows = rows_of(judged, options.seed, options.suggestions)
    result = made_here("eval", options.command, options.seed, rows)
    return Evaluation(result, repository.name, judged, samples)


def file_of(run: str, samples: Path | None) -> Path | None:
    """Where the completions of a run are kept."""
    if samples is None or not samples.is_dir():
        return samples
    return samples / f"{hashlib.sha256(run.encode()).hexdigest()[:16]}.jsonl"


def fingerprint(files: Mapping[str, str]) -> str:
    """What tells these sources from any others."""
    digest = hashlib.sha256()
    for path, text in sorted(files.items()):
        digest.update(f"{path}\0{text}\0".encode())
    return digest.hexdigest()[:12]


def installed(environment: Path) -> dict[str, str]:
    """What lies among the packages of an environment, whose names tell versions; without texts."""
    folders = environment_folders(str(environment))
    return {path.name: "" for folder in folders for path in Path(folder).iterdir()}


def complete_all(
    options: EvalOptions,
    load: Callable[[], LanguageModel],
    repository: Repository,
    places: Sequence[HeldOut],
    arms: Sequence[Arm],
    kept: KeptResults[Completed],
    progress: ProgressCallback,
) -> list[list[Completed]]:
    """For each place what every arm wrote there, in the order of the arms."""
    names = [arm.name for arm in arms]
    known = [kept.find(place.key) for place in places]
    found = [ones if ones and [one.arm for one in ones] == names else None for ones in known]
    left = [turn for turn, ones in enumerate(found) if ones is None]
    work = partial(worker, options, load, repository, tuple(arms))
    done = len(places) - len(left)
    progress(Progress("completing", done, len(places)))

    def keep(asked: Asked, ones: list[Completed]) -> None:
        nonlocal done
        done += 1
        kept.add(asked.place.key, ones)
        progress(Progress("completing", done, len(places)))

    asked = [Asked(places[turn], turn) for turn in left]
    for turn, ones in zip(left, spread(asked, work, options.cluster, keep), strict=True):
        found[turn] = ones
    return [ones for ones in found if ones is not None]


@dataclass(frozen=True, slots=True)
class Asked:
    """A place, and which one it is of all."""

    place: HeldOut
    turn: int


@contextmanager
def worker(
    options: EvalOptions,
    load: Callable[[], LanguageModel],
    repository: Repository,
    arms: Sequence[Arm],
) -> Iterator[Callable[[Asked], list[Completed]]]:
    """What has every arm complete at a place, wherever it works."""
    with stage(load(), repository, options.environment, arms) as own:

        def work(asked: Asked) -> list[Completed]:
            written = own.ask(asked.place, options.suggestions, options.seed, asked.turn)
            return [completed_by(one) for one in written]

        yield work


def restored(**kept: Any) -> Completed:
    """What was kept of an arm. Raises `ValueError` or `TypeError` where no run has written it."""
    one = Completed(**kept)
    numbers = {**kept, "arm": 0, "texts": 0}.values()
    texts = isinstance(one.texts, list) and all(isinstance(text, str) for text in one.texts)
    if not (texts and one.texts and all(isinstance(number, int | float) for number in numbers)):
        raise ValueError("a completion without a text, or without its numbers")
    return one


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
