"""What is read along with a prompt's last token, since it is likely to be written.

A pass over one token takes as long as memory takes to give the weights; a few more tokens cost
little beside it. So the pass that reads the prompt reads on already: the stem of an open end that
is mostly gone on from, and drafts of what follows it, or follows the prompt where no stem does.
"""

from completion.covers import Stem
from completion.drafting.drafter import Fits, TreeDrafter
from completion.prompt import Prompt
from models.token_tree import TokenTree, merged
from models.tokenizer import CodeTokenizer


def tree_ahead(
    prompt: Prompt, tokenizer: CodeTokenizer, drafter: TreeDrafter, most: int
) -> TokenTree:
    """The expected stem and drafts after it, then drafts that need no stem; up to `most` tokens."""
    stems = [stem for stem in prompt.end.stems if stem == prompt.end.expected or not stem.tokens]
    likely: list[tuple[int, ...]] = []
    for stem in reversed(stems):
        before = (*prompt.tokens, *stem.tokens)
        draft = drafter.draft(before[:-1], before[-1], most, goes_on(stem, tokenizer))
        likely += [stem.tokens] if stem.tokens else []
        likely += [(*stem.tokens, *more) for _, *more in draft.tree.continuations if more]
    return merged(likely, most)[0]


def goes_on(stem: Stem, tokenizer: CodeTokenizer) -> Fits:
    """Whether a token begins with what a stem leaves open, and is longer."""

    def fits(token: int) -> bool:
        written = tokenizer.token_bytes(token)
        return written.startswith(stem.pending) and written != stem.pending

    return fits
