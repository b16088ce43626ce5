"""How much typing a completion saves somebody who accepts only what is right."""

import re

# Where editors end a step of accepting: after a word, a run of punctuation, or blanks.
STEP = re.compile(r"\w+|[^\w\s]+|\s+")


def characters_saved(completion: str, truth: str) -> float:
    """The share of the truth's characters, 0 to 1, that need not be typed.

    The completion is accepted step by step, as editors offer it by words, for as long as it agrees
    with the truth. An empty truth saves nothing.
    """
    accepted = 0
    for step in STEP.finditer(completion):
        if not truth.startswith(step[0], accepted):
            break
        accepted = step.end()
    return accepted / len(truth) if truth else 0.0
