"""Types of tokens, told while typing."""

import ast
import io
import sysconfig
import token
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from completion.token_types.lexer import NOTHING_OPEN, lex_line
from completion.token_types.numbers import WORDS, word_of
from completion.token_types.typed_text import TypedText, TypedToken
from completion.token_types.types import KEYWORDS, TokenType

STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib"))
PARTS_OF_STRINGS = {"FSTRING_START", "FSTRING_MIDDLE", "FSTRING_END"}  # since Python 3.12


def lexed_types(text: str) -> list[str]:
    found: list[str] = []
    now = NOTHING_OPEN
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        lexed = lex_line(line, now, ended=number < len(lines))
        found += (one.type.name for one in lexed.tokens)
        now = lexed.open
    return found


def tokenized_types(text: str) -> list[str]:
    """What Python's own tokenizer says, without the end of the file and what it closes."""
    found: list[str] = []
    strings = 0  # f-strings open, each of which is one string here
    for one in tokenize.generate_tokens(io.StringIO(text).readline):
        name = token.tok_name[one.exact_type]
        if name in PARTS_OF_STRINGS or strings:
            strings += (name == "FSTRING_START") - (name == "FSTRING_END")
            if not strings:
                found.append("STRING")
        elif name == "NAME" and one.string in KEYWORDS:
            found.append("KEYWORD")
        elif name != "ENDMARKER" and (name, one.string) != ("NEWLINE", ""):
            found.append(name)
    while found and found[-1] == "DEDENT":
        found.pop()
    return found


def parseable_texts() -> Iterator[str]:
    for path in sorted(STANDARD_LIBRARY.rglob("*.py")):
        if "site-packages" in path.parts:
            continue
        try:
            with tokenize.open(path) as file:
                text = file.read()
            ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        yield text


@pytest.mark.filterwarnings("ignore")
def test_the_standard_library_has_the_types_that_pythons_tokenizer_gives_it() -> None:
    texts = list(parseable_texts())
    assert len(texts) > 500
    wrong = [text[:60] for text in texts if lexed_types(text) != tokenized_types(text)]
    assert wrong == []


def typed(text: str) -> list[tuple[str, str]]:
    """Names with their types."""
    prefix = TypedText().follow(text)
    every = [*(one for line in prefix.lines for one in line.tokens), *prefix.with_text("").tokens]
    return [(one.text, one.type.name) for one in every if one.type < TokenType.KEYWORD]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import os.path as p", "os MODULE, path MODULE, p ALIAS"),
        ("from a.b import C, d", "a MODULE, b MODULE, C CLASS, d FUNCTION"),
        ("from a import B_C as d", "a MODULE, B_C VARIABLE, d ALIAS"),
        ("from a import (\n    b,\n", "a MODULE, b FUNCTION"),
        ("def f(a, *b): a", "f FUNCTION, a PARAMETER, b PARAMETER, a PARAMETER"),
        ("def f(a=b, c: d=e", "f FUNCTION, a PARAMETER, b NAME, c PARAMETER, d NAME, e NAME"),
        ("def f(a):\n    a.b", "f FUNCTION, a PARAMETER, a PARAMETER, b ATTRIBUTE"),
        ("async def f(a):\n    a", "f FUNCTION, a PARAMETER, a PARAMETER"),
        ("class A(B):\n    def c():\n        c, A", "A CLASS, B NAME, c FUNCTION, c NAME, A CLASS"),
        ("class A:\n    b = 1\n    b", "A CLASS, b NAME, b VARIABLE"),
        ("a = b = 1\na, b", "a NAME, b NAME, a VARIABLE, b VARIABLE"),
        ("a, b = c\na, b, c", "a NAME, b NAME, c NAME, a VARIABLE, b VARIABLE, c NAME"),
        ("a: b = c\na, b, c", "a NAME, b NAME, c NAME, a VARIABLE, b NAME, c NAME"),
        ("a.b = 1\na", "a NAME, b ATTRIBUTE, a NAME"),
        ("a == b\na", "a NAME, b NAME, a NAME"),
        ("f(a=1)\na", "f NAME, a NAME, a NAME"),
        ("for a, b in c:\n    a, b, c", "a NAME, b NAME, c NAME, a VARIABLE, b VARIABLE, c NAME"),
        ("[a for a in b if a]\na", "a NAME, a NAME, b NAME, a VARIABLE, a NAME"),
        ("with a as b, c as d: d", "a NAME, b NAME, c NAME, d NAME, d VARIABLE"),
        ("lambda a, b=c: a + b", "a PARAMETER, b PARAMETER, c NAME, a PARAMETER, b PARAMETER"),
        ("if (a := 1): a", "a NAME, a VARIABLE"),
        ("match a:\n    case b: a", "match NAME, a NAME, case NAME, b NAME, a NAME"),
        ("def f():\n    a = 1\na", "f FUNCTION, a NAME, a NAME"),
        ("def f(): pass\nif a:\n    b = 1\nb", "f FUNCTION, a NAME, b NAME, b VARIABLE"),
        ("a = 1\ndef f():\n    a", "a NAME, f FUNCTION, a VARIABLE"),
        ("def f() -> a[b, c]: b", "f FUNCTION, a NAME, b NAME, c NAME, b NAME"),
        ("def f(a=B * C, d=2 ** E", "f FUNCTION, a PARAMETER, B NAME, C NAME, d PARAMETER, E NAME"),
        ("def f[T, U](x: T): U", "f FUNCTION, T NAME, U NAME, x PARAMETER, T NAME, U NAME"),
        ("def f(*, a, **b): 0", "f FUNCTION, a PARAMETER, b PARAMETER"),
        (
            "def f(k=lambda x: x, y=0):\n    x, y",
            "f FUNCTION, k PARAMETER, x PARAMETER, x PARAMETER, y PARAMETER, x NAME, y PARAMETER",
        ),
        ("def f(a):\n    a[0] = 1\n    a", "f FUNCTION, a PARAMETER, a PARAMETER, a PARAMETER"),
        ("def f(): 0\nf(a)[0] = 2\nf", "f FUNCTION, f FUNCTION, a NAME, f FUNCTION"),
        ("f = lambda a=b, c=d: 0\nb", "f NAME, a PARAMETER, b NAME, c PARAMETER, d NAME, b NAME"),
        (
            "async def f(a):\n    async with a:\n        a",
            "f FUNCTION, a PARAMETER, a PARAMETER, a PARAMETER",
        ),
        ("async for a in b:\n    a", "a NAME, b NAME, a VARIABLE"),
        ("type A = b\ntype, A", "type NAME, A NAME, b NAME, type NAME, A VARIABLE"),
        ("import a as b\na, b", "a MODULE, b ALIAS, a NAME, b ALIAS"),
        ("from a import b as c\nb", "a MODULE, b FUNCTION, c ALIAS, b NAME"),
        ("def f(a): return a\na", "f FUNCTION, a PARAMETER, a PARAMETER, a NAME"),
        ("class A: b = 1\nb", "A CLASS, b NAME, b NAME"),
        ("import a\n[a for a in b]\na", "a MODULE, a MODULE, a MODULE, b NAME, a MODULE"),
        ("f(lambda a: a)\na", "f NAME, a PARAMETER, a PARAMETER, a NAME"),
        ("f(a,\nimport b\nb", "f NAME, a NAME, b MODULE, b MODULE"),
        ("def f(a,\n    return b, c", "f FUNCTION, a PARAMETER, b NAME, c NAME"),
    ],
)  # fmt: skip
def test_names_have_the_role_that_the_text_above_gives_them(text: str, expected: str) -> None:
    assert ", ".join(f"{name} {role}" for name, role in typed(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = (1,\ndef f", "NAME EQUAL LPAR NUMBER COMMA NL KEYWORD NAME"),
        ("a = 'b\nc", "NAME EQUAL STRING NEWLINE NAME"),
        ("if a:\n        b\n    c", "KEYWORD NAME COLON NEWLINE INDENT NAME NEWLINE DEDENT NAME"),
        ("a ? b)", "NAME ERRORTOKEN NAME RPAR"),
        ("a,\xa0(b\nc", "NAME COMMA ERRORTOKEN LPAR NAME NL NAME"),
        ("if a:\n    b\n\x0b\n    c", "KEYWORD NAME COLON NEWLINE INDENT NAME NEWLINE NL NAME"),
        ('"""a\nb', ""),
        ("a = 'b", "NAME EQUAL"),
        ("    ", ""),
    ],
)
def test_text_that_does_not_parse_is_read_on(text: str, expected: str) -> None:
    assert " ".join(lexed_types(text)) == expected


def test_a_string_of_several_lines_stands_where_it_began() -> None:
    (_, _, line) = TypedText().follow('a = """b\nc\n""" + d\n').lines
    (string, plus, *_) = line.tokens
    assert (string.start, string.end) == (-len('"""b\nc\n'), 3)
    assert (plus.start, plus.end) == (4, 5)


def test_what_is_declared_is_told_by_how_near_it_is() -> None:
    text = """A = 1
class B:
    def c(self):
        self.e
    def d(self, x):
        self.f
        y = x
        """
    declared = TypedText().follow(text).with_text("").scopes.declared()
    assert declared.names[TokenType.FUNCTION].keys() == {"self", "x", "y"}
    assert declared.names[TokenType.CLASS].keys() == {"c", "d"}
    assert declared.names[TokenType.MODULE].keys() == {"A", "B"}
    assert declared.attributes[TokenType.FUNCTION] == {"f"}
    assert declared.attributes[TokenType.CLASS] == {"e", "c", "d"}


def test_what_is_written_after_the_cursor_is_read_on_from_it() -> None:
    prefix = TypedText().follow("def f(a):\n    b = a")
    end = prefix.with_text(".c\n    b")
    assert [(one.type.name, one.text) for one in end.tokens[-5:]] == [
        ("PARAMETER", "a"),
        ("DOT", "."),
        ("ATTRIBUTE", "c"),
        ("NEWLINE", ""),
        ("VARIABLE", "b"),
    ]
    assert end.scopes.roles().keys() == {"f", "a", "b"}
    assert prefix.with_text("").tokens[-1].text == "a"


def test_names_and_keywords_have_numbers_of_their_own() -> None:
    def word(kind: TokenType, text: str) -> int:
        return word_of(TypedToken(kind, text, 0, len(text)))

    assert word(TokenType.VARIABLE, "self") == word(TokenType.PARAMETER, "self")
    assert 0 < word(TokenType.KEYWORD, "if") < WORDS
    assert word(TokenType.LPAR, "(") == word(TokenType.STRING, "'a'") == 0


def test_of_a_very_long_line_only_the_end_is_recent() -> None:
    text = "X = [" + "1, " * 5_000 + "]\ny = "
    assert len(TypedText().follow(text).recent(100)) == 200


def test_recent_tokens_begin_at_the_same_line_while_the_cursor_stays_near() -> None:
    lines = [f"name_{number} = {number}\n" for number in range(64)]
    begun = {
        TypedText().follow("".join(lines[:count])).recent(64)[0].text for count in range(48, 56)
    }
    assert len(begun) <= 2
