"""Whatever the edits, the buffer holds what the editor's own string holds."""

import hypothesis.strategies as st
import pytest
from hypothesis import given
from lsprotocol.types import Position, PositionEncodingKind, Range

from lsp_server.positions import LINE_END
from lsp_server.text_buffer import TextBuffer

PIECES = ["\n", "\r\n", "\r", "\f", "\v", "\u2028", "\x85", "a", "é", "漢", "😀", "\t", "e\u0301"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
ENCODINGS = [PositionEncodingKind.Utf8, PositionEncodingKind.Utf16, PositionEncodingKind.Utf32]
CODECS = {
    PositionEncodingKind.Utf8: ("utf-8", 1),
    PositionEncodingKind.Utf16: ("utf-16-le", 2),
    PositionEncodingKind.Utf32: ("utf-32-le", 4),
}


def position_in(text: str, index: int, encoding: PositionEncodingKind) -> Position:
    """The position of an index, worked out the slow way, as an editor would send it."""
    starts = [0, *(end.end() for end in LINE_END.finditer(text))]
    line = max(i for i, start in enumerate(starts) if start <= index)
    codec, width = CODECS[encoding]
    return Position(line, len(text[starts[line] : index].encode(codec)) // width)


def addressable(text: str, index: int) -> bool:
    """No editor puts a position between `\\r` and `\\n`."""
    return not (0 < index < len(text) and text[index - 1] == "\r" and text[index] == "\n")


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(start=TEXTS, edits=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), TEXTS), max_size=8))
def test_buffer_equals_a_plain_string_after_any_edits(
    encoding: PositionEncodingKind, start: str, edits: list[tuple[float, float, str]]
) -> None:
    text, buffer = start, TextBuffer(start, encoding)
    for one, other, inserted in edits:
        low, high = sorted((round(one * len(text)), round(other * len(text))))
        if not (addressable(text, low) and addressable(text, high)):
            continue
        changed = Range(position_in(text, low, encoding), position_in(text, high, encoding))
        buffer.replace(changed, inserted)
        text = text[:low] + inserted + text[high:]
        assert buffer.text == text
        lines = LINE_END.split(text)
        assert [buffer.line(i) for i in range(buffer.line_count)] == lines


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=TEXTS)
def test_every_index_survives_the_way_to_a_position_and_back(
    encoding: PositionEncodingKind, text: str
) -> None:
    buffer = TextBuffer(text, encoding)
    for index in filter(lambda i: addressable(text, i), range(len(text) + 1)):
        assert buffer.position(index) == position_in(text, index, encoding)
        assert buffer.index(buffer.position(index)) == index


def test_positions_past_the_end_mean_the_end() -> None:
    buffer = TextBuffer("one\ntwo")
    assert buffer.index(Position(0, 99)) == 3
    assert buffer.index(Position(99, 0)) == 7


def test_a_column_inside_a_surrogate_pair_means_the_characters_start() -> None:
    assert TextBuffer("😀x").index(Position(0, 1)) == 0
