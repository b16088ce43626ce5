"""`pirouette bench edits`: how true the cache stays to edited text, and at what cost.

It replays edit cases and lets every arm bring the same cache to the last prompt. The first arm
recomputes everything; the others are compared with it and with the held-out line.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from completion.decoded import Decoded
from completion.decoding import decode_greedily
from completion.drafting.drafts import ExpectedText
from completion.edit_session import EditSession
from completion.prompt import Prompt, PromptBuilder
from completion.repair import EXACT
from completion.values import never_cancelled
from evaluation.agreement import end_of_line
from evaluation.edit_arms import (
    ARM_REPAIR,
    ARMS,
    FULL,
    Arm,
    Corrected,
    corrected_by,
    divergence,
)
from evaluation.edit_cases import KINDS, EditCase, draw_cases
from evaluation.edit_results import Reached, case_key, rows_of
from evaluation.kept_results import KeptResults
from evaluation.llama_cpp_peer import LlamaCppPeer
from evaluation.provenance import made_here, run_name
from evaluation.repositories import Repository
from evaluation.results import BenchResult
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import Progress, ProgressCallback

LINE_TOKENS = 32
FILLED = 0.75  # of the prompt's budget, at least, so that a prompt size means what it says
FEWEST_CHARACTERS = 3  # in a token of code, on average


@dataclass(frozen=True, slots=True)
class EditOptions:
    """How many cases, drawn with which seed, at which prompt sizes in tokens, for which arms
    and kinds of edits.

    `llama_cpp` is the GGUF file that llama.cpp's server runs on the same prompts. `samples` names
    a JSON-lines file for every result, from which a run that was cut off goes on.
    """

    limit: int = 208
    seed: int = 0
    contexts: tuple[int, ...] = (1024,)
    arms: tuple[str, ...] = tuple(ARMS)
    kinds: tuple[str, ...] = tuple(KINDS)
    llama_cpp: Path | None = None
    samples: Path | None = None
    command: str = "pirouette bench edits"


def run_edits(
    options: EditOptions,
    model: LanguageModel,
    repositories: Sequence[Repository],
    progress: ProgressCallback,
) -> BenchResult:
    """Replay the cases at every prompt size; progress counts cases."""
    arms = chosen_arms(options.arms)
    names = [*arms, *(["llama.cpp"] if options.llama_cpp else [])]
    kept = KeptResults(options.samples, run_name("edits", model, names), Reached)
    replays = [
        (case, replayer)
        for replayer in (Replayer(model, size, arms) for size in options.contexts)
        for case in replayer.draw(repositories, options)
    ]
    if not replays:
        raise InputError("no edit could be drawn from these repositories; name larger ones")
    reached: list[Reached] = []
    file, capacity = options.llama_cpp, max(options.contexts) + 2 * LINE_TOKENS
    with nullcontext() if file is None else closing(LlamaCppPeer(file, capacity)) as peer:
        for done, (case, replayer) in enumerate(replays):
            progress(Progress("edits", done, len(replays)))
            key = case_key(case, replayer.budget)
            found = kept.find(key)
            if found is None:
                found = replayer.replay(case)
                if peer is not None:
                    found.append(replayer.replay_by_peer(case, peer, found[0]))
                kept.add(key, found)
            reached += found
    progress(Progress("edits", len(replays), len(replays)))
    return made_here("edits", options.command, options.seed, rows_of(reached, options.seed))


def chosen_arms(names: Sequence[str]) -> dict[str, Arm]:
    """The named arms in their usual order; the first, which the others are compared with, always.

    Raises `InputError` for a name that no arm has.
    """
    for name in names:
        if name not in ARMS:
            raise InputError(f"there is no arm '{name}'; there are {', '.join(ARMS)}")
    return {name: arm for name, arm in ARMS.items() if name in {FULL, *names}}


def chosen_kinds(names: Sequence[str]) -> tuple[str, ...]:
    """The kinds of that name. Raises `InputError` for a name that none has."""
    for name in names:
        if name not in KINDS:
            raise InputError(f"there is no kind of edit '{name}'; there are {', '.join(KINDS)}")
    return tuple(names)


class Replayer:
    """Replays cases with one model and one prompt size."""

    def __init__(self, model: LanguageModel, budget: int, arms: Mapping[str, Arm]) -> None:
        self._model = model
        self._builder = PromptBuilder.for_model(model, budget)
        self._arms = arms

    @property
    def budget(self) -> int:
        return self._builder.budget

    def draw(self, repositories: Sequence[Repository], options: EditOptions) -> list[EditCase]:
        """Cases from files that are large enough for prompts of this size."""
        least = int(FEWEST_CHARACTERS * FILLED * self.budget)
        large = [repository.with_files_of(least) for repository in repositories]
        usable = [one for one in large if one.files]
        return draw_cases(usable, options.limit, options.seed, self._changes, options.kinds)

    def prompts(self, case: EditCase) -> list[Prompt]:
        """The prompt for each request of a case."""
        return self._builder.build_all(case.requests)

    def _changes(self, case: EditCase) -> bool:
        """Whether the model gets to see the edit, which may lie outside of what it reads."""
        first, second = (prompt.tokens for prompt in self.prompts(case)[-2:])
        return first != second and len(first) >= FILLED * self.budget

    def replay(self, case: EditCase) -> list[Reached]:
        """Every arm on one case, each from its own copy of the same cache."""
        *earlier, last = self.prompts(case)
        empty = EditSession(self._model.decoder, self.budget + LINE_TOKENS)
        exact = corrected_by(self._arms[FULL], empty, last)
        exact_line = self._first_line(last, exact, expected=())
        exact.session.cache.truncate(len(last.tokens))
        expected = self._first_choice(last, exact, exact_line.tokens)
        before = self._before(earlier, exact.session)
        reached: list[Reached] = []
        for name, arm in self._arms.items():
            corrected, line, scores = exact, exact_line, expected
            if name != FULL:
                corrected = corrected_by(arm, before, last)
                scores = self._first_choice(last, corrected, exact_line.tokens)
                line = self._first_line(last, corrected, expected=exact_line.tokens)
            reached.append(
                Reached(
                    arm=name,
                    kind=case.kind,
                    context=self.budget,
                    prompt=len(last.tokens),
                    encoded=corrected.encoded,
                    ms=corrected.ms,
                    kl=divergence(expected, scores),
                    top1=bool(expected.argmax() == scores.argmax()),
                    same_line=line.text == exact_line.text,
                    line=line.text,
                    truth=case.truth,
                )
            )
        return reached

    def replay_by_peer(self, case: EditCase, peer: LlamaCppPeer, exact: Reached) -> Reached:
        """The same requests, each sent to the server; the last is compared with ours."""
        *earlier, last = (prompt.whole for prompt in self.prompts(case))
        for prompt in earlier:
            peer.complete(prompt, tokens=1)
        served = peer.complete(last, tokens=LINE_TOKENS)
        return replace(
            exact,
            arm="llama.cpp",
            encoded=served.encoded,
            ms=served.ms,
            kl=None,
            top1=None,
            same_line=served.text == exact.line,
            line=served.text,
        )

    def _before(self, prompts: Sequence[Prompt], known: EditSession) -> EditSession:
        """A session as the requests before the edit leave it: exact at first, then repaired.

        It goes on from a known one, which saves reading what both begin with; all else that is
        known there is forgotten.
        """
        first, *others = prompts
        session = known.copy()
        session.read(first, EXACT, never_cancelled)
        session.cache.forget()
        for prompt in others:
            session.read(prompt, ARM_REPAIR, never_cancelled)
        return session

    def _first_choice(self, prompt: Prompt, corrected: Corrected, line: Sequence[int]) -> Tensor:
        """Logits of the tokens that may be the first to write more than is written again.

        `line` is what full recomputation wrote; its tokens that only write again are read before.
        """
        tokenizer, cache = self._model.tokenizer, corrected.session.cache
        pending, length = tokenizer.spelled(prompt.end.rewritten), cache.length
        logits = corrected.logits
        for token in line:
            written = tokenizer.token_bytes(token)
            if not pending or len(written) > len(pending):
                break
            pending = pending[len(written) :]
            logits = self._model.decoder.logits(self._model.decoder.forward([token], cache)[-1])
        cache.truncate(length)
        return logits[tokenizer.fitting(pending)] if pending else logits

    def _first_line(self, prompt: Prompt, corrected: Corrected, expected: Sequence[int]) -> Decoded:
        """The line that is written on from a corrected cache, quickly if it is the expected one."""
        return decode_greedily(
            self._model,
            corrected.session.cache,
            corrected.logits,
            end_tokens=self._builder.end_tokens,
            max_tokens=LINE_TOKENS,
            find_stop=end_of_line,
            cancelled=never_cancelled,
            end=prompt.end,
            drafter=ExpectedText(corrected.session.cache.length, expected),
        )
