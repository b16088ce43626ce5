"""Traces of typing: the same for a seed, true to the file, and each step one change of the text."""

from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import Range

from evaluation.repositories import Repository
from evaluation.typing_traces import LONGEST_PAUSE_MS, Trace, change_between, draw_traces
from lsp_server.text_buffer import TextBuffer

FILE = "".join(
    f"def function_{i}(value, other):\n"
    f'    """Number {i} 🧮 of many."""\n'
    f"    total_{i} = value + other * {i}\n"
    f"\n"
    f"    return total_{i}\n"
    for i in range(60)
)
REPOSITORIES = [
    Repository("one", {"a/one.py": FILE, "short.py": "x = 1\n"}, {}),
    Repository("two", {"two.py": FILE.replace("function", "method")}, {}),
]
KINDS = {"open", "typing", "line", "accept", "paste", "edit-above", "undo", "jump"}


def drawn(asked: int = 60, seed: int = 0) -> list[Trace]:
    return draw_traces(REPOSITORIES, asked, seed, least_above=200)


def test_the_seed_decides() -> None:
    assert drawn() == drawn()
    assert drawn() != drawn(seed=1)


def test_so_many_suggestions_are_asked_for_and_repositories_take_turns() -> None:
    for asked in (1, 7, 60):
        assert sum(len(trace.asked) for trace in drawn(asked)) == asked
    assert [trace.repository for trace in drawn()][:2] == ["one", "two"]
    assert all(trace.steps[-1].asked for trace in drawn())


def test_a_shorter_run_is_the_beginning_of_a_longer_one() -> None:
    assert drawn(3)[0].steps == drawn(60)[0].steps[: len(drawn(3)[0].steps)]


def test_everything_happens_in_every_trace() -> None:
    whole = drawn(500)[0]
    assert {step.kind for step in whole.asked} == KINDS
    assert {step.kind for step in whole.steps if not step.asked} <= {"typing", "line"}
    assert all(0 < step.pause_ms <= LONGEST_PAUSE_MS for step in whole.steps)


def test_changes_sent_as_positions_make_the_text_of_each_step() -> None:
    for trace in drawn():
        buffer = TextBuffer(trace.opened)
        for step in trace.steps:
            if (change := change_between(buffer.text, step.text)) is not None:
                where = Range(buffer.position(change.start), buffer.position(change.end))
                buffer.replace(where, change.text)
            assert buffer.text == step.text
            assert buffer.index(buffer.position(len(step.before))) == len(step.before)


def test_keys_are_typed_one_by_one_and_give_the_lines_of_the_file() -> None:
    trace = drawn()[0]
    for one, other in zip(trace.steps, trace.steps[1:], strict=False):
        if other.kind == "typing":
            assert other.before[:-1] == one.before
    typed = [step.before for step in trace.steps if step.kind == "line"]
    assert all(before.rstrip().rpartition("\n")[2] in FILE for before in typed)


def test_an_undone_edit_leaves_no_trace() -> None:
    for trace in drawn(500):
        kinds = [step.kind for step in trace.steps]
        if "undo" in kinds:
            undone = kinds.index("undo")
            assert kinds[undone - 1] == "edit-above"
            assert trace.steps[undone].text == trace.steps[undone - 2].text
            assert trace.steps[undone - 1].text != trace.steps[undone].text


def test_files_that_are_too_short_give_nothing() -> None:
    assert draw_traces([Repository("short", {"a.py": "x = 1\n"}, {})], 5, 0, 0) == []
    assert draw_traces([Repository("empty", {}, {})], 5, 0, 0) == []
    assert draw_traces([], 5, 0, 0) == []
    assert draw_traces(REPOSITORIES, 5, 0, least_above=10**6) == []


@given(st.text("ab\n🧮"), st.text("ab\n🧮"))
def test_a_change_makes_the_new_text_of_the_old(old: str, new: str) -> None:
    change = change_between(old, new)
    if change is None:
        assert old == new
    else:
        assert old[: change.start] + change.text + old[change.end :] == new
