"""What is searched of a declaration: its words, and the text that a vector is made of."""

import re

from retrieval.index.declarations import Declaration

PIECES = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
FOREIGN_PIECES = re.compile(r"[^\W\d_]+|\d+")  # of names with other letters
NAMES = re.compile(r"\w+")
IDENTIFIERS = re.compile(r"[^\W\d]\w+")  # a single letter tells nothing
# Words of questions that tell nothing of what is asked.
STOP_WORDS = frozenset(
    {
        *("a", "an", "and", "are", "as", "at", "be", "by", "do", "for", "from", "given", "how"),
        *("i", "if", "in", "into", "is", "it", "its", "not", "of", "on", "or", "return"),
        *("returns", "that", "the", "this", "to", "use", "used", "using", "want", "when"),
        *("whether", "which", "with"),
    }
)
MOST_WORDS = 32  # of a question
LONGEST_TEXT = 600  # characters; more than a vector remembers


def split_name(name: str) -> list[str]:
    """`parseHTTPHeader_2` is parse, http, header, 2."""
    pieces = PIECES if name.isascii() else FOREIGN_PIECES
    return [piece.lower() for piece in pieces.findall(name)]


def words_of(text: str) -> str:
    """The names in a text and the words that they are made of, in lower case."""
    return " ".join(word for name in NAMES.findall(text) for word in spellings(name))


def words_once(text: str) -> str:
    """The same with each name of the text once."""
    return words_of(" ".join(dict.fromkeys(NAMES.findall(text))))


def identifiers_of(text: str) -> list[str]:
    """The identifiers in a text, each once, in lower case."""
    return list(dict.fromkeys(name.lower() for name in IDENTIFIERS.findall(text)))


def spellings(name: str) -> list[str]:
    pieces = split_name(name)
    return pieces if len(pieces) < 2 else [name.lower(), *pieces]


def words_asked(question: str) -> list[str]:
    """The words to look for, each once; if it has no others, those that tell nothing."""
    words = list(dict.fromkeys(words_of(question).split()))
    return ([word for word in words if word not in STOP_WORDS] or words)[:MOST_WORDS]


def embedded_text(declaration: Declaration, path: str) -> str:
    """What is told of a declaration: what it is, its name in words, where, its doc, and how it is
    declared."""
    named = " ".join(split_name(declaration.qualified))
    told = f"{declaration.kind} {named} in {path}. {declaration.doc}\n{declaration.signature}"
    return told[:LONGEST_TEXT]
