"""The types of Python's tokens: those of its tokenizer, and the roles that names play.

The set is that of Takerngsaksiri et al. 2022, "Syntax-Aware On-the-Fly Code Completion" (PyCoder,
section 3.1): exact types, one type for all keywords, line ends, indents and dedents; with the roles
of Izadi et al. 2022, "CodeFill" (table 1). Their numbers are those of the trained type model: a new
one goes to the end.
"""

import keyword
from enum import IntEnum
from types import MappingProxyType


class TokenType(IntEnum):
    """Names are those of Python's module `token`, but for `KEYWORD` and the roles."""

    NAME = 0  # one that nothing above declares: a builtin, or a new name
    MODULE = 1
    ALIAS = 2  # the name that an import gives to what it imports
    FUNCTION = 3
    CLASS = 4
    ATTRIBUTE = 5
    PARAMETER = 6
    VARIABLE = 7
    KEYWORD = 8
    NUMBER = 9
    STRING = 10
    COMMENT = 11
    NEWLINE = 12  # ends a statement
    NL = 13  # ends a line and no statement
    INDENT = 14
    DEDENT = 15
    ERRORTOKEN = 16
    NOTEQUAL = 17
    PERCENT = 18
    PERCENTEQUAL = 19
    AMPER = 20
    AMPEREQUAL = 21
    LPAR = 22
    RPAR = 23
    STAR = 24
    DOUBLESTAR = 25
    DOUBLESTAREQUAL = 26
    STAREQUAL = 27
    PLUS = 28
    PLUSEQUAL = 29
    COMMA = 30
    MINUS = 31
    MINEQUAL = 32
    RARROW = 33
    DOT = 34
    ELLIPSIS = 35
    SLASH = 36
    DOUBLESLASH = 37
    DOUBLESLASHEQUAL = 38
    SLASHEQUAL = 39
    COLON = 40
    COLONEQUAL = 41
    SEMI = 42
    LESS = 43
    LEFTSHIFT = 44
    LEFTSHIFTEQUAL = 45
    LESSEQUAL = 46
    EQUAL = 47
    EQEQUAL = 48
    GREATER = 49
    GREATEREQUAL = 50
    RIGHTSHIFT = 51
    RIGHTSHIFTEQUAL = 52
    AT = 53
    ATEQUAL = 54
    LSQB = 55
    RSQB = 56
    CIRCUMFLEX = 57
    CIRCUMFLEXEQUAL = 58
    LBRACE = 59
    VBAR = 60
    VBAREQUAL = 61
    RBRACE = 62
    TILDE = 63


OPERATORS = MappingProxyType(
    {
        "!=": TokenType.NOTEQUAL,
        "%": TokenType.PERCENT,
        "%=": TokenType.PERCENTEQUAL,
        "&": TokenType.AMPER,
        "&=": TokenType.AMPEREQUAL,
        "(": TokenType.LPAR,
        ")": TokenType.RPAR,
        "*": TokenType.STAR,
        "**": TokenType.DOUBLESTAR,
        "**=": TokenType.DOUBLESTAREQUAL,
        "*=": TokenType.STAREQUAL,
        "+": TokenType.PLUS,
        "+=": TokenType.PLUSEQUAL,
        ",": TokenType.COMMA,
        "-": TokenType.MINUS,
        "-=": TokenType.MINEQUAL,
        "->": TokenType.RARROW,
        ".": TokenType.DOT,
        "...": TokenType.ELLIPSIS,
        "/": TokenType.SLASH,
        "//": TokenType.DOUBLESLASH,
        "//=": TokenType.DOUBLESLASHEQUAL,
        "/=": TokenType.SLASHEQUAL,
        ":": TokenType.COLON,
        ":=": TokenType.COLONEQUAL,
        ";": TokenType.SEMI,
        "<": TokenType.LESS,
        "<<": TokenType.LEFTSHIFT,
        "<<=": TokenType.LEFTSHIFTEQUAL,
        "<=": TokenType.LESSEQUAL,
        "=": TokenType.EQUAL,
        "==": TokenType.EQEQUAL,
        ">": TokenType.GREATER,
        ">=": TokenType.GREATEREQUAL,
        ">>": TokenType.RIGHTSHIFT,
        ">>=": TokenType.RIGHTSHIFTEQUAL,
        "@": TokenType.AT,
        "@=": TokenType.ATEQUAL,
        "[": TokenType.LSQB,
        "]": TokenType.RSQB,
        "^": TokenType.CIRCUMFLEX,
        "^=": TokenType.CIRCUMFLEXEQUAL,
        "{": TokenType.LBRACE,
        "|": TokenType.VBAR,
        "|=": TokenType.VBAREQUAL,
        "}": TokenType.RBRACE,
        "~": TokenType.TILDE,
    }
)
OPENERS = frozenset({TokenType.LPAR, TokenType.LSQB, TokenType.LBRACE})
CLOSERS = frozenset({TokenType.RPAR, TokenType.RSQB, TokenType.RBRACE})
# All that a name may be; of these and keywords only the first letters tell nothing yet.
NAMES = frozenset(kind for kind in TokenType if kind < TokenType.KEYWORD)
LAYOUT = frozenset({TokenType.NEWLINE, TokenType.NL, TokenType.INDENT, TokenType.DEDENT})
KEYWORDS = frozenset(keyword.kwlist)
