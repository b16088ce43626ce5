"""Writing on from where a name that does not exist was written, as often as one is.

Its end has to be seen first. What stands before it stays in the cache; another name, that exists,
is put in its place, and the text goes on from there.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import accumulate

from torch import Tensor

from completion.covers import OpenEnd
from completion.decoded import LENGTH, TRUNK, WRONG, Branch, Decoded
from completion.monitors.watch import Watch
from completion.name_choice import SpelledPlace, choose_name, spell_names, worth_writing
from models.kv_cache import KeyValueCache
from models.language_model import LanguageModel


@dataclass(frozen=True, slots=True)
class Rewriter:
    """Of one request: `cache` holds its prompt in so many tokens, of which the `end` is open.

    `logits` are those [vocabulary] after a branch that begins what is written, `write` writes on
    from one.
    """

    model: LanguageModel
    watch: Watch
    cache: KeyValueCache
    prompt: int
    end: OpenEnd
    logits: Callable[[Branch], Tensor]
    write: Callable[[Branch], Decoded]

    def finish(self, decoded: Decoded) -> Decoded:
        """What was written first, and written on until nothing in it is wrong."""
        spell = self.model.tokenizer.spelled
        rewritten = spell(self.end.rewritten)
        while True:
            shown = len(rewritten) + len(decoded.text.encode())
            text = self.watch.line + spell(decoded.tokens)[:shown]
            wrong = self.watch.find_wrong(text, ended=decoded.stop not in (LENGTH, WRONG))
            if wrong is None:
                return decoded
            kept, place = self._before(decoded, wrong.before)
            names = worth_writing(wrong.existing, wrong.name)
            spellings = spell_names(self.model.tokenizer, names, place)
            logits = self.logits(kept)
            self.cache.truncate(self.prompt + len(kept.tokens))
            best = choose_name(
                self.model.decoder, self.cache, logits, spellings, wrong.name, self.watch.name_ends
            )
            if best is None:
                self.watch.settle(wrong, wrong.name)
                begun = Branch(decoded.tokens, decoded.log_probabilities[: len(decoded.tokens)])
            else:
                name, chosen = best
                self.watch.settle(wrong, name)
                begun = joined(kept, chosen)
            decoded = and_before(self.write(begun), decoded, passes=2 + bool(kept.tokens))

    def _before(self, decoded: Decoded, before: bytes) -> tuple[Branch, SpelledPlace]:
        """The tokens that stay where a name stands after the text `before`, and that place."""
        spell = self.model.tokenizer.spelled
        text = before[len(self.watch.line) :]
        ends = accumulate(len(self.model.tokenizer.token_bytes(token)) for token in decoded.tokens)
        if kept := sum(end <= len(text) for end in ends):
            branch = Branch(decoded.tokens[:kept], decoded.log_probabilities[:kept])
            return branch, SpelledPlace(text[len(spell(branch.tokens)) :])
        cursor = len(self.watch.line) + len(spell(self.end.rewritten))
        piece = self.end.piece + before[cursor:]
        return TRUNK, SpelledPlace(piece, self.end.settled, typed=max(0, cursor - len(before)))


def joined(first: Branch, then: Branch) -> Branch:
    return Branch(
        (*first.tokens, *then.tokens), (*first.log_probabilities, *then.log_probabilities)
    )


def and_before(decoded: Decoded, before: Decoded, passes: int) -> Decoded:
    """The same with what was done before that came to nothing, and so many passes between."""
    return replace(
        decoded,
        drafted=decoded.drafted + before.drafted,
        accepted=decoded.accepted + before.accepted,
        passes=decoded.passes + before.passes + passes,
    )
