"""What is read along with a prompt's last token, since it is likely to be written.

A pass over one token takes as long as memory takes to give the weights; a few more tokens cost
little beside it. So the pass that reads the prompt reads on already: the stem of an open end that
is mostly gone on from, and drafts of what follows it, or follows the prompt where no stem does.
"""

from collections.abc import Sequence

from completion.drafting.drafter import TreeDrafter
from completion.drafting.guesses import Guess
from completion.prompt import Prompt
from models.token_tree import TokenTree
from models.tokenizer import CodeTokenizer

EXPECTED = (0.5, 0.95)  # how often a stem is right, and its next token where the first one is


class ExpectedStem:
    """A source of guesses that says a stem, right after the prompt."""

    def __init__(self, prompt: Prompt) -> None:
        self._last = prompt.tokens[-1]
        self._tokens = prompt.end.expected.tokens

    def guesses(self, before: Sequence[int]) -> list[Guess]:
        for place, token in enumerate(self._tokens):
            if tuple(before[-place - 1 :]) == (self._last, *self._tokens[:place]):
                return [Guess(token, f"stem {place > 0}", EXPECTED[place > 0])]
        return []


def tree_ahead(
    prompt: Prompt, tokenizer: CodeTokenizer, drafter: TreeDrafter, most: int
) -> TokenTree:
    """Up to `most` tokens that may follow the prompt, all ways agreeing with the open end."""
    text = tokenizer.spelled(prompt.end.rewritten)

    def agrees(way: Sequence[int]) -> bool:
        written = tokenizer.spelled(way)
        return written.startswith(text) or text.startswith(written)

    *before, last = prompt.tokens
    draft = drafter.draft(before, last, most + 1, [ExpectedStem(prompt)], agrees)
    _, *tokens = draft.tree.tokens
    return TokenTree(tokens, [parent - 1 for parent in draft.tree.parents[1:]])
