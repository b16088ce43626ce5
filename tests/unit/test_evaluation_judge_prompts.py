"""What a judge's model is asked: the published structure, the code to rate after all that is
shared."""

import pytest

from evaluation.judges.ice_score import REMINDER, asked_again, conversation
from evaluation.judges.values import Aspect, JudgeTask

TASK = JudgeTask("Add two numbers.", "    return a + b", "    return sum((a, b))")
ALONE = JudgeTask("Add two numbers.", "    return a + b")


def asked(task: JudgeTask, aspect: Aspect = Aspect.USEFULNESS, *, steps: bool = False) -> str:
    (message,) = conversation(task, aspect, steps=steps)
    assert message.role == "user"
    return message.content


def test_the_parts_come_in_the_published_order() -> None:
    text = asked(TASK)
    parts = ["Criterion", "Steps", "Problem", "Reference", "Code to rate", "Usefulness (0-4)"]
    places = [text.index(f"# {part}") for part in parts]
    assert places == sorted(places)
    assert "Add two numbers." in text
    assert text.index("sum((a, b))") < text.index("    return a + b")


def test_without_a_reference_there_is_no_word_of_one() -> None:
    assert "eference" not in asked(ALONE)
    assert "eference" in asked(TASK)


@pytest.mark.parametrize("aspect", Aspect)
def test_each_aspect_has_its_criterion_with_five_levels(aspect: Aspect) -> None:
    text = asked(TASK, aspect)
    assert text.count("(0-4)") == 2
    assert all(f"\n- {level}: " in text for level in range(5))
    assert all(other.value not in text.lower() for other in Aspect if other is not aspect)


def test_only_with_steps_an_assessment_is_asked_for() -> None:
    assert asked(TASK).endswith("the number alone.")
    assert "step by step" not in asked(TASK)
    assert "step by step" in asked(TASK, steps=True)


def test_code_for_the_same_problem_differs_from_where_it_begins_on() -> None:
    first, second = asked(TASK), asked(JudgeTask(TASK.problem, "pass", TASK.reference))
    begins = first.index(TASK.code)
    assert first[:begins] == second[:begins]
    assert first[begins + len(TASK.code) :] == second[begins + len("pass") :]


def test_the_code_is_not_changed_inside() -> None:
    code = "    if x:\n\n        return '# Problem {reference}'"
    assert code in asked(JudgeTask("Do {it}.", f"\n{code}\n\n"))


def test_asking_again_goes_on_from_the_answer() -> None:
    first = conversation(TASK, Aspect.USEFULNESS, steps=False)
    again = asked_again(first, "Good.")
    assert again[: len(first)] == first
    assert [(one.role, one.content) for one in again[len(first) :]] == [
        ("assistant", "Good."),
        ("user", REMINDER),
    ]
