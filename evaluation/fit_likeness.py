"""Fits what a name gains by being like the one that a model meant, where that does not exist.

    python -P -m evaluation.fit_likeness --limit N --samples PATH [--seed S]

The model completes after the dots of functions of repositories that are not for development. Where
all names that may follow are known and the one it writes is not among them, each gets its joint
probability. Printed is how often the true one is the likeliest, by what likeness counts for.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from completion.monitors.names import ends_of_names, identifier_at
from completion.name_choice import (
    LIKENESS,
    SpelledPlace,
    likeness,
    read_names,
    spell_names,
    worth_writing,
)
from completion.pipeline import Completer, CompletionOptions
from completion.prompt import Prompt
from evaluation.dereference_arms import PATIENCE
from evaluation.dereferences import Dereference, draw_functions
from evaluation.intervals import wilson
from evaluation.kept_results import KeptResults
from evaluation.packages import OTHER_PACKAGES, fetch_packages
from evaluation.provenance import run_name
from evaluation.repositories import DEVELOPMENT, UNSEEN, Repository, fetch_repositories
from evaluation.source_folder import changed_for_now, write_sources
from lsp_server.arguments import OneLineParser, positive
from lsp_server.console import ProgressBar
from models.catalogue import DEFAULT_MODEL
from models.errors import PirouetteError
from models.language_model import LanguageModel, load_language_model
from models.processor import share_the_processor
from models.progress import Progress, ProgressCallback
from models.store import ModelStore, default_home
from retrieval.analyst.analyst import ProcessAnalyst
from retrieval.analyst.child import jedi_worker
from retrieval.analyst.questions import Analyst, Question, Wanted

MOST_OF_A_FUNCTION = 8  # places
MOST_NAMES = 400  # of one place
AT_ONCE = 256  # tokens of names that are read in one pass
WRITTEN = CompletionOptions(max_tokens=16)
WEIGHTS = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 1e6)


@dataclass(frozen=True, slots=True)
class WrongName:
    """A name that was written, the true one, and the log-probability of each that exists."""

    meant: str
    truth: str
    names: Mapping[str, float]

    def chosen(self, weight: float) -> str:
        meant = self.meant.encode()
        return max(self.names, key=lambda n: self.names[n] + weight * likeness(meant, n.encode()))


def collect(
    count: int, seed: int, path: Path, model: LanguageModel, progress: ProgressCallback
) -> Iterator[WrongName]:
    """Those of `count` functions, kept in a file by function."""
    kept = KeptResults(path, run_name("likeness", model, [str(seed)]), WrongName)
    home = default_home() / "repositories"
    others = tuple(release for release in UNSEEN if release not in DEVELOPMENT)
    repositories = fetch_repositories(others, home, progress)
    environment = fetch_packages(OTHER_PACKAGES, home, progress)
    completer = Completer(model, WRITTEN)
    with ExitStack() as stack:
        folders = {one.name: written(one, stack) for one in repositories}
        analyst = stack.enter_context(
            ProcessAnalyst(timeout=PATIENCE, worker=jedi_worker(str(environment)))
        )
        analyst.wait_until_warm(PATIENCE)
        functions = draw_functions(repositories, count, seed)
        for number, places in enumerate(functions):
            progress(Progress("functions", number, count))
            found = kept.find(places[0].key)
            if found is None:
                folder = folders[places[0].repository]
                asked = (
                    wrong_name_at(place, folder, completer, analyst)
                    for place in places[:MOST_OF_A_FUNCTION]
                )
                found = [wrong for wrong in asked if wrong is not None]
                completer.close(places[0].request.document)
                kept.add(places[0].key, found)
            yield from found


def written(repository: Repository, stack: ExitStack) -> Path:
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="pirouette-likeness-")))
    write_sources(repository.files, folder)
    return folder


def wrong_name_at(
    place: Dereference, folder: Path, completer: Completer, analyst: Analyst
) -> WrongName | None:
    """None where the name that is written exists, or nobody knows."""
    file = folder / place.path
    with changed_for_now(file, place.before + place.after):
        question = Question(str(file), str(folder), place.before, place.after, Wanted.NAMES)
        answer = analyst.ask(question).result()
    if answer is None or not answer.complete or len(answer.names) > MOST_NAMES:
        return None
    meant = identifier_at(completer.complete(place.request).text.encode()).decode()
    if not meant or meant in answer.names:
        return None
    prompt = completer.prompts.build(place.request)
    names = worth_writing(frozenset(map(str.encode, answer.names)), meant.encode())
    return WrongName(meant, place.name, log_probabilities(completer.model, prompt, names))


def log_probabilities(
    model: LanguageModel, prompt: Prompt, names: frozenset[bytes]
) -> dict[str, float]:
    """Of each of `names` after a prompt, and that no longer one is written."""
    cache = model.decoder.new_cache(len(prompt.tokens) + AT_ONCE)
    hidden = model.decoder.forward(prompt.tokens, cache)
    first = model.decoder.logits(hidden[-1]).log_softmax(-1)
    ends = ends_of_names(model.tokenizer)
    place = SpelledPlace(prompt.end.piece, prompt.end.settled)
    left = spell_names(model.tokenizer, names, place)
    found: dict[str, float] = {}
    while left:
        read = read_names(model.decoder, cache, first, left, ends, AT_ONCE)
        for name in read.tokens:
            found[name.decode()] = read.joint(name)
            del left[name]
    return found


def table_of(wrong: Sequence[WrongName]) -> str:
    """How often the true name is chosen, by the weight of likeness."""
    there = [one for one in wrong if one.truth in one.names]
    lines = [f"{len(wrong)} names that do not exist; the true one was listed {len(there)} times"]
    for weight in WEIGHTS:
        right = sum(one.chosen(weight) == one.truth for one in there)
        rate = wilson(right, len(there))
        shown = "likeness alone" if weight == WEIGHTS[-1] else f"{weight:g}"
        mark = "  (shipped)" if weight == LIKENESS else ""
        lines.append(
            f"{shown:>15}  {right / max(1, len(there)):.3f} [{rate.low:.3f}, {rate.high:.3f}]{mark}"
        )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    share_the_processor()
    parser = OneLineParser(prog="python -P -m evaluation.fit_likeness")
    parser.add_argument("--limit", type=positive, default=100, metavar="N", help="functions")
    parser.add_argument("--samples", type=Path, required=True, metavar="PATH")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    try:
        arguments: argparse.Namespace = parser.parse_args(argv)
        with ProgressBar() as progress:
            folder = ModelStore(default_home()).pull(DEFAULT_MODEL, progress)
            model = load_language_model(DEFAULT_MODEL, folder, progress)
            wrong = list(
                collect(arguments.limit, arguments.seed, arguments.samples, model, progress)
            )
        print(table_of(wrong))
    except PirouetteError as error:
        print(f"fit_likeness: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
