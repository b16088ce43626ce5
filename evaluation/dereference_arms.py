"""The ways to complete at a dereference that the dereference benchmark compares."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from completion.pipeline import Completer
from completion.values import Suggestion
from evaluation.dereferences import Dereference
from models.language_model import LanguageModel


@dataclass(frozen=True, slots=True)
class Answer:
    """A suggestion, and whether the true identifier was masked; None where there was no mask."""

    suggestion: Suggestion
    masked_truth: bool | None = None


# Asked at a place, with the folder that holds the repository's sources. In it the rest of the
# function is held out as well: who reads the place's file there finds what the request says.
Complete = Callable[[Dereference, Path], Answer]
Arm = Callable[[LanguageModel], Complete]  # made once a run


def plain(model: LanguageModel) -> Complete:
    """The pipeline by itself. It begins each place with an empty cache."""
    completer = Completer(model)

    def complete(place: Dereference, _: Path) -> Answer:
        request = place.request
        suggestion = completer.complete(request)
        completer.close(request.document)
        return Answer(suggestion)

    return complete


ARMS: Mapping[str, Arm] = {"plain": plain}
