"""Calls of a search tool that a model writes into its text: `<API>query->answer</API>`.

Source: Zhang et al. 2023, "ToolCoder: Teach Code Generation Models to use API search tools", whose
models have learnt to write them. Where such a model has written a query, decoding pauses, the
tool's answer is put behind it, and decoding goes on from there; what is shown has no calls. How the
tool finds its answers is nothing to this module.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import accumulate, compress

from completion.covers import OpenEnd
from completion.decoded import Branch, Decoded
from completion.second_thoughts import and_before
from completion.stop_rules import Stop
from completion.values import CompletionRequest
from models.tokenizer import CodeTokenizer

BEGINS, ASKS, ENDS = "<API>", "->", "</API>"
ASKED = "asked"  # why decoding ended where a query waits for its answer
NO_CALL = "no call"  # why decoding ended before what was begun as a call and is none
MOST_CALLS = 3  # of one suggestion, that are answered
LONGEST_QUERY = 200  # characters
LONGEST_ANSWER = 100
LARGEST_CALL = 128  # tokens
CALL = re.compile(rf"{BEGINS}[^\n]*?{ASKS}.*?{ENDS}", re.DOTALL)
MARK = re.compile(rf"{BEGINS}|{ENDS}")
NAMED = re.compile(r"\w+\((.*)\)\Z")  # the tool's own name, in published models
AnswersQueries = Callable[[CompletionRequest, str], str]


@dataclass(slots=True)
class BetweenCalls:
    """The `rule` that ends a text, asked about what is shown of it. A query ends it too, unless
    where it ends is known as `answered`."""

    rule: Callable[[str], Stop | None]
    answered: set[int] = field(default_factory=set)

    def __call__(self, text: str) -> Stop | None:
        begun = call_begun(text)
        if begun is None:
            stop = self.rule(CALL.sub("", text))
            return None if stop is None else replace(stop, keep=place_in(text, stop.keep))
        asked = text.find(ASKS, begun)
        if asked < 0:
            is_none = len(text) - begun > LONGEST_QUERY or "\n" in text[begun:]
            return Stop(NO_CALL, begun, len(text)) if is_none else None
        end = asked + len(ASKS)
        if end in self.answered:
            return None
        if len(self.answered) == MOST_CALLS:
            return Stop(NO_CALL, begun, end)
        return Stop(ASKED, end, end)


@dataclass(frozen=True, slots=True)
class Caller:
    """Has the queries in what was written after a prompt answered, whose `end` is open.

    `write` goes on from a branch, with so many tokens more than it may write otherwise; `rule` is
    the one that it is ended by.
    """

    tokenizer: CodeTokenizer
    end: OpenEnd
    rule: BetweenCalls
    answer: Callable[[str], str]
    write: Callable[[Branch, int], Decoded]

    def finish(self, decoded: Decoded) -> Decoded:
        """What was written first, and written on until no query waits; without the calls."""
        in_calls = 0
        while decoded.stop == ASKED:
            begun = call_begun(decoded.text)
            assert begun is not None
            branch = self._answered(decoded, decoded.text[begun:])
            called = len(branch.tokens) - self._tokens_within(decoded, decoded.text[:begun])
            if called > LARGEST_CALL:
                decoded = replace(decoded, text=decoded.text[:begun], stop=NO_CALL)
                break
            in_calls += called
            self.rule.answered.add(len(decoded.text))
            decoded = and_before(self.write(branch, in_calls), decoded, passes=1)
        return self._shown(decoded)

    def _answered(self, decoded: Decoded, call: str) -> Branch:
        """What was written with the answer behind it; what a token has beyond the query is gone."""
        query = call.removeprefix(BEGINS).removesuffix(ASKS).strip()
        if named := NAMED.match(query):
            query = named[1]
        answer = " ".join(MARK.sub(" ", self.answer(query)).split())[:LONGEST_ANSWER]
        kept = self._tokens_within(decoded, decoded.text)
        read = self.tokenizer.spelled(decoded.tokens[:kept])
        left = self._spelled(decoded.text)[len(read) :].decode(errors="replace")
        more = self.tokenizer.encode(f"{left}{answer}{ENDS}")
        return Branch(
            (*decoded.tokens[:kept], *more),
            (*decoded.log_probabilities[:kept], *(0.0 for _ in more)),
        )

    def _shown(self, decoded: Decoded) -> Decoded:
        """The same without calls, and without what was begun as one."""
        calls = [call.span() for call in CALL.finditer(decoded.text)]
        begun = call_begun(decoded.text)
        if begun is not None:
            calls.append((begun, len(decoded.text)))
        if not calls:
            return decoded
        ends = list(accumulate(len(self.tokenizer.token_bytes(token)) for token in decoded.tokens))
        hidden = [[len(self._spelled(decoded.text[:place])) for place in call] for call in calls]
        shown = [
            all(end <= first or last <= start for first, last in hidden)
            for start, end in zip([0, *ends], ends, strict=False)
        ]
        probable = compress(decoded.log_probabilities, [*shown, True])  # the end's among them
        return replace(
            decoded,
            text=CALL.sub("", decoded.text[:begun]),
            tokens=tuple(compress(decoded.tokens, shown)),
            log_probabilities=tuple(probable),
            branches=(),
        )

    def _tokens_within(self, decoded: Decoded, text: str) -> int:
        """How many tokens write no more than the beginning `text` of what was written."""
        ends = accumulate(len(self.tokenizer.token_bytes(token)) for token in decoded.tokens)
        return sum(end <= len(self._spelled(text)) for end in ends)

    def _spelled(self, text: str) -> bytes:
        """What was written up to the end of a text, with what was open before it."""
        return self.tokenizer.spelled(self.end.rewritten) + text.encode()


def call_begun(text: str) -> int | None:
    """Where the call begins that a text ends in."""
    begun = text.rfind(BEGINS)
    return begun if begun >= 0 and ENDS not in text[begun:] else None


def place_in(text: str, shown: int) -> int:
    """Where that place of a text is, of which so much is shown before it."""
    for call in CALL.finditer(text):
        if call.start() >= shown:
            break
        shown += len(call[0])
    return shown
