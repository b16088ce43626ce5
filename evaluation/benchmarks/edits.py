"""`pirouette bench edits`: how true the cache stays to edited text, and at what cost.

It replays edit cases and lets every arm bring the same cache to the last prompt. The first arm
recomputes everything; the others are compared with it and with the held-out line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from completion.decoding import Decoded, decode_greedily
from completion.edit_session import EditSession
from completion.prompt import PromptBuilder
from completion.repair import Repair
from completion.stop_rules import Stop
from completion.values import never_cancelled
from evaluation.edit_arms import ARMS, REPAIR_TOKENS, Corrected, corrected_by, divergence
from evaluation.edit_cases import EditCase, draw_cases
from evaluation.edit_results import KeptResults, Reached, rows_of
from evaluation.llama_cpp_peer import LlamaCppPeer
from evaluation.provenance import own_commit, this_machine
from evaluation.repositories import Repository
from evaluation.results import BenchResult
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import Progress, ProgressCallback

LINE_TOKENS = 32


@dataclass(frozen=True, slots=True)
class EditOptions:
    """How many cases, drawn with which seed, at which prompt sizes in tokens.

    `llama_cpp` is the GGUF file that llama.cpp's server runs on the same prompts. `samples` names
    a JSON-lines file for every result, from which a run that was cut off goes on.
    """

    limit: int = 208
    seed: int = 0
    contexts: tuple[int, ...] = (1024,)
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
    reached: list[Reached] = []
    arms = [*ARMS, *(["llama.cpp"] if options.llama_cpp else [])]
    kept = KeptResults(options.samples, f"{model.name}, {', '.join(arms)}, commit {own_commit()}")
    replays = [
        (case, builder)
        for builder in (PromptBuilder.for_model(model, size) for size in options.contexts)
        for case in draw_cases(repositories, options.limit, options.seed, changes(builder))
    ]
    if not replays:
        raise InputError("no edit could be drawn from these repositories; name larger ones")
    peer: LlamaCppPeer | None = None
    if options.llama_cpp is not None:
        peer = LlamaCppPeer(options.llama_cpp, max(options.contexts) + 2 * LINE_TOKENS)
    for done, (case, builder) in enumerate(replays):
        progress(Progress("edits", done, len(replays)))
        found = kept.find(case, builder.budget)
        if found is None:
            found = replay(case, model, builder)
            if peer is not None:
                found.append(replay_by_peer(case, peer, builder, found[0]))
            kept.add(case, builder.budget, found)
        reached += found
    progress(Progress("edits", len(replays), len(replays)))
    return BenchResult(
        bench="edits",
        commit=own_commit(),
        machine=this_machine(),
        command=options.command,
        seed=options.seed,
        rows=tuple(rows_of(reached, options.seed)),
    )


def changes(builder: PromptBuilder) -> Callable[[EditCase], bool]:
    """Whether the model gets to see an edit, which may lie outside of what it reads."""

    def useful(case: EditCase) -> bool:
        first, second = (builder.build(request).tokens for request in case.requests[-2:])
        return first != second and len(second) >= builder.budget // 4

    return useful


def replay(case: EditCase, model: LanguageModel, builder: PromptBuilder) -> list[Reached]:
    """All own arms on one case, each from its own copy of the same cache."""
    prompts = [builder.build(request) for request in case.requests]
    before = EditSession(model.decoder, builder.budget + LINE_TOKENS)
    for prompt in prompts[:-1]:
        before.read(prompt, Repair(REPAIR_TOKENS), never_cancelled)
    reached: list[Reached] = []
    exact: Corrected | None = None
    exact_line = Decoded("", (), "none")
    for name, arm in ARMS.items():
        corrected = corrected_by(arm, before, prompts[-1])
        line = first_line(model, builder, corrected, draft=exact_line.tokens)
        if exact is None:
            exact, exact_line = corrected, line
        reached.append(
            Reached(
                arm=name,
                kind=case.kind,
                context=builder.budget,
                prompt=len(prompts[-1].tokens),
                encoded=corrected.encoded,
                ms=corrected.ms,
                kl=divergence(exact.logits, corrected.logits),
                top1=bool(exact.logits.argmax() == corrected.logits.argmax()),
                same_line=line.text == exact_line.text,
                line=line.text,
                truth=case.truth,
            )
        )
    return reached


def replay_by_peer(
    case: EditCase, peer: LlamaCppPeer, builder: PromptBuilder, exact: Reached
) -> Reached:
    """The same requests, each sent to the server; the last is compared with ours."""
    prompts = [builder.build(request).tokens for request in case.requests]
    for prompt in prompts[:-1]:
        peer.complete(prompt, tokens=1)
    served = peer.complete(prompts[-1], tokens=LINE_TOKENS)
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


def first_line(
    model: LanguageModel, builder: PromptBuilder, corrected: Corrected, draft: Sequence[int]
) -> Decoded:
    """The line that is written on from a corrected cache, quickly if it is the draft."""
    return decode_greedily(
        model,
        corrected.session.cache,
        corrected.logits,
        end_tokens=builder.end_tokens,
        max_tokens=LINE_TOKENS,
        find_stop=end_of_line,
        cancelled=never_cancelled,
        draft=draft,
    )


def end_of_line(text: str) -> Stop | None:
    end = text.find("\n")
    return None if end < 0 else Stop("line", end, end + 1)
