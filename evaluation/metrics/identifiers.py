"""How much of the truth's identifiers and tokens a completion begins with.

The three metrics of Agrawal et al., "Guiding Language Models of Code with Global Context using
Monitors" (2023). They are read off the texts by a lexer of regular expressions, which does not
care whether what it reads is whole: a completion may end anywhere.
"""

import keyword
import re
from collections.abc import Sequence

STRING = r"'''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\""
TOKEN = re.compile(
    rf"""
      (?P<comment>\#[^\n]*)
    | (?P<string>(?:\b[rbuft]{{1,2}})?(?:{STRING}))
    | (?P<name>[^\W\d]\w*)
    | (?P<number>\d[\w.]*)
    | (?P<sign>\*\*=|//=|>>=|<<=|\.\.\.|[-+*/%@&|^=!<>:]=|->|\*\*|//|<<|>>|\S)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


def code_tokens(text: str) -> list[str]:
    """The tokens of Python source without comments and white space; a string is one token.

    A quote that nothing ends is a token of its own, and what follows it is read as code.
    """
    return [found[0] for found in TOKEN.finditer(text) if found.lastgroup != "comment"]


def identifiers(text: str) -> list[str]:
    """The names in the code of `text`, in order; keywords and what strings hold are none."""
    return [
        found[0]
        for found in TOKEN.finditer(text)
        if found.lastgroup == "name" and not keyword.iskeyword(found[0])
    ]


def next_identifier_match(completion: str, truth: str) -> bool:
    """NIM: whether the first identifier of the completion is the first one of the truth.

    A truth without identifiers is matched by nothing. Source: Agrawal et al. 2023.
    """
    wanted = identifiers(truth)[:1]
    return bool(wanted) and identifiers(completion)[:1] == wanted


def identifier_sequence_match(completion: str, truth: str) -> float:
    """ISM: the longest common prefix of both identifier sequences over the length of the truth's.

    From 0 to 1; what the completion goes on with after the truth's end costs nothing.
    Source: Agrawal et al. 2023.
    """
    return shared_prefix(identifiers(completion), identifiers(truth))


def prefix_match(completion: str, truth: str) -> float:
    """PM: as `identifier_sequence_match`, over all tokens of the code.

    Source: Agrawal et al. 2023.
    """
    return shared_prefix(code_tokens(completion), code_tokens(truth))


def shared_prefix(sequence: Sequence[str], wanted: Sequence[str]) -> float:
    """The share of `wanted` that `sequence` begins with; 1 where nothing is wanted."""
    for length, token in enumerate(wanted):
        if length == len(sequence) or sequence[length] != token:
            return length / len(wanted)
    return 1.0
