"""What a model is asked: the prompts of ICE-Score in our own words.

The structure is the published one: what there is to do, the criterion with its levels, the steps
to take, the problem, a reference where there is one, the code, and the form of the answer. All
that code for the same problem shares comes before the code, so that a cache reads it once.
Source: Zhuo, "ICE-Score: Instructing Large Language Models to Evaluate Code" (2023), section 2
and appendix.
"""

from collections.abc import Mapping

from evaluation.judges.values import Aspect, JudgeTask, Message

PLAIN_TOKENS = 16  # a number, and a few words around it
STEPS_TOKENS = 1_024  # an assessment step by step before it

CRITERIA: Mapping[Aspect, str] = {
    Aspect.USEFULNESS: """\
Usefulness (0-4): how much the code helps a developer who has to solve the problem.
- 0: no help; the code has nothing to do with the problem.
- 1: hardly any help; a little of it bears on the problem, but writing it anew is easier.
- 2: some help; large parts must be changed, and yet it is worth starting from.
- 3: much help; with small changes it solves the problem.
- 4: all the help there could be; it solves the problem as it stands.""",
    Aspect.CORRECTNESS: """\
Functional correctness (0-4): what the code does when it is run, as unit tests of the problem would
show it. Think of every input that the problem allows, empty and extreme ones included.
- 0: wrong throughout; it would fail every test.
- 1: mostly wrong; it would pass few tests.
- 2: half right; it would pass about as many tests as it fails.
- 3: mostly right; it would fail few tests.
- 4: right throughout; it would pass every test.""",
}

TASK = "You rate code that was written to solve a problem. Rate it on the criterion below alone."
STEPS = """\
1. Find out from the problem what the code is required to do.
2. Hold the code against that{reference} and against the criterion.
3. Choose the number from 0 to 4 whose description fits best."""
PLAIN_FORM = "Answer with the number alone."
STEPS_FORM = (
    "Write down your assessment step by step. Then end with a line that holds 'Rating:' and the "
    "number alone."
)
REMINDER = (
    "That does not end with a rating. Answer with one whole number from 0 to 4 and nothing else."
)


def conversation(task: JudgeTask, aspect: Aspect, *, steps: bool) -> tuple[Message, ...]:
    """The question about one task."""
    compared = "" if task.reference is None else ", against the reference"
    parts = [
        TASK,
        f"# Criterion\n\n{CRITERIA[aspect]}",
        f"# Steps\n\n{STEPS.format(reference=compared)}",
        f"# Problem\n\n{task.problem.strip()}",
        *(
            []
            if task.reference is None
            else [f"# Reference, known to be right\n\n{without_margins(task.reference)}"]
        ),
        f"# Code to rate\n\n{without_margins(task.code)}",
        f"# {aspect.value.capitalize()} (0-4)\n\n{STEPS_FORM if steps else PLAIN_FORM}",
    ]
    return (Message("user", "\n\n".join(parts)),)


def asked_again(asked: tuple[Message, ...], answer: str) -> tuple[Message, ...]:
    """The conversation gone on after an answer that has no rating."""
    return (*asked, Message("assistant", answer), Message("user", REMINDER))


def without_margins(code: str) -> str:
    """Code without blank lines around it; the indentation of its first line stays."""
    return code.rstrip().lstrip("\n")
