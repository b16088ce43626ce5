"""The token difference: kept segments are the same in both lists, in order, and long enough."""

from hypothesis import given, settings
from hypothesis import strategies as st

from completion.token_difference import SHORTEST_RUN, kept_segments
from models.kv_cache import Segment

OLD = list(range(100))
TOKENS = st.lists(st.integers(0, 3), max_size=40)


@settings(deadline=None)
@given(
    old=st.lists(st.none() | st.integers(0, 3), max_size=40),
    new=TOKENS,
    markers=st.frozensets(st.integers(0, 3), max_size=2),
)
def test_segments_are_kept_text_in_order(
    old: list[int | None], new: list[int], markers: frozenset[int]
) -> None:
    end = Segment(0, 0, 0)
    for part in kept_segments(old, new, markers):
        assert part.length > 0
        assert part.old >= end.old + end.length
        assert part.new >= end.new + end.length
        assert old[part.old : part.old + part.length] == new[part.new : part.new + part.length]
        assert None not in old[part.old : part.old + part.length]
        end = part


def test_nothing_changed() -> None:
    assert kept_segments(OLD, OLD) == [Segment(0, 0, 100)]


def test_nothing_in_common() -> None:
    assert kept_segments(OLD, [200, 201]) == []
    assert kept_segments([], OLD) == []


def test_text_after_an_insertion_moves() -> None:
    new = [*OLD[:30], 200, 201, *OLD[30:]]
    assert kept_segments(OLD, new) == [Segment(0, 0, 30), Segment(30, 32, 70)]


def test_text_after_a_deletion_moves() -> None:
    assert kept_segments(OLD, OLD[:30] + OLD[40:]) == [Segment(0, 0, 30), Segment(40, 30, 60)]


def test_a_rename_at_many_places_keeps_what_lies_between() -> None:
    """Each tenth token becomes two others."""
    new = [token for old in OLD for token in ([200, 201] if old % 10 == 5 else [old])]
    parts = kept_segments(OLD, new)
    assert [part.length for part in parts] == [5, *[9] * 9, 4]
    assert [part.shift for part in parts] == list(range(11))


def test_a_format_that_removes_and_adds_is_several_moves() -> None:
    new = [*OLD[:20], *OLD[25:60], 200, *OLD[60:]]
    assert kept_segments(OLD, new) == [Segment(0, 0, 20), Segment(25, 20, 35), Segment(60, 56, 40)]


def test_chance_matches_between_two_edits_are_read_again() -> None:
    new = [*OLD[:20], 200, *OLD[21 : 20 + SHORTEST_RUN], 201, *OLD[40:]]
    assert kept_segments(OLD, new) == [
        Segment(0, 0, 20),
        Segment(40, 22 + SHORTEST_RUN - 1, 60),
    ]


PREFIX, SUFFIX, MIDDLE = MARKERS = (300, 301, 302)


def test_text_that_passes_a_marker_is_read_again() -> None:
    """The cursor jumped down from line 40 to 60: what had followed it now leads to it."""
    old = [PREFIX, *OLD[:40], SUFFIX, *OLD[40:90], MIDDLE, *OLD[36:40]]
    new = [PREFIX, *OLD[:60], SUFFIX, *OLD[60:90], MIDDLE, *OLD[56:60]]
    assert kept_segments(old, new, MARKERS) == [Segment(0, 0, 41), Segment(62, 62, 31)]
    passed = [part for part in kept_segments(old, new) if part.new <= 40 < part.ends[1]]
    assert passed  # without markers, it would be moved


def test_what_grows_before_a_marker_moves_all_after_it_together() -> None:
    old = [PREFIX, *OLD[:40], SUFFIX, *OLD[40:90], MIDDLE, *OLD[36:40]]
    new = [PREFIX, 200, *OLD[:40], SUFFIX, *OLD[40:90], MIDDLE, *OLD[36:40]]
    assert kept_segments(old, new, MARKERS) == [Segment(0, 0, 1), Segment(1, 2, len(old) - 1)]


def test_unread_tokens_are_not_kept() -> None:
    assert kept_segments([*OLD[:50], None, *OLD[51:]], OLD) == [
        Segment(0, 0, 50),
        Segment(51, 51, 49),
    ]
