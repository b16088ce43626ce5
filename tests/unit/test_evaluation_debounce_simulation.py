"""What a wait after each key costs and saves, counted on gaps that are known."""

import pytest

from evaluation.debounce_simulation import (
    ARMS,
    LONGEST_MS,
    REMEMBERED,
    SHORTEST_MS,
    Fixed,
    Played,
    Rhythm,
    main,
    play,
    table,
)

ASKED = 300.0


def test_requests_in_vain_and_waits_at_pauses_are_counted() -> None:
    """50 ms is over before the wait, 80 and 200 start work that the next key calls off."""
    played = play(Fixed(75.0), [50.0, 80.0, 200.0, 300.0, 900.0], ASKED)
    assert played == Played(typed=3, waited=2, in_vain=2, busy_ms=130.0, debounce_ms=150.0)


def test_rhythm_follows_the_typist_between_bounds() -> None:
    rhythm = Rhythm(2.0)
    assert rhythm.wait_ms == 75.0
    for gap in (100.0, 120.0, 5000.0, 140.0):
        rhythm.hear(gap)
    assert rhythm.wait_ms == 240.0  # the pause of five seconds tells nothing
    for gap, wait in ((1.0, SHORTEST_MS), (900.0, LONGEST_MS)):
        for _ in range(REMEMBERED):
            rhythm.hear(gap)
        assert rhythm.wait_ms == wait


def test_the_table_has_every_arm_for_every_typist() -> None:
    lines = table([100.0, 400.0, 150.0], ASKED).splitlines()
    assert len(lines) == 2 + 3 * len(ARMS)
    assert "| 1.0 times the gaps | fixed 75 ms | 100 | 50 | 75 |" in lines


def test_wrong_use_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--asked", "none"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
