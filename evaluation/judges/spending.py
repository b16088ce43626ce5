"""What judging has cost, in requests, tokens and money; nothing here knows what was asked."""

from collections.abc import Iterable
from dataclasses import dataclass

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """Of a million tokens read and written, in the currency of whoever pays."""

    prompt: float
    answer: float


@dataclass(frozen=True, slots=True)
class Spent:
    """Requests that were answered, how many of them did not count tokens, and the tokens of the
    others. Answers that were `kept` from before cost nothing."""

    requests: int = 0
    uncounted: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    kept: int = 0


NOTHING_SPENT = Spent()
ONE_KEPT = Spent(kept=1)


def request_of(prompt_tokens: int | None, answer_tokens: int | None) -> Spent:
    """One request, whose tokens may be unknown."""
    if prompt_tokens is None or answer_tokens is None:
        return Spent(requests=1, uncounted=1)
    return Spent(requests=1, prompt_tokens=prompt_tokens, answer_tokens=answer_tokens)


def added_up(parts: Iterable[Spent]) -> Spent:
    ones = list(parts)
    return Spent(
        requests=sum(one.requests for one in ones),
        uncounted=sum(one.uncounted for one in ones),
        prompt_tokens=sum(one.prompt_tokens for one in ones),
        answer_tokens=sum(one.answer_tokens for one in ones),
        kept=sum(one.kept for one in ones),
    )


def cost(spent: Spent, prices: Prices) -> float:
    """Of the tokens that were counted."""
    paid = spent.prompt_tokens * prices.prompt + spent.answer_tokens * prices.answer
    return paid / MILLION


def spent_line(spent: Spent, prices: Prices | None) -> str:
    """All of it in one line, with its cost where there are prices."""
    parts = [
        f"{spent.requests:,} requests",
        f"{spent.prompt_tokens:,} tokens read",
        f"{spent.answer_tokens:,} written",
        f"{spent.kept:,} answers kept from before",
    ]
    if spent.uncounted:
        parts.append(f"{spent.uncounted:,} requests did not count their tokens")
    if prices is not None:
        at_least = "at least " if spent.uncounted else ""
        parts.append(f"cost {at_least}{cost(spent, prices):.4f}")
    return ", ".join(parts)
