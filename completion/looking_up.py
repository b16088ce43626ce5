"""When the model should look something up: where it uses an API that it is not sure of.

Source: Zhang et al. 2023, "ToolCoder: Teach Code Generation Models to use API search tools",
section 3, whose model has learnt to ask; here its probabilities and the monitors tell.
"""

import re

from completion.values import Suggestion

UNSURE = 0.5  # of confidence: below it, a line is likelier to be wrong than right
API_USE = re.compile(r"\w[ \t]*[.(]|\.\w")


def is_unsure(suggestion: Suggestion) -> bool:
    """Whether its first line uses an API that is likelier wrong than right, or a name in it had to
    be taken back since it does not exist."""
    line, _, _ = suggestion.text.lstrip().partition("\n")
    is_guess = suggestion.confidence < UNSURE or suggestion.watched.taken_back > 0
    return is_guess and API_USE.search(line) is not None
