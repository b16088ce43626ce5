"""`pirouette bench`: each benchmark started with what the command line says."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from evaluation.provenance import shown_command
from evaluation.repositories import (
    APART,
    DEVELOPMENT,
    UNSEEN,
    Release,
    Repository,
    fetch_repositories,
    read_repository,
)
from evaluation.results import BenchResult, render_table, to_json
from lsp_server.console import ProgressBar, print_json
from models.catalogue import DEFAULT_MODEL, PUBLISHED_MODEL
from models.errors import InputError
from models.language_model import LanguageModel, load_language_model
from models.progress import ProgressCallback
from models.store import ModelStore, default_home

PUBLISHED = ("infilling", "repobench", "crosscodeeval", "repoeval", "py150", "dotprompts")

LoadModel = Callable[[], LanguageModel]
RunBench = Callable[[argparse.Namespace, LoadModel, ProgressCallback], BenchResult]


def run_bench(arguments: argparse.Namespace) -> int:
    name = model_name(arguments)
    run = BENCHES[arguments.bench]
    with ProgressBar() as progress:

        def load() -> LanguageModel:
            folder = ModelStore(default_home()).pull(name, progress)
            exact, adapter = arguments.exact, arguments.adapter
            return load_language_model(name, folder, progress, exact=exact, adapter=adapter)

        result = run(arguments, load, progress)
    if arguments.json:
        print_json(to_json(result))
    else:
        Console().print(render_table(result))
    return 0


def model_name(arguments: argparse.Namespace) -> str:
    """Whose weights are run: those that llama.cpp has too, where it is the peer."""
    peer = getattr(arguments, "peer", None)
    return arguments.model or (PUBLISHED_MODEL if peer == "llama.cpp" else DEFAULT_MODEL)


def given(arguments: argparse.Namespace) -> dict[str, Any]:
    """What every benchmark's options have in common, as it was told; no limit where none was."""
    return {
        "seed": arguments.seed,
        "samples": arguments.samples,
        "command": shown_command(sys.argv[1:]),
        **({"limit": arguments.limit} if arguments.limit else {}),
    }


def published_bench(
    arguments: argparse.Namespace, load: LoadModel, progress: ProgressCallback
) -> BenchResult:
    from evaluation.benchmarks.published import PublishedOptions, run_published
    from evaluation.benchmarks.py150_tokens import run_py150_tokens
    from evaluation.http_engine import endpoint_of
    from evaluation.loaders.protocols import protocol_named
    from evaluation.loaders.py150 import is_of_tokens

    options = PublishedOptions(
        data=arguments.data,
        **given(arguments),
        transformers=arguments.peer is not None,
        endpoint=endpoint_of(arguments.engine) if arguments.engine else None,
        context_tokens=arguments.context,
    )
    if arguments.bench == "py150" and is_of_tokens(arguments.data):
        return run_py150_tokens(options, load, progress)
    protocol = protocol_named(arguments.bench, getattr(arguments, "repositories", None))
    return run_published(protocol, options, load, progress)


def edits_bench(
    arguments: argparse.Namespace, load: LoadModel, progress: ProgressCallback
) -> BenchResult:
    from evaluation.benchmarks.edits import EditOptions, chosen_arms, chosen_kinds, run_edits

    store = ModelStore(default_home())
    peer = arguments.peer is not None
    chosen_arms(arguments.arm or ())
    options = EditOptions(
        **given(arguments),
        contexts=tuple(arguments.context or EditOptions().contexts),
        arms=tuple(arguments.arm or EditOptions().arms),
        kinds=chosen_kinds(arguments.kind or EditOptions().kinds),
        llama_cpp=store.gguf(model_name(arguments), progress) if peer else None,
    )
    return run_edits(options, load(), chosen_repositories(arguments, store, progress), progress)


def latency_bench(
    arguments: argparse.Namespace, load: LoadModel, progress: ProgressCallback
) -> BenchResult:
    from evaluation.benchmarks.latency import LatencyOptions, run_latency
    from evaluation.llama_cpp_peer import require_xllamacpp
    from evaluation.peer_quantisations import peer_files

    if arguments.exact:
        raise InputError("'bench latency' times the server as it is, in 8 bits; leave out --exact")
    store = ModelStore(default_home())
    repositories = chosen_repositories(arguments, store, progress)
    files = None
    if arguments.peer is not None:
        require_xllamacpp()
        source = store.gguf(model_name(arguments), progress)
        files = peer_files(source, store.home / "peers", progress)
    options = LatencyOptions(
        **given(arguments),
        peer_files=files,
        variants=(
            *(f"without {part}" for part in arguments.without),
            *(f"with {part}" for part in arguments.with_),
        ),
    )
    return run_latency(options, load(), repositories, progress)


def cuts_bench(
    arguments: argparse.Namespace, load: LoadModel, progress: ProgressCallback
) -> BenchResult:
    from evaluation.benchmarks.cuts import CutOptions, run_cuts

    store = ModelStore(default_home())
    options = CutOptions(**given(arguments))
    return run_cuts(options, load(), chosen_repositories(arguments, store, progress), progress)


def dereference_bench(
    arguments: argparse.Namespace, load: LoadModel, progress: ProgressCallback
) -> BenchResult:
    from evaluation.benchmarks.dereference import DereferenceOptions, run_dereference
    from evaluation.type_check import require_checker

    require_checker()
    store = ModelStore(default_home())
    repositories = chosen_repositories(arguments, store, progress, DEVELOPMENT)
    environment = chosen_environment(arguments, store, progress)
    options = DereferenceOptions(
        **given(arguments),
        environment=environment,
    )
    return run_dereference(options, load(), repositories, progress)


def chosen_repositories(
    arguments: argparse.Namespace,
    store: ModelStore,
    progress: ProgressCallback,
    unnamed: tuple[Release, ...] | None = None,
) -> list[Repository]:
    """The repositories that were named; where none was, `unnamed`, or all it has not seen."""

    named = [read_repository(folder) for folder in arguments.repositories]
    return named or fetch_repositories(unnamed or UNSEEN, store.home / "repositories", progress)


def chosen_environment(
    arguments: argparse.Namespace, store: ModelStore, progress: ProgressCallback
) -> Path | None:
    """Where the packages are that the repositories import: those of the development repositories
    where none was named."""
    from evaluation.packages import DEVELOPMENT_PACKAGES, fetch_packages

    named: Path | None = arguments.environment
    if named is None and not arguments.repositories:
        return fetch_packages(DEVELOPMENT_PACKAGES, store.home / "repositories", progress)
    if named is not None and not named.is_dir():
        raise InputError(f"{named} is not a folder; name the root of an environment")
    return None if named is None else named.absolute()  # for processes that run elsewhere


def call_sites_bench(
    arguments: argparse.Namespace, load: LoadModel, progress: ProgressCallback
) -> BenchResult:
    from evaluation.benchmarks.call_sites import CallSiteOptions, run_call_sites

    if arguments.language == "java":
        repositories = [read_repository(folder, (".java",)) for folder in arguments.repositories]
        if not repositories:
            raise InputError("there are no repositories in Java to fetch; name their folders")
        return run_call_sites(
            CallSiteOptions(**given(arguments), in_java=True), load(), repositories, progress
        )
    store = ModelStore(default_home())
    repositories = chosen_repositories(arguments, store, progress, DEVELOPMENT)
    options = CallSiteOptions(
        **given(arguments),
        environment=chosen_environment(arguments, store, progress),
    )
    return run_call_sites(options, load(), repositories, progress)


def api_bench(
    arguments: argparse.Namespace, load: LoadModel, progress: ProgressCallback
) -> BenchResult:
    if arguments.language == "java" and arguments.task != "token":
        raise InputError(
            "only the task token is for Java; leave out --language, or add --task token"
        )
    if arguments.task == "token":
        return call_sites_bench(arguments, load, progress)
    if arguments.task == "private":
        return private_bench(arguments, load, progress)
    from evaluation.benchmarks.api import ApiOptions, run_api
    from models.embedding_models import DEFAULT_EMBEDDING, embedding_folder
    from retrieval.index.embedder import Embedder

    store = ModelStore(default_home())
    repositories = chosen_repositories(arguments, store, progress)
    folder = embedding_folder(DEFAULT_EMBEDDING.name, store.home, progress)
    options = ApiOptions(task=arguments.task, **given(arguments))
    embedder = Embedder(folder, DEFAULT_EMBEDDING.name)
    return run_api(options, embedder, load, repositories, progress)


def private_bench(
    arguments: argparse.Namespace, load: LoadModel, progress: ProgressCallback
) -> BenchResult:
    from evaluation.benchmarks.private import PrivateOptions, run_private

    if arguments.data is None:
        raise InputError("the task private needs --data PATH, the folder of its published files")
    folder = ModelStore(default_home()).home / "repositories"
    options = PrivateOptions(**given(arguments), data=arguments.data, folder=folder)
    return run_private(options, load, progress)


def related_bench(
    arguments: argparse.Namespace, load: LoadModel, progress: ProgressCallback
) -> BenchResult:
    from evaluation.benchmarks.related import RelatedOptions, run_related

    store = ModelStore(default_home())
    options = RelatedOptions(**given(arguments))
    return run_related(options, load(), chosen_repositories(arguments, store, progress), progress)


def types_bench(
    arguments: argparse.Namespace, load: LoadModel, progress: ProgressCallback
) -> BenchResult:
    from completion.token_types.fusion import load_type_fusion
    from evaluation.benchmarks.types import TypesOptions, run_types

    store = ModelStore(default_home())
    repositories = chosen_repositories(arguments, store, progress, APART)
    model = load()
    types = load_type_fusion(model.tokenizer)
    return run_types(TypesOptions(**given(arguments)), model, types, repositories, progress)


def metrics_bench(
    arguments: argparse.Namespace, _: LoadModel, progress: ProgressCallback
) -> BenchResult:
    from evaluation.benchmarks.metrics import MetricsOptions, run_metrics
    from evaluation.judges.configured import judge_of
    from evaluation.metrics.arms import metric_arms
    from evaluation.metrics.encoders import DEFAULT_ENCODER

    if arguments.adapter is not None or arguments.exact:
        raise InputError("'bench metrics' reads a model as it is; leave out --adapter and --exact")
    encoder = arguments.model or DEFAULT_ENCODER
    options = MetricsOptions(data=arguments.data, **given(arguments))
    judge = judge_of(arguments, progress)
    result = run_metrics(
        options, encoder, lambda: metric_arms(encoder, default_home(), progress), progress, judge
    )
    if judge is not None:
        print(f"judge: {judge.summary}", file=sys.stderr)
    return result


BENCHES: Mapping[str, RunBench] = {
    **dict.fromkeys(PUBLISHED, published_bench),
    "edits": edits_bench,
    "cuts": cuts_bench,
    "dereference": dereference_bench,
    "latency": latency_bench,
    "api": api_bench,
    "related": related_bench,
    "types": types_bench,
    "metrics": metrics_bench,
}
