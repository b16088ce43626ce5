"""The ways to complete at a dereference that the dereference benchmark compares."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from completion.monitors.monitors import Monitors
from completion.pipeline import Completer
from completion.values import PYTHON, Suggestion
from evaluation.dereferences import Dereference
from retrieval.analyst.analyst import ProcessAnalyst
from retrieval.analyst.child import jedi_worker
from retrieval.analyst.questions import Question, Wanted

PATIENCE = 10.0  # seconds for a question: what is counted must not depend on the machine


@dataclass(frozen=True, slots=True)
class Answer:
    """A suggestion, and whether the true identifier was kept out; None where nothing was.

    `others` are of an arm that may try more than once.
    """

    suggestion: Suggestion
    masked_truth: bool | None = None
    others: tuple[str, ...] = ()


# Asked at a place, with the folder that holds the repository's sources. In it the rest of the
# function is held out as well: who reads the place's file there finds what the request says.
Complete = Callable[[Dereference, Path], Answer]
# Made once a run, of a completer whose caches all arms share: each prompt is read by the first of
# them only. The folder holds the packages that the repositories import. What has to be closed at
# the end goes on the stack.
Arm = Callable[[Completer, Path | None, ExitStack], Complete]


def plain(completer: Completer, _: Path | None, __: ExitStack) -> Complete:
    """The pipeline by itself."""
    own = completer.with_parts()

    def complete(place: Dereference, _: Path) -> Answer:
        return Answer(own.complete(place.request))

    return complete


def twice(completer: Completer, _: Path | None, __: ExitStack) -> Complete:
    """The same, which may try twice: where the model was least sure, it is asked for another."""
    own = completer.with_parts()

    def complete(place: Dereference, _: Path) -> Answer:
        first, *others = own.complete_several(place.request, 2)
        return Answer(first, others=tuple(other.text for other in others))

    return complete


def monitored(completer: Completer, environment: Path | None, stack: ExitStack) -> Complete:
    """The pipeline as it is in the editor, but that it waits for analysis as long as it takes."""
    packages = None if environment is None else str(environment)
    analyst = stack.enter_context(ProcessAnalyst(timeout=PATIENCE, worker=jedi_worker(packages)))
    watched: dict[Path, Completer] = {}

    def complete(place: Dereference, folder: Path) -> Answer:
        analyst.wait_until_warm(PATIENCE)
        if folder not in watched:
            monitors = Monitors(completer.model.tokenizer, analyst, (folder,), PATIENCE)
            watched[folder] = completer.with_parts(monitors)
        path = str(folder / place.path)
        suggestion = watched[folder].complete(replace(place.request, path=path, language=PYTHON))
        asked = analyst.ask(Question(path, str(folder), place.before, place.after, Wanted.NAMES))
        known = asked.result()
        if known is None or not known.complete:
            return Answer(suggestion)
        return Answer(suggestion, masked_truth=place.name not in known.names)

    return complete


ARMS: Mapping[str, Arm] = {"plain": plain, "monitored": monitored, "twice": twice}
