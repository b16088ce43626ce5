"""What decoding comes to: tokens, why they ended, and the branches that were not taken."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Branch:
    """The tokens a text may begin with, not the likeliest ones, and how likely each was."""

    tokens: tuple[int, ...] = ()
    log_probabilities: tuple[float, ...] = ()

    @property
    def log_probability(self) -> float:
        """Of all its tokens together."""
        return sum(self.log_probabilities)


TRUNK = Branch()
LENGTH = "length"  # why decoding ended, perhaps within a name
WRONG = "wrong"  # why decoding ended behind a name that does not exist


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text up to where it was stopped, the tokens that were chosen, and why they ended.

    `drafted` tokens were guessed, `accepted` ones of these rightly, in so many `passes`; tokens of
    stems that were read are among them. `log_probabilities` are those of the tokens, and of the
    end where the model chose it, among what was allowed there; with drafts they differ by
    rounding, so that they do not count when two are compared, nor do the `branches` that were not
    taken.
    """

    text: str
    tokens: tuple[int, ...]
    stop: str
    drafted: int = 0
    accepted: int = 0
    passes: int = 0
    log_probabilities: tuple[float, ...] = field(default=(), compare=False)
    branches: tuple[Branch, ...] = field(default=(), compare=False)
