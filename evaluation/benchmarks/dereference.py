"""`pirouette bench dereference`: completions right after a dot, the rest of the function held out.

It owns the order of the run; the places are those of `evaluation.dereferences`, the arms those of
`evaluation.dereference_arms`, and the judging is done once everything is written.
"""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from completion.pipeline import Completer
from evaluation.dereference_arms import ARMS, Answer, Complete
from evaluation.dereference_results import Completed, Judged, rows_of
from evaluation.dereferences import Dereference, draw_dereferences, subwords
from evaluation.kept_results import KeptResults
from evaluation.new_faults import filled_and_closed, new_faults
from evaluation.provenance import made_here, run_name
from evaluation.repositories import Repository
from evaluation.results import BenchResult
from evaluation.source_folder import changed_for_now, write_sources
from evaluation.type_check import require_checker
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import Progress, ProgressCallback


@dataclass(frozen=True, slots=True)
class DereferenceOptions:
    """How many places, drawn with which seed.

    What the repositories import is looked up in the `environment`, a folder with packages; without
    one in that of Pirouette. `samples` names a JSON-lines file for every completion, from which a
    run that was cut off goes on.
    """

    limit: int = 500
    seed: int = 0
    environment: Path | None = None
    samples: Path | None = None
    command: str = "pirouette bench dereference"


def run_dereference(
    options: DereferenceOptions,
    model: LanguageModel,
    repositories: Sequence[Repository],
    progress: ProgressCallback,
) -> BenchResult:
    """Let every arm complete at every place, then judge it all; progress counts places, then files.

    Raises `InputError` where the type checker is not installed or no place can be drawn.
    """
    require_checker()
    kept = KeptResults(options.samples, run_name("dereference", model, ARMS), Completed)
    places = draw_dereferences(repositories, options.limit, options.seed)
    if not places:
        raise InputError("no dereference could be drawn from these repositories; name larger ones")
    completed = complete_all(places, repositories, options.environment, model, kept, progress)
    texts = [[text for one in ones for text in one.texts] for ones in completed]
    checked_in = options.environment
    faults = new_faults(places, texts, repositories, progress, checked_in, filled_and_closed)
    judged = [
        Judged(
            place, subwords(model.tokenizer, place.name), one, list(islice(brought, len(one.texts)))
        )
        for place, ones, brought in zip(places, completed, map(iter, faults), strict=True)
        for one in ones
    ]
    rows = rows_of(judged, options.seed)
    return made_here("dereference", options.command, options.seed, rows)


def complete_all(
    places: Sequence[Dereference],
    repositories: Sequence[Repository],
    environment: Path | None,
    model: LanguageModel,
    kept: KeptResults[Completed],
    progress: ProgressCallback,
) -> list[list[Completed]]:
    """For each place what every arm wrote there, in the order of the arms.

    An arm finds the repository in a folder, in which the rest of the function is held out too.
    """
    completer = Completer(model)
    completed: list[list[Completed]] = []
    with ExitStack() as stack:
        arms = {name: arm(completer, environment, stack) for name, arm in ARMS.items()}
        folders: dict[str, Path] = {}
        for repository in repositories:
            scratch = tempfile.TemporaryDirectory(prefix="pirouette-dereference-")
            folders[repository.name] = Path(stack.enter_context(scratch))
            write_sources(repository.files, folders[repository.name])
        for number, place in enumerate(places):
            progress(Progress("dereference", number, len(places)))
            found = kept.find(place.key)
            if found is None:
                folder = folders[place.repository]
                with changed_for_now(folder / place.path, place.before + place.after):
                    found = complete_with(arms, place, folder, turn=number)
                completer.close(place.request.document)
                kept.add(place.key, found)
            completed.append(found)
    progress(Progress("dereference", len(places), len(places)))
    return completed


def complete_with(
    arms: Mapping[str, Complete], place: Dereference, folder: Path, turn: int
) -> list[Completed]:
    """What every arm writes at a place. They begin in turns, so that no arm is always the first."""
    names = list(arms)
    start = turn % len(names)
    found = {
        name: completed(name, arms[name](place, folder)) for name in names[start:] + names[:start]
    }
    return [found[name] for name in names]


def completed(arm: str, answer: Answer) -> Completed:
    suggestion = answer.suggestion
    ms = suggestion.ms
    return Completed(
        arm=arm,
        text=suggestion.text,
        stop=suggestion.stop,
        ms=ms.total,
        writing_ms=ms.total - ms.context - ms.cache,
        generated=suggestion.tokens.generated,
        passes=suggestion.tokens.passes,
        masked_truth=answer.masked_truth,
        others=answer.others,
    )
