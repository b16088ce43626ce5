"""The command line: what is asked, handed to the module that does it.

Exit status 0: done. 1: no suggestion, or nothing found. 2: the user can mend it; one line on
stderr says what and how. `--json` prints one JSON object on stdout; progress goes to stderr.
"""

import argparse
import errno
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from lsp_server.arguments import GOES_ON, OneLineParser, add_bench, add_replay, positive
from lsp_server.console import ProgressBar, print_json
from models.catalogue import DEFAULT_MODEL
from models.errors import DiskSpaceError, InputError, PirouetteError
from models.processor import share_the_processor
from models.progress import ProgressCallback
from models.store import ModelStore, default_home

if TYPE_CHECKING:
    from evaluation.repositories import Release, Repository
    from evaluation.results import BenchResult
    from models.language_model import LanguageModel

    LoadModel = Callable[[], LanguageModel]

Command = Callable[[argparse.Namespace], int]
RunBench = Callable[[argparse.Namespace, "LoadModel", ProgressCallback], "BenchResult"]


def build_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="pirouette", description="Code completion with a local model.")
    parser.add_argument("--version", action="version", version=version("pirouette-lsp"))
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=OneLineParser)

    def command(
        name: str, help_text: str, run: Command, *, takes_model: bool = False
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help_text, description=help_text)
        added.set_defaults(run=run)
        if takes_model:
            added.add_argument(
                "--model",
                metavar="NAME",
                help="a name of 'pirouette models list', a Hugging Face id, or a local folder",
            )
        return added

    serve = command("serve", "Start the language server.", run_serve, takes_model=True)
    channel = serve.add_mutually_exclusive_group()
    channel.add_argument("--stdio", action="store_true", help="talk on stdin and stdout (default)")
    channel.add_argument("--tcp", metavar="HOST:PORT", help="wait for one client on a TCP port")

    complete = command(
        "complete",
        "Print the suggestion an editor would get at a place in a file.",
        run_complete,
        takes_model=True,
    )
    complete.add_argument("place", metavar="FILE:LINE:COLUMN", help="line and column from 1 on")

    models = command("models", "List, fetch or find models.", run_models)
    models.add_argument("action", choices=("list", "pull", "path"))
    models.add_argument("name", nargs="?", metavar="NAME", help=f"default: {DEFAULT_MODEL}")

    index = command("index", "Index a repository, or what has changed of it.", run_index)
    index.add_argument("path", nargs="?", type=Path, default=Path(), metavar="PATH")
    search = command("search", "Find APIs of a repository for a wish in words.", run_search)
    search.add_argument("wish", metavar="WISH", help="what you want to do")
    search.add_argument("--path", type=Path, default=Path(), help="the repository; default: here")
    search.add_argument("--limit", type=positive, default=5, metavar="N", help="at most so many")

    bench = command("bench", "Run a benchmark.", run_bench)
    benches = bench.add_subparsers(metavar="NAME", required=True, parser_class=OneLineParser)
    infilling = add_bench(benches, "infilling", "Fill in one line of a function.", infilling_bench)
    infilling.add_argument("--data", type=Path, metavar="PATH", required=True, help="the task file")
    infilling.add_argument("--peer", choices=("transformers",), help="run it on the same prompts")
    infilling.add_argument("--samples", type=Path, metavar="PATH", help="each outcome as JSONL")
    edits = add_replay(benches, "edits", "Edit a text under the cache.", edits_bench, GOES_ON)
    edits.add_argument("--peer", choices=("llama.cpp",), help="run it on the same prompts")
    edits.add_argument(
        "--context", type=positive, action="append", metavar="TOKENS", help="the largest prompt"
    )
    edits.add_argument("--arm", action="append", metavar="NAME", help="only this, beside 'full'")
    add_replay(benches, "cuts", "Go on from a cursor inside a token.", cuts_bench, GOES_ON)
    after_dots = "Complete after a dot, and look for names that are not there."
    dereference = add_replay(benches, "dereference", after_dots, dereference_bench, GOES_ON)
    packages = "environment with what the repositories import; default: Pirouette's own"
    dereference.add_argument("--environment", type=Path, metavar="PATH", help=packages)
    timing = "Time suggestions as an editor sees them."
    latency = add_replay(benches, "latency", timing, latency_bench, "each time taken as JSONL")
    latency.add_argument("--peer", choices=("llama.cpp",), help="run it on the same texts")
    latency.add_argument(
        "--without", choices=("monitors",), action="append", help="an arm without this as well"
    )

    doctor = command("doctor", "Say what works here, and mend what does not.", run_doctor)
    doctor.set_defaults(model=None)
    for parser_with_json in (complete, models, index, search, doctor):
        parser_with_json.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def run_serve(arguments: argparse.Namespace) -> int:
    from lsp_server.serve import serve

    return serve(tcp=arguments.tcp, model=arguments.model)


def run_complete(arguments: argparse.Namespace) -> int:
    from lsp_server.complete import complete_place, suggestion_json

    with ProgressBar() as progress:
        done = complete_place(arguments.place, arguments.model or DEFAULT_MODEL, progress)
    if arguments.json:
        print_json(suggestion_json(done))
    elif done.suggestion.text:
        print(done.suggestion.text)
    return 0 if done.suggestion.text else 1


def run_models(arguments: argparse.Namespace) -> int:
    from lsp_server.models_command import list_models, model_path, pull_model

    store = ModelStore(default_home())
    name = arguments.name or DEFAULT_MODEL
    if arguments.action == "list":
        if arguments.name:
            raise InputError("'pirouette models list' takes no name; leave it out")
        return list_models(store, as_json=arguments.json)
    if arguments.action == "path":
        return model_path(store, name, as_json=arguments.json)
    return pull_model(store, name, as_json=arguments.json)


def run_index(arguments: argparse.Namespace) -> int:
    from lsp_server.index_command import build_index

    return build_index(arguments.path, as_json=arguments.json)


def run_search(arguments: argparse.Namespace) -> int:
    from lsp_server.index_command import search_index

    return search_index(arguments.wish, arguments.path, arguments.limit, as_json=arguments.json)


def run_bench(arguments: argparse.Namespace) -> int:
    from evaluation.results import render_table, to_json
    from models.language_model import load_language_model

    name = arguments.model or DEFAULT_MODEL
    run: RunBench = arguments.bench
    with ProgressBar() as progress:

        def load() -> "LanguageModel":
            folder = ModelStore(default_home()).pull(name, progress)
            return load_language_model(name, folder, progress, exact=arguments.exact)

        result = run(arguments, load, progress)
    if arguments.json:
        print_json(to_json(result))
    else:
        Console().print(render_table(result))
    return 0


def infilling_bench(
    arguments: argparse.Namespace, load: "LoadModel", progress: ProgressCallback
) -> "BenchResult":
    from completion.pipeline import Completer
    from evaluation.benchmarks.infilling import InfillingOptions, run_infilling
    from evaluation.provenance import shown_command

    peers = (arguments.peer,) if arguments.peer else ()
    options = InfillingOptions(
        data=arguments.data,
        limit=arguments.limit,
        seed=arguments.seed,
        arms=("pirouette", *peers),
        samples=arguments.samples,
        command=shown_command(sys.argv[1:]),
    )
    return run_infilling(options, Completer(load()), progress)


def edits_bench(
    arguments: argparse.Namespace, load: "LoadModel", progress: ProgressCallback
) -> "BenchResult":
    from evaluation.benchmarks.edits import EditOptions, chosen_arms, run_edits
    from evaluation.provenance import shown_command

    store = ModelStore(default_home())
    peer = arguments.peer is not None
    chosen_arms(arguments.arm or ())
    options = EditOptions(
        limit=arguments.limit or EditOptions().limit,
        seed=arguments.seed,
        contexts=tuple(arguments.context or EditOptions().contexts),
        arms=tuple(arguments.arm or EditOptions().arms),
        samples=arguments.samples,
        llama_cpp=store.gguf(arguments.model or DEFAULT_MODEL, progress) if peer else None,
        command=shown_command(sys.argv[1:]),
    )
    return run_edits(options, load(), chosen_repositories(arguments, store, progress), progress)


def latency_bench(
    arguments: argparse.Namespace, load: "LoadModel", progress: ProgressCallback
) -> "BenchResult":
    from evaluation.benchmarks.latency import LatencyOptions, run_latency
    from evaluation.llama_cpp_peer import import_xllamacpp
    from evaluation.peer_quantisations import peer_files
    from evaluation.provenance import shown_command

    if arguments.exact:
        raise InputError("'bench latency' times the server as it is, in 8 bits; leave out --exact")
    store = ModelStore(default_home())
    repositories = chosen_repositories(arguments, store, progress)
    files = None
    if arguments.peer is not None:
        import_xllamacpp()
        source = store.gguf(arguments.model or DEFAULT_MODEL, progress)
        files = peer_files(source, store.home / "peers", progress)
    options = LatencyOptions(
        limit=arguments.limit or LatencyOptions().limit,
        seed=arguments.seed,
        peer_files=files,
        without=arguments.without or (),
        samples=arguments.samples,
        command=shown_command(sys.argv[1:]),
    )
    return run_latency(options, load(), repositories, progress)


def cuts_bench(
    arguments: argparse.Namespace, load: "LoadModel", progress: ProgressCallback
) -> "BenchResult":
    from evaluation.benchmarks.cuts import CutOptions, run_cuts
    from evaluation.provenance import shown_command

    store = ModelStore(default_home())
    options = CutOptions(
        limit=arguments.limit or CutOptions().limit,
        seed=arguments.seed,
        samples=arguments.samples,
        command=shown_command(sys.argv[1:]),
    )
    return run_cuts(options, load(), chosen_repositories(arguments, store, progress), progress)


def dereference_bench(
    arguments: argparse.Namespace, load: "LoadModel", progress: ProgressCallback
) -> "BenchResult":
    from evaluation.benchmarks.dereference import DereferenceOptions, run_dereference
    from evaluation.packages import DEVELOPMENT_PACKAGES, fetch_packages
    from evaluation.provenance import shown_command
    from evaluation.repositories import DEVELOPMENT
    from evaluation.type_check import require_checker

    require_checker()
    store = ModelStore(default_home())
    repositories = chosen_repositories(arguments, store, progress, DEVELOPMENT)
    environment: Path | None = arguments.environment
    if environment is None and not arguments.repositories:
        kept = store.home / "repositories"
        environment = fetch_packages(DEVELOPMENT_PACKAGES, kept, progress)
    elif environment is not None and not environment.is_dir():
        raise InputError(f"{environment} is not a folder; name the root of an environment")
    options = DereferenceOptions(
        limit=arguments.limit or DereferenceOptions().limit,
        seed=arguments.seed,
        environment=environment,
        samples=arguments.samples,
        command=shown_command(sys.argv[1:]),
    )
    return run_dereference(options, load(), repositories, progress)


def chosen_repositories(
    arguments: argparse.Namespace,
    store: ModelStore,
    progress: ProgressCallback,
    unnamed: "tuple[Release, ...] | None" = None,
) -> "list[Repository]":
    """The repositories that were named; where none was, `unnamed`, or all it has not seen."""
    from evaluation.repositories import UNSEEN, fetch_repositories, read_repository

    named = [read_repository(folder) for folder in arguments.repositories]
    return named or fetch_repositories(unnamed or UNSEEN, store.home / "repositories", progress)


def run_doctor(arguments: argparse.Namespace) -> int:
    from lsp_server.doctor import examine, print_findings

    findings = examine(default_home())
    if arguments.json:
        print_json({"findings": [finding.to_json() for finding in findings]})
    else:
        print_findings(findings)
    return 0 if all(finding.works for finding in findings) else 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    share_the_processor()
    try:
        arguments = build_parser().parse_args(argv)
        run: Command = arguments.run
        return run(arguments)
    except PirouetteError as error:
        print(f"pirouette: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        full = DiskSpaceError("the disk is full; free some space or move PIROUETTE_HOME")
        print(f"pirouette: {full}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("pirouette: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
