"""A model that asks a search tool in its text: it is answered, and nobody sees that it asked."""

from pathlib import Path

import pytest

from completion.api_calls import (
    ASKED,
    LARGEST_CALL,
    LONGEST_QUERY,
    MOST_CALLS,
    NO_CALL,
    BetweenCalls,
)
from completion.pipeline import Completer, CompletionOptions
from completion.prompt import PromptBuilder
from completion.stop_rules import Stop, first_line_only
from completion.values import CompletionRequest
from lsp_server.server import load_completer
from lsp_server.settings import Settings
from lsp_server.workspace_code import WorkspaceCode
from models.language_model import LanguageModel
from models.progress import ignore_progress
from models.store import ModelStore, default_home
from retrieval.workspace_files import WorkspaceFiles
from tests.unit.completion_helpers import (
    ScriptedDecoder,
    at,
    load_tiny_model,
    scripted,
    write_model,
)

PLACE = "left, right = ▮\n"
QUERY = "pipe.<API>split in two->"
MOST_WRITTEN = 64


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


class Tool:
    """Gives one answer after the other, and keeps what it is asked."""

    def __init__(self, *answers: str) -> None:
        self._answers = iter(answers)
        self.asked: list[str] = []

    def __call__(self, request: CompletionRequest, query: str) -> str:
        assert request.path == "file.py"
        self.asked.append(query)
        return next(self._answers)


def asking(
    model: LanguageModel, tool: Tool | None, *written: str
) -> tuple[Completer, ScriptedDecoder]:
    """A completer whose model writes the first text, and one more behind each answer."""
    end = PromptBuilder.for_model(model, 200).build(at(PLACE)).end
    first, *others = written
    script = model.tokenizer.encode(end.piece.decode() + first)[len(end.settled) :]
    texts = [script, *map(model.tokenizer.encode, others)]
    stop = next(iter(model.end_tokens))
    found, decoder = scripted(model, *([*text, stop] for text in texts))
    options = CompletionOptions(context_tokens=200, max_tokens=MOST_WRITTEN)
    return Completer(found, options, answers=tool), decoder


def has_read(decoder: ScriptedDecoder, model: LanguageModel, *texts: str) -> bool:
    """Whether it has read the tokens of these texts, and of nothing else, in one pass."""
    return [token for text in texts for token in model.tokenizer.encode(text)] in decoder.read


def test_a_query_is_answered_and_not_shown(model: LanguageModel) -> None:
    tool = Tool("Pipe.fork_into")
    completer, decoder = asking(model, tool, f"{QUERY} and more", "fork_into(2)")
    suggestion = completer.complete(at(PLACE))
    assert (suggestion.text, suggestion.stop) == ("pipe.fork_into(2)", "end")
    assert tool.asked == ["split in two"]
    assert has_read(decoder, model, ">", "Pipe.fork_into</API>")
    written = len(model.tokenizer.encode(" pipe.")) + len(model.tokenizer.encode("fork_into(2)"))
    assert abs(suggestion.tokens.generated - written) <= 1
    assert suggestion.confidence > 0


def test_a_model_that_has_not_learnt_to_ask_writes_text(model: LanguageModel) -> None:
    completer, _ = asking(model, None, QUERY)
    assert completer.complete(at(PLACE)).text == QUERY


def test_marks_that_ask_nothing_are_text(model: LanguageModel) -> None:
    text = "tag('<API>', '</API>')"
    completer, _ = asking(model, Tool(), text)
    assert completer.complete(at(PLACE)).text.endswith(text)


def test_several_queries_are_answered_and_no_more_than_so_many(model: LanguageModel) -> None:
    answers = [f"api_{number}" for number in range(MOST_CALLS)]
    tool = Tool(*answers)
    texts = [f"f{number}(<API>APISearch(query {number})->" for number in range(MOST_CALLS + 1)]
    completer, _ = asking(model, tool, *texts)
    suggestion = completer.complete(at(PLACE))
    assert tool.asked == [f"query {number}" for number in range(MOST_CALLS)]
    assert (suggestion.text, suggestion.stop) == ("f0(f1(f2(f3(", NO_CALL)


def test_what_calls_take_is_not_taken_from_the_suggestion(model: LanguageModel) -> None:
    rest = "x" * (MOST_WRITTEN - 10)
    completer, _ = asking(model, Tool("fork"), QUERY, f"{rest}\nmore")
    suggestion = completer.complete(at(PLACE))
    assert suggestion.text == f"pipe.{rest}"


@pytest.mark.parametrize(
    ("answer", "put"),
    [
        ("", "</API>"),
        (" fork\n</API>into ", "fork into</API>"),
    ],
)
def test_no_answer_ends_its_call_early(model: LanguageModel, answer: str, put: str) -> None:
    completer, decoder = asking(model, Tool(answer), QUERY, "fork(2)")
    assert completer.complete(at(PLACE)).text == "pipe.fork(2)"
    assert has_read(decoder, model, ">", put)


def test_a_call_that_is_too_long_is_none(model: LanguageModel) -> None:
    long = "ĵ" * 90  # each of two tokens
    assert 2 * len(long) > LARGEST_CALL
    suggestion = asking(model, Tool(long), QUERY, "fork(2)")[0].complete(at(PLACE))
    assert (suggestion.text, suggestion.stop) == ("pipe.", NO_CALL)


@pytest.mark.parametrize(
    ("text", "shown"), [("pipe.<API>split", "pipe."), ("pipe.<API>split\nmore", "pipe.")]
)
def test_what_is_begun_as_a_call_is_not_shown(model: LanguageModel, text: str, shown: str) -> None:
    tool = Tool()
    suggestion = asking(model, tool, text)[0].complete(at(PLACE))
    assert suggestion.text == shown
    assert tool.asked == []


def test_other_suggestions_ask_as_well(model: LanguageModel) -> None:
    completer, _ = asking(model, Tool("fork"), QUERY, "fork(2)")
    assert [one.text for one in completer.complete_several(at(PLACE), 3)] == ["pipe.fork(2)"]


def test_rules_judge_what_is_shown() -> None:
    seen: list[str] = []

    def rule(text: str) -> Stop | None:
        seen.append(text)
        return first_line_only(text)

    between = BetweenCalls(rule)
    assert between("a<API>q->") == Stop(ASKED, 9, 9)
    between.answered.add(9)
    assert between("a<API>q->b") is None
    assert between("a<API>q->b</API>c") is None
    assert between("a<API>q->b</API>c\nd") == Stop("line", 17, 3)
    assert between("a\n<API>q->b</API>c") == Stop("line", 1, 2)
    assert seen == ["ac", "ac\nd", "a\nc"]
    assert between("<API>" + "q" * LONGEST_QUERY) == Stop(NO_CALL, 0, LONGEST_QUERY + 5)


@pytest.mark.model
def test_a_token_that_goes_on_behind_the_query_is_taken_back(default_model: LanguageModel) -> None:
    query = default_model.tokenizer.encode("pipe.<API>split->{")
    assert default_model.tokenizer.token_bytes(query[-1]) == b"->{"
    completer, decoder = asking(default_model, Tool("fork"), "pipe.<API>split->{}", "fork(2)")
    assert completer.complete(at(PLACE)).text == "pipe.fork(2)"
    assert has_read(decoder, default_model, "->fork</API>")


@pytest.mark.model
def test_the_setting_gives_the_model_its_tool() -> None:
    code, store = WorkspaceCode(WorkspaceFiles(())), ModelStore(default_home())
    for settings, answers in ((Settings(api_calls=True), code.api_for), (Settings(), None)):
        made = load_completer(store, settings, ignore_progress, lambda _: None, code)
        assert made.answers == answers
