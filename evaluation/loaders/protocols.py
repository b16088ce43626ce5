"""The protocols of the published benchmarks, by the names of the benchmarks."""

from pathlib import Path

from evaluation.loaders.crosscodeeval import CROSSCODEEVAL
from evaluation.loaders.dotprompts import DOTPROMPTS
from evaluation.loaders.humaneval import HUMANEVAL
from evaluation.loaders.py150 import PY150
from evaluation.loaders.repobench import REPOBENCH
from evaluation.loaders.repoeval import repoeval
from evaluation.tasks import Protocol

OF_ONE_FORM = {one.name: one for one in (CROSSCODEEVAL, DOTPROMPTS, HUMANEVAL, PY150, REPOBENCH)}


def protocol_named(name: str, repositories: Path | None = None) -> Protocol:
    """How the tasks of a benchmark are read, asked and judged; `repositories` are RepoEval's.

    Raises `InputError` where these are no folder.
    """
    return repoeval(repositories) if name == "repoeval" else OF_ONE_FORM[name]
