"""Which places of a repository are drawn, and what is kept from leaking there."""

from collections import Counter
from pathlib import Path

from evaluation.points.kinds import PointKind
from evaluation.points.parts import text_before
from evaluation.points.sampling import Copies, HeldOut, draw_held_out
from evaluation.repositories import Repository

OWN = Path(__file__).resolve().parents[2] / "completion"
FILES = {path.name: path.read_text(encoding="utf-8") for path in sorted(OWN.glob("*.py"))}


def held_out(before: str, truth: str, after: str, path: str = "a.py") -> HeldOut:
    return HeldOut("shop", path, PointKind.LINE, before, truth, after)


def test_kinds_and_files_take_turns_and_a_seed_decides() -> None:
    repository = Repository("own", FILES, {})
    places = draw_held_out(repository, 40, seed=3)
    assert Counter(place.kind for place in places) == dict.fromkeys(PointKind, 5)
    assert all(place.before + place.truth + place.after == FILES[place.path] for place in places)
    assert len({(place.path, place.line) for place in places}) == len(places)
    for kind in PointKind:
        assert len({place.path for place in places if place.kind is kind}) == 5
    assert draw_held_out(repository, 40, seed=3) == places
    assert draw_held_out(repository, 24, seed=3) == places[:24]
    assert draw_held_out(repository, 40, seed=4) != places


def test_a_repository_without_code_has_no_places() -> None:
    assert draw_held_out(Repository("none", {}, {}), 10, 0) == []
    assert draw_held_out(Repository("notes", {"a.md": "# Notes\n"}, {}), 10, 0) == []
    assert len(draw_held_out(Repository("one", {"a.py": "x = 1\n"}, {}), 10, 0)) == 1


def test_tests_of_a_repository_are_not_asked_in() -> None:
    files = {"tests/test_a.py": "x = a.b\n", "a.py": "y = c.d\n"}
    assert {place.path for place in draw_held_out(Repository("r", files, {}), 9, 0)} == {"a.py"}


def test_a_line_that_is_written_again_below_is_a_leak() -> None:
    line = "result = session.fetch(url, timeout)"
    place = held_out("first()\n", line, f"\nsecond()\n{line}\n")
    assert Copies.of({"a.py": place.before + line + place.after}).tell(place)
    above = held_out(f"{line}\nsecond()\n", line, "\nthird()\n")
    assert not Copies.of({"a.py": above.before + line + above.after}).tell(above)
    short = held_out("first()\n", "x = 1", "\nsecond()\nx = 1\n")
    assert not Copies.of({"a.py": short.before + "x = 1" + short.after}).tell(short)


def test_a_copy_of_the_lines_in_another_file_is_a_leak() -> None:
    text = "first()\nx = compute(1)\n\nlast()\n"
    place = held_out("first()\nx = ", "compute(1)", "\n\nlast()\n")
    assert not Copies.of({"a.py": text}).tell(place)
    assert Copies.of({"a.py": text, "b.py": f"if copied:\n{text}"}).tell(place)
    assert not Copies.of({"a.py": text, "b.py": "first()\nx = compute(1)\nother()\n"}).tell(place)


def test_the_text_a_moment_ago_lacks_the_line_and_one_above() -> None:
    lines = [f"line_{number} = {number}" for number in range(20)]
    place = held_out("\n".join([*lines, "last = "]), "value", "\nrest = 1\n")
    before, after = text_before(place, seed=0)
    missing = set(lines) - set(before.split("\n"))
    assert len(missing) == 1
    assert missing <= set(lines[:15])
    assert before.endswith("line_19 = 19")
    assert after == place.after
    assert text_before(place, seed=0) == (before, after)
    assert text_before(held_out("x = ", "1", "\n"), seed=0) == ("", "\n")
