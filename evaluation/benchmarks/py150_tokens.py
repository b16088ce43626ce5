"""`pirouette bench py150` for whole files: which of their tokens the model would have written next.

CodeXGLUE's completion of tokens (microsoft/CodeXGLUE, `Code-Code/CodeCompletion-token`,
`code/run_lm.py`, `eval_acc`): the true text is read in blocks of 1,024 of the model's tokens, each
of which begins without what stands before it. A token of Python is right if the model's likeliest
ones, each after the true ones, write it. `<s>`, `</s>` and `<EOL>` are not counted. It owns how one
file is read; the files are those of `evaluation.loaders.py150`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from evaluation.benchmarks.published import PIROUETTE, PublishedOptions
from evaluation.intervals import bootstrap_mean
from evaluation.kept_results import KeptResults
from evaluation.loaders.py150 import FILE_MARKS, LINE_END_MARK, read_files, with_literals
from evaluation.provenance import made_here, run_name
from evaluation.published_results import ALL
from evaluation.results import BenchResult, Metric, Row, metric, require_writable
from evaluation.tasks import drawn
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import Progress, ProgressCallback

BENCH = "py150"
BLOCK = 1024  # tokens of the model, as published
AT_ONCE = 128  # of them


@dataclass(frozen=True, slots=True)
class FileScore:
    """A file, by its number, how many tokens of Python it has, and how many of them were right."""

    file: int
    tokens: int
    right: int


def run_py150_tokens(
    options: PublishedOptions, load: Callable[[], LanguageModel], progress: ProgressCallback
) -> BenchResult:
    """Read every file, or as many as the limit says; progress counts files.

    Raises `InputError` for data and options that cannot be used, before the model is loaded.
    """
    if options.endpoint is not None or options.transformers:
        raise InputError(
            "only Pirouette's own engine is asked for every token of a file; "
            "leave out --engine and --peer, or name test.json"
        )
    files = [*enumerate(read_files(options.data))]
    chosen = drawn(files, len(files) if options.limit is None else options.limit, options.seed)
    if options.samples is not None:
        require_writable(options.samples)
    model = load()
    kept = KeptResults(options.samples, run_name(f"{BENCH} tokens", model, [PIROUETTE]), FileScore)
    scores: list[FileScore] = []
    for done, (number, tokens) in enumerate(chosen):
        progress(Progress(BENCH, done, len(chosen)))
        scores += kept.get(str(number), partial(scores_of, model, number, tokens))
    progress(Progress(BENCH, len(chosen), len(chosen)))
    row = Row(PIROUETTE, ALL, len(scores), {"accuracy": accuracy(scores, options.seed)})
    return made_here(BENCH, options.command, options.seed, [row])


def scores_of(model: LanguageModel, number: int, tokens: Sequence[str]) -> Iterator[FileScore]:
    text, places = laid_out(tokens)
    encoding = model.tokenizer.encode_with_offsets(text)
    likeliest = likeliest_tokens(model, encoding.tokens)
    right, piece = 0, 0
    for start, end in places:
        while encoding.offsets[piece][1] <= start:
            piece += 1
        last = piece
        while last < len(likeliest) and encoding.offsets[last][0] < end:
            last += 1
        written = model.tokenizer.decode(likeliest[piece:last])
        truth = text[start:end]
        right += written.strip() == truth or written.split()[:1] == [truth]
    yield FileScore(number, len(places), right)


def laid_out(tokens: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """The text of a file's tokens, and where each that counts stands in it; one that stands for
    nothing cannot be written, and does not."""
    text, places = "", []
    for token in tokens:
        if token in FILE_MARKS:
            continue
        if token == LINE_END_MARK:
            text += "\n"
            continue
        if not (plain := with_literals(token)):
            continue
        if text and not text.endswith("\n"):
            text += " "
        places.append((len(text), len(text) + len(plain)))
        text += plain
    return text, places


def likeliest_tokens(model: LanguageModel, tokens: Sequence[int]) -> list[int]:
    """For each token the likeliest one after the true ones before it in its block; before the
    first, a line has ended."""
    found: list[int] = []
    begin = [*model.tokenizer.start_tokens, *model.tokenizer.encode("\n")]
    for start in range(0, len(tokens), BLOCK):
        block = tokens[start : start + BLOCK]
        read = [*begin, *block[:-1]]
        cache = model.decoder.new_cache(len(read))
        likeliest: list[int] = []
        for part in range(0, len(read), AT_ONCE):
            hidden = model.decoder.forward(read[part : part + AT_ONCE], cache)
            likeliest += model.decoder.logits(hidden).argmax(dim=-1).tolist()
        found += likeliest[len(begin) - 1 :]
    return found


def accuracy(scores: Sequence[FileScore], seed: int) -> Metric:
    """The share of all files' tokens that were right.

    Files are drawn, and tokens of one file have much in common, so the interval is that of a ratio
    of two means over files: each counts by how far it is from the ratio, as in the delta method
    (Cochran 1977, "Sampling Techniques", section 6.3).
    """
    tokens, right = sum(one.tokens for one in scores), sum(one.right for one in scores)
    ratio, size = right / tokens, tokens / len(scores)
    values = [ratio + (one.right - ratio * one.tokens) / size for one in scores]
    return metric(ratio, bootstrap_mean(values, seed))
