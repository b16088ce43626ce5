"""How like a written line is to the true one."""

from rapidfuzz.distance import Indel


def line_similarity(line: str, truth: str) -> float:
    """Normalised insertions and deletions, without the blanks around: 1 for the same line, 0 for
    nothing in common."""
    return Indel.normalized_similarity(line.strip(), truth.strip())
