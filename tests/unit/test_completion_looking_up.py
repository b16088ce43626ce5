"""When something is looked up before a suggestion that was asked for by hand."""

import pytest

from completion.looking_up import is_unsure
from completion.pipeline import Completer, CompletionOptions
from completion.values import CancelCheck, CompletionRequest, Suggestion, WatchCounts
from models.language_model import LanguageModel
from retrieval.related.related_code import RelatedCode
from retrieval.related.similar_code import CodeBlock
from tests.unit.completion_helpers import at


@pytest.mark.parametrize(
    ("text", "confidence", "taken_back", "unsure"),
    [
        ("box.drop(letter)", 0.2, 0, True),
        (" send(letter)", 0.2, 0, True),
        ("drop(letter)", 0.8, 0, False),
        ("drop(letter)", 0.8, 1, True),
        ("letter + 1", 0.2, 0, False),
        ("\n    x = 1\n    drop(letter)", 0.2, 0, False),
        ("", 0.0, 0, False),
    ],
)
def test_a_model_is_unsure_of_what_it_calls(
    text: str, confidence: float, taken_back: int, *, unsure: bool
) -> None:
    watched = WatchCounts(taken_back=taken_back)
    made = Suggestion(text, "m", "end", confidence=confidence, watched=watched)
    assert is_unsure(made) is unsure


DOCS = CodeBlock(
    "plumbing/pipes.pyi",
    1,
    "class Pipe:\n"
    "    def fork_into(self, count: int) -> list[Pipe]:\n"
    '        """Makes several pipes of one.\n'
    "        >>> left, right = pipe.fork_into(2)\n"
    '        """\n',
)
WISH = at("from plumbing import Pipe\n\npipe = Pipe(3)\n# split the pipe in two\nleft, right = ▮\n")


class Library:
    """Finds these docs, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def related(self, request: CompletionRequest, _: CancelCheck) -> RelatedCode:
        self.asked += 1
        return RelatedCode("house", request.path or "main.py", (DOCS,))


@pytest.mark.model
def test_the_real_model_looks_up_what_it_does_not_know(default_model: LanguageModel) -> None:
    library = Library()
    options = CompletionOptions(context_tokens=256, max_tokens=16)
    completer = Completer(default_model, options, related=library)
    assert "fork_into" not in completer.complete(WISH).text
    assert library.asked == 0  # whoever types does not wait for it
    again = completer.with_parts()
    first, *others = again.complete_by_hand(WISH, 2)
    assert first.text.strip() == "pipe.fork_into(2)"
    assert first.tokens.encoded <= 3
    assert len(others) == 1
    known = again.complete_by_hand(WISH, 2)
    assert [one.text for one in known] == [first.text, others[0].text]
    assert known[0].tokens.encoded == 0
    assert library.asked == 1
