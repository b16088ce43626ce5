"""The values of a judge: what it is given, what it says, and what passes between it and a model."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from evaluation.judges.spending import NOTHING_SPENT, Spent


class Aspect(Enum):
    """The one thing that code is rated on."""

    USEFULNESS = "usefulness"
    CORRECTNESS = "correctness"


@dataclass(frozen=True, slots=True)
class JudgeTask:
    """Code that was written for a problem, and a solution that is known to be right, if any."""

    problem: str
    code: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The rating of one task, from 0 to 4; both are None, and a `reason` told, where there is none.

    `expected` is the mean of the ratings under the model's own probabilities, the rating itself
    where it tells none.
    """

    rating: int | None
    expected: float | None
    reason: str = ""
    spent: Spent = NOTHING_SPENT


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; the role is `user` or `assistant`."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class RatingToken:
    """A token of an answer that is a rating alone, and how probable each rating was in its place.

    `odds` [5] are of the ratings from 0 on and do not add up to one, since other tokens were
    possible too.
    """

    rating: int
    odds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model wrote, its rating tokens in order, and the tokens that it counted.

    There are no rating tokens where it tells no probabilities, and no counts where it does not
    count.
    """

    text: str
    rating_tokens: tuple[RatingToken, ...] = ()
    prompt_tokens: int | None = None
    answer_tokens: int | None = None


class NoAnswer(Exception):
    """A model did not answer one conversation; `str(error)` says why."""


class ChatModel(Protocol):
    """What answers conversations.

    `name` is for people. `identity` differs wherever answers may differ, and holds no secret.
    """

    @property
    def name(self) -> str: ...

    @property
    def identity(self) -> str: ...

    @property
    def at_once(self) -> int:
        """How many threads may ask at a time."""

    def ask(self, conversation: tuple[Message, ...], limit: int) -> Answer:
        """The likeliest answer of at most `limit` tokens.

        Raises `NoAnswer` where this conversation has none, `InputError` where none will have one.
        """
