"""How much two pieces of code have in common on their surface: tokens, n-grams, characters.

What a metric that understands code has to beat. All of them lie between 0 and 1. sacrebleu gives
the very BLEU and chrF that were published for the data of ICE-Score (Zhuo 2023).
"""

import importlib
import re
from functools import cache
from typing import Any

from evaluation.metrics.lines import edit_distance_similarity
from models.errors import InputError

WORD = re.compile(r"\w+|[^\w\s]")
NO_LETTER = re.compile(r"([^A-Za-z0-9_])")
HUMP = re.compile(r"([a-z])([A-Z])")


def token_dice(candidate: str, reference: str) -> float:
    """Twice the shared tokens over all of both, as sets; a token is a word or one sign.

    Source: Dice, "Measures of the amount of ecologic association between species" (1945).
    """
    both = set(WORD.findall(candidate)), set(WORD.findall(reference))
    total = sum(map(len, both))
    return 2 * len(both[0] & both[1]) / total if total else 1.0


def bleu(candidate: str, reference: str) -> float:
    """BLEU of up to four tokens on end, of one program with one reference.

    Exponential smoothing and effective order, as in sacrebleu; tokens as `program_tokens` has them.
    Source: Papineni et al., "BLEU: a Method for Automatic Evaluation of Machine Translation", 2002.
    """
    found = sentence_bleu().sentence_score(
        " ".join(program_tokens(candidate)), [" ".join(program_tokens(reference))]
    )
    return float(found.score) / 100


def program_tokens(code: str) -> list[str]:
    """Words, divided where a capital follows a small letter, and single signs; quotes are one sign.

    Source: Ling et al., "Latent Predictor Networks for Code Generation" (2016), as the evaluation
    of tranX has it (Yin and Neubig 2018).
    """
    divided = HUMP.sub(r"\1 \2", NO_LETTER.sub(r" \1 ", code))
    return divided.replace('"', "`").replace("'", "`").split()


def chrf(candidate: str, reference: str) -> float:
    """chrF2 of up to six characters on end, white space left out.

    Source: Popovic, "chrF: character n-gram F-score for automatic MT evaluation" (2015).
    """
    return float(sentence_chrf().sentence_score(candidate, [reference]).score) / 100


def edit_similarity(candidate: str, reference: str) -> float:
    """1 less the Levenshtein distance over the longer one's length.

    Source: Svyatkovskiy et al., "IntelliCode Compose" (2020).
    """
    return edit_distance_similarity(candidate.strip(), reference.strip())


@cache
def sentence_bleu() -> Any:
    return import_sacrebleu().BLEU(tokenize="none", effective_order=True)


@cache
def sentence_chrf() -> Any:
    return import_sacrebleu().CHRF()


def import_sacrebleu() -> Any:
    """Its metrics; raises `InputError` where it is not installed."""
    try:
        return importlib.import_module("sacrebleu.metrics")
    except ImportError:
        raise InputError(
            "BLEU and chrF need the package sacrebleu; run: pip install 'pirouette-lsp[evaluation]'"
        ) from None
