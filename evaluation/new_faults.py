"""What a type checker holds against completions in a file, and not against the truth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from completion.brackets import CLOSERS, OPENERS, balance, mask
from evaluation.repositories import Repository
from evaluation.type_check import SYNTAX, ChangedFile, Fault, check_files
from models.progress import Progress, ProgressCallback

MATES = dict(zip(OPENERS, CLOSERS, strict=True))


class Hidden(Protocol):
    """A place in a file of a repository: its texts before and after what is held out, and that."""

    @property
    def repository(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def before(self) -> str: ...
    @property
    def truth(self) -> str: ...
    @property
    def after(self) -> str: ...
    @property
    def line(self) -> int: ...


HiddenPlace = TypeVar("HiddenPlace", bound=Hidden)


@dataclass(frozen=True, slots=True)
class NewFaults:
    """Of a completion: how many names it uses that are not there, and whether it cannot be parsed.

    Counted on the lines from the cursor to the end of the completion; what the checker also says
    of the same function as it was is not new.
    """

    names: int
    syntax: bool


def new_faults(
    places: Sequence[HiddenPlace],
    completions: Sequence[Sequence[str]],
    repositories: Sequence[Repository],
    progress: ProgressCallback,
    environment: Path | None,
    fill: Callable[[HiddenPlace, str], ChangedFile],
) -> list[list[NewFaults]]:
    """For each place, that of each of its completions; progress counts files to check.

    `fill` makes the checked text: what an editor would hold. What is not of the repositories is
    looked up in the `environment`.
    """
    total = len(places) + sum(map(len, completions))
    done = 0
    found: dict[int, list[NewFaults]] = {}
    for repository in repositories:
        numbers = [n for n, place in enumerate(places) if place.repository == repository.name]
        changed = [
            fill(places[n], text) for n in numbers for text in (places[n].truth, *completions[n])
        ]

        def told(files: int, before: int = done) -> None:
            progress(Progress("type check", before + files, total))

        faults = iter(check_files(repository.files, changed, told, environment) if changed else ())
        for n in numbers:
            known = next(faults)
            found[n] = [less(next(faults), known) for _ in completions[n]]
        done += len(changed)
    return [found[n] for n in range(len(places))]


def filled(place: Hidden, text: str) -> ChangedFile:
    """The file with a text in the place of what is held out; the lines of the text count."""
    return ChangedFile(
        path=place.path,
        text=place.before + text + place.after,
        first=place.line,
        last=place.line + text.count("\n"),
    )


def filled_and_closed(place: Hidden, text: str) -> ChangedFile:
    """The same where the rest of a function is held out, its open brackets closed: one that is
    open would swallow the definitions that follow. The rest of the truth is not put back, since it
    goes with variables of its own lines."""
    open_here = balance(mask(place.before + text).text).openers
    closers = "".join(MATES[bracket.character] for bracket in reversed(open_here))
    changed = filled(place, text)
    return replace(changed, text=place.before + text + closers + place.after)


def less(faults: frozenset[Fault], known: frozenset[Fault]) -> NewFaults:
    """What is among `faults` and not among those that were there before."""
    new = faults - known
    return NewFaults(
        names=sum(fault.rule != SYNTAX for fault in new),
        syntax=any(fault.rule == SYNTAX for fault in new),
    )
