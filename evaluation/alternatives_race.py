"""How often the right line is among several suggestions, by how they are made, and what they cost.

From one prompt that was read: the likeliest line alone, branches of it
(`completion.alternatives`), and superposed drafts (`evaluation.superposed`).
"""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import mean, median
from time import perf_counter

from completion.alternatives import likeliest_branches, read_branch
from completion.decoded import TRUNK, Branch, Decoded
from completion.decoding import decode_greedily
from completion.drafting.drafter import TreeDrafter
from completion.edit_session import EditSession
from completion.prompt import Prompt, PromptBuilder
from completion.repair import EXACT
from completion.values import never_cancelled
from completion.writing import RUNNERS_UP, SPARE
from evaluation.agreement import LINE_TOKENS, end_of_line
from evaluation.confidence_samples import Point
from evaluation.results import Metric, Row, rate
from evaluation.superposed import NGrams, SuperposedDecoder, Superposition
from models.language_model import LanguageModel
from models.progress import Progress, ProgressCallback

LIKELIEST, BRANCHES, SUPERPOSED = "likeliest", "branches", "superposed"


@dataclass(frozen=True, slots=True)
class Lines:
    """What an arm wrote at a point, the likeliest first; its cost beyond the prompt's own pass."""

    arm: str
    right: tuple[bool, ...]
    passes: int
    seconds: float


class AlternativesRace:
    """Each arm writes up to `most` lines at each point. `seen` are n-grams by repository."""

    def __init__(
        self, model: LanguageModel, builder: PromptBuilder, most: int, seen: Mapping[str, NGrams]
    ) -> None:
        self._model = model
        self._builder = builder
        self._most = most
        self._seen = seen
        self._session = EditSession(model.decoder, builder.budget + 3 * LINE_TOKENS)
        self._drafter = TreeDrafter()
        self._superposed = SuperposedDecoder(model)

    def run(self, points: Sequence[Point], progress: ProgressCallback) -> list[Lines]:
        """All arms at all points; progress counts points."""
        lines: list[Lines] = []
        for number, point in enumerate(points):
            progress(Progress("alternatives", number, len(points)))
            lines += self._at(point)
        progress(Progress("alternatives", len(points), len(points)))
        return lines

    def _at(self, point: Point) -> Iterable[Lines]:
        prompt = self._builder.build(point.request)
        learn = self._drafter.look_up.add
        logits = self._session.read(prompt, EXACT, never_cancelled, learn).logits
        cache, end_tokens = self._session.cache, self._builder.end_tokens
        begun = len(prompt.tokens)

        def decode(branch: Branch = TRUNK, runners_up: int = 0) -> Decoded:
            decoder = self._model.decoder
            decoded = decode_greedily(
                self._model,
                cache,
                read_branch(decoder, cache, begun, branch) if branch.tokens else logits,
                end_tokens=end_tokens,
                max_tokens=LINE_TOKENS,
                find_stop=end_of_line,
                cancelled=never_cancelled,
                end=prompt.end,
                drafter=self._drafter,
                branch=branch,
                runners_up=runners_up,
            )
            learn([*prompt.tokens, *decoded.tokens], range(begun, begun + len(decoded.tokens)))
            return decoded

        def timed(arm: str, work: Callable[[], tuple[list[str], int]]) -> Lines:
            started = perf_counter()
            texts, passes = work()
            seconds = perf_counter() - started
            cache.truncate(begun)
            right = tuple(text.rstrip() == point.truth for text in texts)
            return Lines(arm, right, passes, seconds)

        def likeliest() -> tuple[list[str], int]:
            decoded = decode()
            return [decoded.text], decoded.passes

        first = decode(runners_up=max(RUNNERS_UP, self._most))
        cache.truncate(begun)

        def branches() -> tuple[list[str], int]:
            decoded = decode(runners_up=RUNNERS_UP)
            spell = self._model.tokenizer.token_bytes
            left = likeliest_branches(decoded, spell, end_tokens, self._most - 1 + SPARE)
            texts, passes = [decoded.text], decoded.passes
            found: list[tuple[float, str]] = []
            for branch in left:
                other = decode(branch)
                passes += 1 + other.passes
                found.append((branch.log_probability, other.text))
            texts += [text for _, text in sorted(found, reverse=True)]
            return list(dict.fromkeys(texts))[: self._most], passes

        def superposed() -> tuple[list[str], int]:
            return self._superpose(prompt, first, point.repository)

        return [
            timed(LIKELIEST, likeliest),
            timed(BRANCHES, branches),
            timed(SUPERPOSED, superposed),
        ]

    def _superpose(self, prompt: Prompt, first: Decoded, repository: str) -> tuple[list[str], int]:
        """Drafts that begin with the likeliest tokens after the stem of the likeliest line."""
        decoder, cache = self._model.decoder, self._session.cache
        tokenizer, end_tokens = self._model.tokenizer, self._builder.end_tokens
        rewritten = len(tokenizer.spelled(prompt.end.rewritten))
        stem = stem_of(first.tokens, tokenizer.token_bytes, rewritten)
        if len(stem) == len(first.tokens):
            return [first.text], 0
        starts = {first.tokens[: len(stem) + 1]: first.log_probabilities[len(stem)]}
        for branch in first.branches:
            if branch.tokens[:-1] == stem:
                starts.setdefault(branch.tokens, branch.log_probabilities[-1])
        likely = heapq.nlargest(self._most, starts.items(), key=lambda start: start[1])
        if stem:
            decoder.forward(stem, cache)
        in_prompt = NGrams()
        in_prompt.add(prompt.whole)
        before = self._superposed.passes
        drafts = self._superposed.lines(
            cache,
            [Superposition(tokens[-1:], known) for tokens, known in likely],
            [in_prompt, self._seen[repository]],
            end_tokens,
            LINE_TOKENS,
        )
        written = [[*stem, *(t for t in one.tokens if t not in end_tokens)] for one in drafts]
        texts = [tokenizer.spelled(tokens)[rewritten:] for tokens in written]
        lines = [text.decode(errors="replace").partition("\n")[0] for text in texts]
        return lines, self._superposed.passes - before


def stem_of(
    tokens: Sequence[int], token_bytes: Callable[[int], bytes], open_bytes: int
) -> tuple[int, ...]:
    """The first of `tokens`, which write no more than so many bytes."""
    lengths = accumulate(len(token_bytes(token)) for token in tokens)
    return tuple(tokens[: sum(length <= open_bytes for length in lengths)])


def alternatives_rows(lines: Sequence[Lines]) -> Iterable[Row]:
    """Each arm: how often its first line was right, how often any, and what that took."""
    for arm in (LIKELIEST, BRANCHES, SUPERPOSED):
        chosen = [one for one in lines if one.arm == arm]
        metrics = {
            "first_right": rate(one.right[0] for one in chosen),
            "any_right": rate(any(one.right) for one in chosen),
            "lines": Metric(mean(len(one.right) for one in chosen)),
            "passes": Metric(mean(one.passes for one in chosen)),
            "ms": Metric(1e3 * median(one.seconds for one in chosen)),
        }
        yield Row(arm, "all", len(chosen), metrics)
