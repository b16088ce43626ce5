"""The judge that the command line asks for (`lsp_server.arguments.add_judge`).

Without `--judge` there is none, and nothing is ever asked.
"""

import argparse
import os
import re
from collections.abc import Mapping

from evaluation.judges.endpoint import Endpoint, EndpointChat
from evaluation.judges.judge import Judge
from evaluation.judges.kept_answers import KeptAnswers
from evaluation.judges.local import LocalChat
from evaluation.judges.spending import Prices
from evaluation.judges.values import ChatModel
from lsp_server.arguments import LOCAL_JUDGE
from models.catalogue import PUBLISHED_MODEL
from models.errors import InputError
from models.language_model import load_language_model
from models.progress import ProgressCallback
from models.store import ModelStore, default_home

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def judge_of(
    arguments: argparse.Namespace,
    progress: ProgressCallback,
    environment: Mapping[str, str] = os.environ,
) -> Judge | None:
    """The judge, its model loaded where it is the local one; None where none is asked for.

    Raises `InputError` where the options do not go together.
    """
    if arguments.judge is None:
        refuse_without_judge(arguments)
        return None
    chat = chosen_chat(arguments, progress, environment)
    folder = arguments.judge_cache or default_home() / "judge"
    prices = Prices(*arguments.judge_prices) if arguments.judge_prices else None
    return Judge(
        chat,
        KeptAnswers(folder, chat.identity),
        steps=arguments.judge_steps,
        prices=prices,
        progress=progress,
    )


def chosen_chat(
    arguments: argparse.Namespace, progress: ProgressCallback, environment: Mapping[str, str]
) -> ChatModel:
    name: str | None = arguments.judge_model
    if arguments.judge != LOCAL_JUDGE:
        if name is None:
            raise InputError("an endpoint needs --judge-model NAME, as it is called there")
        return EndpointChat(
            Endpoint(
                url=arguments.judge,
                model=name,
                key=secret(arguments.judge_key_variable, environment),
                timeout=arguments.judge_timeout,
                alternatives=arguments.judge_alternatives,
            )
        )
    if arguments.judge_key_variable is not None:
        raise InputError("the local judge takes no key; leave out --judge-key-variable")
    name = name or PUBLISHED_MODEL  # the default model has forgotten to chat
    folder = ModelStore(default_home()).pull(name, progress)
    return LocalChat(load_language_model(name, folder, progress))


def refuse_without_judge(arguments: argparse.Namespace) -> None:
    for option in ("model", "key_variable", "steps", "prices", "cache"):
        if getattr(arguments, f"judge_{option}"):
            name = option.replace("_", "-")
            raise InputError(f"--judge-{name} needs --judge {LOCAL_JUDGE} or --judge URL")


def secret(variable: str | None, environment: Mapping[str, str]) -> str:
    """The key in that variable, empty where none is named.

    No message repeats the name: it may be the key itself, given by mistake.
    """
    if variable is None:
        return ""
    if not VARIABLE.fullmatch(variable):
        raise InputError("--judge-key-variable takes the name of an environment variable, no key")
    key = environment.get(variable, "").strip()
    if not key:
        raise InputError(
            "the environment variable of --judge-key-variable is not set; export it first"
        )
    if not (key.isascii() and key.isprintable()):
        raise InputError("the judge's key has characters that no key has; set it again")
    return key
