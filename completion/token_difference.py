"""What became of a list of tokens: which stand where they stood, which moved, which are new.

The answer is the kept segments; everything between them was deleted from the old list or inserted
into the new one. Order is kept: text that was cut and pasted elsewhere is new there.
"""

from collections.abc import Sequence

from rapidfuzz.distance import LCSseq

from models.kv_cache import Segment

SHORTEST_RUN = 4  # tokens; shorter matches between two edits are chance, and cheap to read again


def kept_segments(old: Sequence[int | None], new: Sequence[int]) -> list[Segment]:
    """Segments of `new` that are in `old`, in order; `None` in `old` is never kept.

    What both begin and end with is found first, so that the longest common subsequence is asked
    only about what lies between (bit-parallel, Hyyrö 2004: 8,000 against 8,000 tokens take
    milliseconds).
    """
    head = common_prefix(old, new)
    tail = common_prefix(old[head:][::-1], new[head:][::-1])
    old_end, new_end = len(old) - tail, len(new) - tail
    segments = [Segment(0, 0, head)]
    middle = LCSseq.opcodes(old[head:old_end], new[head:new_end])
    segments += [
        Segment(head + part.src_start, head + part.dest_start, part.src_end - part.src_start)
        for part in middle
        if part.tag == "equal" and part.src_end - part.src_start >= SHORTEST_RUN
    ]
    segments.append(Segment(old_end, new_end, tail))
    return [segment for segment in segments if segment.length]


def common_prefix(first: Sequence[object], second: Sequence[object]) -> int:
    """How many leading items are the same, and not `None`."""
    pairs = zip(first, second, strict=False)
    return next(
        (i for i, (a, b) in enumerate(pairs) if a != b or a is None),
        min(len(first), len(second)),
    )
