"""How like a written line is to the true one."""

from rapidfuzz import fuzz
from rapidfuzz.distance import Indel, Levenshtein


def line_similarity(line: str, truth: str) -> float:
    """Normalised insertions and deletions, without the blanks around: 1 for the same line, 0 for
    nothing in common."""
    return Indel.normalized_similarity(line.strip(), truth.strip())


def percent_similarity(text: str, truth: str) -> float:
    """Normalised insertions and deletions, to a whole percent, from 0 to 1.

    This is `fuzz.ratio` of `fuzzywuzzy`, by which CodeXGLUE, RepoBench and CrossCodeEval measure
    edit similarity.
    """
    return round(fuzz.ratio(text, truth)) / 100


def edit_distance_similarity(text: str, truth: str) -> float:
    """One less Levenshtein's distance over the length of the longer text, from 0 to 1.

    The edit similarity of Zhang et al. 2023, "RepoCoder", section 3.2.
    """
    return Levenshtein.normalized_similarity(text, truth)


def content_lines(text: str) -> list[str]:
    """The lines that hold anything, without the blanks around them."""
    return [line.strip() for line in text.splitlines() if line.strip()]
