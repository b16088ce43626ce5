"""Monitors at work: a model that is sure of a wrong name, and the analyst that knows better."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from completion.alternatives import read_branch
from completion.covers import open_end, text_known
from completion.decoded import TRUNK, Branch, Decoded
from completion.decoding import decode_greedily
from completion.drafting.drafts import Drafter
from completion.monitors.monitors import Monitors
from completion.monitors.watch import NO_WATCH, Watch
from completion.pipeline import Completer, CompletionOptions
from completion.prompt import Prompt
from completion.second_thoughts import Rewriter
from completion.values import CompletionRequest, Suggestion, never_cancelled
from models.language_model import LanguageModel
from models.token_tree import NO_TREE, NOTHING_READ, ReadTree, TokenTree
from retrieval.analyst.questions import Analyst
from tests.unit.analysts import FrozenAnalyst, ScriptedAnalyst
from tests.unit.completion_helpers import at, load_tiny_model, scripted, write_model
from tests.unit.test_completion_decoding import RandomTrees


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


def watch_of(
    model: LanguageModel, analyst: Analyst, request: CompletionRequest, seconds: float = 5.0
) -> tuple[Prompt, Watch]:
    """A prompt of the text before the cursor alone, and who watches what follows it."""
    end = open_end(model.tokenizer, request.before)
    tokens = model.tokenizer.encode(request.before)
    prompt = Prompt(tokens[: len(tokens) - len(end.rewritten)], end=end)
    monitors = Monitors(model.tokenizer, analyst, seconds=seconds)
    known = text_known(model.tokenizer, request.before, end)
    return prompt, monitors.watch(request, request, known)


def write(model: LanguageModel, text: str, script: str, analyst: Analyst) -> tuple[str, Watch]:
    """What a model writes at the cursor that is sure of the script, and what becomes of it."""
    prompt, watch = watch_of(model, analyst, at(text))
    written = model.tokenizer.encode(at(text).before + script)[len(prompt.tokens) :]
    writer, _ = scripted(model, [*written, *model.end_tokens])
    decoded = decode(writer, prompt, watch, model.end_tokens, most=50)
    return decoded.text, watch


def decode(
    model: LanguageModel,
    prompt: Prompt,
    watch: Watch,
    end_tokens: frozenset[int] = frozenset(),
    most: int = 8,
    drafter: Drafter | None = None,
    ahead: TokenTree = NO_TREE,
) -> Decoded:
    cache = model.decoder.new_cache(150)
    start = len(prompt.tokens)
    hidden = model.decoder.encode(cache, cache.append(prompt.tokens), ahead=ahead)
    logits = model.decoder.logits(hidden[start - 1 :])

    def logits_after(branch: Branch) -> Tensor:
        if not branch.tokens:
            return logits[0]
        return read_branch(model.decoder, cache, start, branch)

    def write_after(branch: Branch, ahead: ReadTree = NOTHING_READ) -> Decoded:
        return decode_greedily(
            model,
            cache,
            logits_after(branch),
            end_tokens=end_tokens,
            max_tokens=most,
            find_stop=lambda text: None,
            cancelled=never_cancelled,
            end=prompt.end,
            drafter=drafter,
            branch=branch,
            ahead=ahead,
            watch=watch,
        )

    rewriter = Rewriter(model, watch, cache, start, prompt.end, logits_after, write_after)
    return rewriter.finish(write_after(TRUNK, ReadTree(ahead, logits[1:])))


def test_a_name_that_exists_is_written_as_it_would_be(model: LanguageModel) -> None:
    analyst = ScriptedAnalyst({"self.": "x y"})
    text, watch = write(model, "return self.▮\n", "x + 1", analyst)
    assert text == "x + 1"
    assert watch.counts.asked == 1
    assert watch.counts.unanswered == 0


def test_a_name_that_does_not_exist_gives_way_to_one_that_does(model: LanguageModel) -> None:
    text, watch = write(model, "return self.▮\n", "y + 1", ScriptedAnalyst({"self.": "x"}))
    assert text.startswith("x")
    assert "y" not in text.partition(" ")[0]
    assert watch.counts.taken_back == 1


def test_a_dot_that_is_written_is_asked_about_too(model: LanguageModel) -> None:
    analyst = ScriptedAnalyst({"self.": "x"})
    text, _ = write(model, "def f(self):\n    total = ▮\n", "self.y", analyst)
    assert text.startswith("self.x")
    assert analyst.asked[0] == "def f(self):\n    self."  # as anywhere on that line


def test_a_module_that_is_not_there_is_not_imported(model: LanguageModel) -> None:
    """The blank before it may be part of the token that names it."""
    analyst = ScriptedAnalyst({"import ": "first name"})
    for text, blank in (("x = 1\nimport ▮\n", ""), ("x = 1\nimport▮\n", " ")):
        assert not write(model, text, blank + "total", analyst)[0].strip().startswith("t")
        assert write(model, text, blank + "name", analyst)[0] == blank + "name"


def test_a_name_typed_in_part_is_gone_on_with(model: LanguageModel) -> None:
    text, _ = write(model, "return self.fi▮\n", "nal", ScriptedAnalyst({"self.": "first x"}))
    assert text.startswith("rst")


@pytest.mark.parametrize(
    ("text", "analyst"),
    [
        ("return self.▮\n", ScriptedAnalyst({})),
        ("return self.▮\n", ScriptedAnalyst({"self.": ""})),
        ("return self.▮\n", ScriptedAnalyst({"self.": "x"}, complete=False)),
        ("return self.na▮\n", ScriptedAnalyst({"self.": "x"})),
    ],
    ids=["no answer", "no names", "not all names", "none that begins so"],
)
def test_where_nothing_is_known_anything_may_follow(
    model: LanguageModel, text: str, analyst: ScriptedAnalyst
) -> None:
    assert write(model, text, "y + 1", analyst)[0] == "y + 1"


def test_an_answer_that_does_not_come_is_done_without(model: LanguageModel) -> None:
    """Waiting is for all questions of a request together."""
    prompt, watch = watch_of(model, FrozenAnalyst(), at("return self.▮\n"), seconds=0.05)
    del prompt
    logits = model.decoder.logits(model.decoder.forward([1], model.decoder.new_cache(4)))[0]
    for name in ("x", "y", "z"):
        written = model.tokenizer.encode(f"{name}.total(")
        assert not watch.is_wrong(written)
        assert watch.allowed(written, logits) is logits
    assert watch.counts.unanswered == watch.counts.asked == 4
    assert 50 <= watch.counts.waited_ms < 1000


def test_other_languages_are_not_watched(model: LanguageModel) -> None:
    request = replace(at("return self.▮\n"), language="rust")
    analyst = ScriptedAnalyst({})
    assert watch_of(model, analyst, request)[1] is NO_WATCH
    assert analyst.asked == []


def eight(
    model: LanguageModel, request: CompletionRequest, drafter: Drafter, ahead: TokenTree
) -> Decoded:
    """Eight tokens that a real decoder writes, watched."""
    prompt, watch = watch_of(model, ScriptedAnalyst({".": "x y first total name"}), request)
    return decode(model, prompt, watch, drafter=drafter, ahead=ahead)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32),
    text=st.sampled_from(["x\nself.▮", "x = self.na▮", "x = 1\n    ▮", "x\nprint(▮", "a.b.▮"]),
)
def test_drafts_change_nothing_that_is_watched(model: LanguageModel, seed: int, text: str) -> None:
    """Whatever is guessed, and whatever is read ahead."""
    request = at(text)
    alone = eight(model, request, Drafter(), NO_TREE)
    dot = model.tokenizer.encode(".")
    trees = RandomTrees(random.Random(seed), [*alone.tokens, *dot])
    drafted = eight(model, request, trees, trees.draft([], alone.tokens[0], 9).tree)
    assert drafted.tokens == alone.tokens
    assert drafted.log_probabilities == pytest.approx(alone.log_probabilities, abs=1e-4)


BASKET = """\
class Basket:
    def __init__(self):
        self.grand_total = 0

    def put_in(self, price):
        return self.▮
"""


STATEMENT = """\
class Basket:
    def __init__(self):
        self.items = []

    def put_in(self, price):
        self.▮

    def empty(self):
        self.items = []
"""


@pytest.mark.model
def test_a_statement_makes_an_attribute_or_reads_one_that_exists(
    default_model: LanguageModel,
) -> None:
    """What it names and then reads is taken back, where it does not exist."""
    options = CompletionOptions(context_tokens=128, max_tokens=12)
    alone = Completer(default_model, options).complete(at(STATEMENT)).text
    assert alone.startswith("items.append(")

    def watched(names: str) -> Suggestion:
        monitors = Monitors(default_model.tokenizer, ScriptedAnalyst({"self.": names}), seconds=5)
        return Completer(default_model, options, monitors=monitors).complete(at(STATEMENT))

    assert watched("items put_in").text == alone
    taken_back = watched("things put_in")
    assert taken_back.text.startswith(("things", "put_in"))
    assert taken_back.watched.taken_back == 1


@pytest.mark.model
def test_an_attribute_is_made_where_it_is_assigned(default_model: LanguageModel) -> None:
    text = "class Point:\n    def __init__(self, x, y):\n        self.▮\n"
    options = CompletionOptions(context_tokens=128, max_tokens=12)
    monitors = Monitors(default_model.tokenizer, ScriptedAnalyst({"self.": "z"}), seconds=5)
    suggestion = Completer(default_model, options, monitors=monitors).complete(at(text))
    assert suggestion.text.startswith("x = x")
    assert suggestion.watched.taken_back == 0


@pytest.mark.model
def test_the_real_model_names_what_exists(default_model: LanguageModel) -> None:
    """Alone it would name something else."""
    options = CompletionOptions(context_tokens=128, max_tokens=12)
    alone = Completer(default_model, options).complete(at(BASKET)).text
    names = "unlikely_total put_in __init__"
    assert not alone.startswith(tuple(names.split()))
    watched = Completer(
        default_model,
        options,
        monitors=Monitors(default_model.tokenizer, ScriptedAnalyst({"self.": names}), seconds=5),
    ).complete(at(BASKET))
    assert watched.text.startswith(tuple(names.split()))
    assert watched.watched.taken_back == 1
    assert watched.watched.unanswered == 0
