"""What is searched of a declaration: its words, and the text that a vector is made of."""

import re

from retrieval.index.declarations import Declaration, Kind

PIECES = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
FOREIGN_PIECES = re.compile(r"[^\W\d_]+|\d+")  # of names with other letters
NAMES = re.compile(r"\w+")
MOST_WORDS = 32  # of a question
LONGEST_TEXT = 600  # characters; more than a vector remembers


def split_name(name: str) -> list[str]:
    """`parseHTTPHeader_2` is parse, http, header, 2."""
    pieces = PIECES if name.isascii() else FOREIGN_PIECES
    return [piece.lower() for piece in pieces.findall(name)]


def words_of(text: str) -> str:
    """The names in a text and the words that they are made of, in lower case."""
    return " ".join(word for name in NAMES.findall(text) for word in spellings(name))


def spellings(name: str) -> list[str]:
    pieces = split_name(name)
    return pieces if len(pieces) < 2 else [name.lower(), *pieces]


def words_asked(question: str) -> list[str]:
    """The words to look for, each once."""
    return list(dict.fromkeys(words_of(question).split()))[:MOST_WORDS]


def embedded_text(declaration: Declaration) -> str:
    """What is told of a declaration: what it is, its name in words, how it is declared, its doc."""
    named = " ".join(split_name(declaration.qualified))
    if declaration.kind is Kind.MODULE:
        return f"module {named}. {declaration.doc}"[:LONGEST_TEXT]
    return f"{declaration.kind} {named}. {declaration.doc}\n{declaration.signature}"[:LONGEST_TEXT]
