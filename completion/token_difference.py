"""What became of a list of tokens: which stand where they stood, which moved, which are new.

The answer is the kept segments; everything between them was deleted from the old list or inserted
into the new one. Order is kept: text that was cut and pasted elsewhere is new there.
"""

from collections.abc import Container, Sequence
from dataclasses import replace

from rapidfuzz.distance import LCSseq

from models.kv_cache import Segment

SHORTEST_RUN = 4  # tokens; shorter matches between two edits are chance, and cheap to read again


def kept_segments(
    old: Sequence[int | None], new: Sequence[int], markers: Container[int | None] = ()
) -> list[Segment]:
    """Segments of `new` that are in `old`, in order; `None` in `old` is never kept.

    Each part that begins at one of the `markers` is compared with its like only: text that has
    passed a marker was read in another role, as what follows the cursor and not as what leads to
    it, and is read again (measured: `docs/edits.md`).
    """
    found: list[Segment] = []
    for was, now in zip(parts(old, markers), parts(new, markers), strict=False):
        for part in same_text(old[was.start : was.stop], new[now.start : now.stop]):
            segment = Segment(was.start + part.old, now.start + part.new, part.length)
            if found and found[-1].ends == (segment.old, segment.new):
                before = found.pop()
                segment = replace(before, length=before.length + segment.length)
            found.append(segment)
    ends = (len(old), len(new))
    return [
        part for part in found if part.length >= SHORTEST_RUN or part.new == 0 or part.ends == ends
    ]


def parts(tokens: Sequence[int | None], markers: Container[int | None]) -> list[range]:
    """The stretch before the first marker, and one from each marker on."""
    starts = [0, *(i for i, token in enumerate(tokens) if token in markers)]
    return [range(*pair) for pair in zip(starts, [*starts[1:], len(tokens)], strict=True)]


def same_text(old: Sequence[int | None], new: Sequence[int]) -> list[Segment]:
    """The longest common subsequence, as segments.

    What both begin and end with is found first, so that only what lies between is searched
    (bit-parallel, Hyyrö 2004: 8,000 against 8,000 tokens take milliseconds).
    """
    head = common_prefix(old, new)
    tail = common_prefix(old[head:][::-1], new[head:][::-1])
    old_end, new_end = len(old) - tail, len(new) - tail
    between = LCSseq.opcodes(old[head:old_end], new[head:new_end])
    segments = [
        Segment(0, 0, head),
        *(
            Segment(head + part.src_start, head + part.dest_start, part.src_end - part.src_start)
            for part in between
            if part.tag == "equal"
        ),
        Segment(old_end, new_end, tail),
    ]
    return [segment for segment in segments if segment.length]


def common_prefix(first: Sequence[object], second: Sequence[object]) -> int:
    """How many leading items are the same, and not `None`."""
    pairs = zip(first, second, strict=False)
    return next(
        (i for i, (a, b) in enumerate(pairs) if a != b or a is None),
        min(len(first), len(second)),
    )
