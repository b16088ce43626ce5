"""The command line: what is asked, handed to the module that does it.

Exit status 0: done. 1: no suggestion, or nothing found. 2: the user can mend it; one line on
stderr says what and how. `--json` prints one JSON object on stdout; progress goes to stderr.
"""

import argparse
import errno
import importlib.util
import io
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from lsp_server.arguments import (
    OneLineParser,
    add_benches,
    add_evaluation,
    add_training,
    positive,
)
from lsp_server.console import ProgressBar, print_json
from models.catalogue import DEFAULT_MODEL
from models.errors import DiskSpaceError, InputError, PirouetteError
from models.processor import share_the_processor
from models.store import ModelStore, default_home

Command = Callable[[argparse.Namespace], int]


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
            added.add_argument(
                "--adapter", type=Path, metavar="FOLDER", help="what 'pirouette train' has made"
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
    index.add_argument(
        "--no-vectors", action="store_true", help="what searching by meaning needs is left out"
    )
    index.add_argument(
        "--environment", type=Path, metavar="PATH", help="where the imported packages are"
    )
    model = "folder of a sentence-transformers model; default: the one that the index has"
    index.add_argument("--embedding", default="", metavar="PATH", help=model)
    search = command(
        "search", "Find APIs of a repository for a wish in words.", run_search, takes_model=True
    )
    search.add_argument("wish", metavar="WISH", help="what you want to do")
    searched = search.add_mutually_exclusive_group()
    searched.add_argument("--path", type=Path, default=Path(), help="the repository; default: here")
    searched.add_argument("--package", metavar="NAME", help="what an installed package offers")
    search.add_argument(
        "--environment", type=Path, metavar="PATH", help="where that package is installed"
    )
    search.add_argument("--embedding", default="", metavar="PATH", help=model)
    search.add_argument("--limit", type=positive, default=5, metavar="N", help="at most so many")
    search.add_argument(
        "--rerank", action="store_true", help="have that model read what is found, and order it"
    )

    add_training(command("train", "Adapt a model to your code.", run_train))
    told = "Say how good completion is in a repository, and what each part contributes."
    evaluation = command("eval", told, run_eval, takes_model=True)
    add_evaluation(evaluation)
    add_benches(command("bench", "Run a benchmark.", run_bench))
    doctor = command("doctor", "Say what works here, and mend what does not.", run_doctor)
    doctor.set_defaults(model=None)
    for parser_with_json in (complete, models, index, search, evaluation, doctor):
        parser_with_json.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def run_serve(arguments: argparse.Namespace) -> int:
    from lsp_server.serve import serve

    chosen = {"model": arguments.model, "adapter": arguments.adapter}
    given = {name: str(value) for name, value in chosen.items() if value is not None}
    return serve(tcp=arguments.tcp, chosen=given)


def run_complete(arguments: argparse.Namespace) -> int:
    from lsp_server.complete import complete_place, suggestion_json

    with ProgressBar() as progress:
        model = arguments.model or DEFAULT_MODEL
        done = complete_place(arguments.place, model, arguments.adapter, progress)
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

    vectors = not arguments.no_vectors
    environment: Path | None = arguments.environment
    return build_index(
        arguments.path,
        environment,
        arguments.embedding,
        vectors=vectors,
        as_json=arguments.json,
    )


def run_search(arguments: argparse.Namespace) -> int:
    from lsp_server.search_command import SearchOptions, search_index, search_package

    wish, model, adapter = arguments.wish, arguments.model, arguments.adapter
    if not arguments.rerank and (model is not None or adapter is not None):
        raise InputError("--model and --adapter are for --rerank; add it, or leave them out")
    options = SearchOptions(
        limit=arguments.limit,
        as_json=arguments.json,
        rerank=(model or DEFAULT_MODEL) if arguments.rerank else None,
        adapter=adapter,
    )
    if arguments.package is None:
        embedding: str = arguments.embedding
        return search_index(wish, arguments.path, embedding, options)
    environment: Path | None = arguments.environment
    return search_package(wish, arguments.package, environment, options)


def run_train(arguments: argparse.Namespace) -> int:
    from lsp_server.train_command import train_types

    return train_types(arguments)


def run_eval(arguments: argparse.Namespace) -> int:
    require_extra("evaluation", ("basedpyright", "jinja2", "matplotlib"))
    from lsp_server.eval_command import run_eval

    return run_eval(arguments)


def require_extra(extra: str, modules: Sequence[str]) -> None:
    """Raise `InputError` where what a command needs beside the editor's packages is not there."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            f"this needs {', '.join(missing)}; run: pip install 'pirouette-lsp[{extra}]'"
        )


def run_bench(arguments: argparse.Namespace) -> int:
    from lsp_server.bench_command import run_bench

    return run_bench(arguments)


def run_doctor(arguments: argparse.Namespace) -> int:
    from lsp_server.doctor import examine, print_findings

    findings = examine(default_home())
    if arguments.json:
        print_json({"findings": [finding.to_json() for finding in findings]})
    else:
        print_findings(findings)
    return 0 if all(finding.works for finding in findings) else 1


@contextmanager
def termination_as_interruption() -> Iterator[None]:
    """What ends a command politely ends it as Ctrl-C does: with its scratch folders put away.

    The server needs none of that, and ends at once (see `lsp_server.serve.leave`).
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    share_the_processor()
    for stream in (sys.stdout, sys.stderr):  # a terminal may not know every character
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        arguments = build_parser().parse_args(argv)
        run: Command = arguments.run
        if run is run_serve:
            return run(arguments)
        with termination_as_interruption():
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
