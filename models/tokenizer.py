"""Text to token ids and back, byte-exact.

Source text is never allowed to become a control token: a file that spells out a marker such as
`<|fim_middle|>` is encoded as the plain characters it is. Unicode normalisation and the leading
space that some tokenizers add are switched off, so that decoding gives back the text's own bytes.
"""

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from models.config import read_json
from models.errors import DamagedModelError, UnsupportedModelError
from models.tokenizer_file import (
    BYTE_TOKEN,
    bos_token,
    control_tokens,
    has_byte_fallback,
    is_byte_level,
    text_tokens,
    verbatim,
)

SPACE = "\u2581"  # how a byte-fallback tokenizer writes a space
SURROGATES = r"\ud800-\udfff"  # no characters, and without bytes
REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True)
class Encoding:
    """Token ids and, for each, the half-open character range of the text it stands for."""

    tokens: list[int]
    offsets: list[tuple[int, int]]


class CodeTokenizer:
    """A byte-level or byte-fallback tokenizer of a model folder."""

    def __init__(self, folder: Path) -> None:
        raw = read_json(folder / "tokenizer.json")
        try:
            kind = raw["model"].get("type", "BPE")
            self._byte_level = is_byte_level(raw)
            supported = kind == "BPE" and (self._byte_level or has_byte_fallback(raw))
            self._bos = bos_token(raw, folder)
            self.control = control_tokens(raw)
            self._tokenizer = Tokenizer.from_str(json.dumps(verbatim(raw) if supported else raw))
            pieces: dict[str, int] = self._tokenizer.get_vocab(with_added_tokens=True)
            self._bytes = [b""] * (1 + max(pieces.values(), default=-1))
            for piece, token in pieces.items():
                self._bytes[token] = self._spell(piece)
            for content, token in text_tokens(raw).items():
                written = content if self._byte_level else content.replace(SPACE, " ")
                byte = BYTE_TOKEN.fullmatch(content)
                self._bytes[token] = bytes([int(byte[1], 16)]) if byte else written.encode()
            for token in self.control.values():
                self._bytes[token] = b""
        except UnsupportedModelError:
            raise
        except Exception as error:  # the tokenizers library raises nothing narrower
            raise DamagedModelError(
                f"{folder / 'tokenizer.json'} is not a usable tokenizer ({error!r}); fetch it again"
            ) from None
        spelled = sorted((b, token) for token, b in enumerate(self._bytes) if b)
        known = {spelling[0] for spelling in self._bytes if len(spelling) == 1}
        self._without_token = re.compile(f"[{SURROGATES}{seldom_written(known)}]")
        self._spellings = [spelling for spelling, _ in spelled]
        self._by_spelling = torch.tensor([token for _, token in spelled])
        self._space_bytes = [pieces.get(f"<0x{byte:02X}>", -1) for byte in SPACE.encode()]
        if not supported or self.decode(self.encode(EVERY_BYTE)) != self._known(EVERY_BYTE):
            raise UnsupportedModelError(
                f"the tokenizer of {folder} is not a byte-level or byte-fallback BPE that keeps "
                "every byte of a text; use another model"
            )

    @property
    def start_tokens(self) -> list[int]:
        """What a prompt begins with: the beginning-of-text token, or nothing."""
        return [] if self._bos is None else [self._bos]

    @property
    def size(self) -> int:
        """One more than the largest token id."""
        return len(self._bytes)

    def encode(self, text: str) -> list[int]:
        """Token ids of plain text; no control token is added or recognised."""
        return self.encode_with_offsets(text).tokens

    def encode_with_offsets(self, text: str) -> Encoding:
        text = self._known(text)
        if not self._byte_level and SPACE in text:
            return self._encode_around_space_signs(text)
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        return Encoding(encoded.ids, encoded.offsets)

    def token_bytes(self, token: int) -> bytes:
        """The bytes a token writes; none for control tokens and ids without a token."""
        return self._bytes[token] if token < len(self._bytes) else b""

    def last_piece(self, text: str) -> str:
        """The end of `text` from a place on that no token crosses, however the text goes on.

        That is the last pre-token; where there are none, the last word and the blanks before it.
        """
        text = self._known(text)
        splitter = self._tokenizer.pre_tokenizer
        if splitter is None:
            return text[len(text.rstrip(" ").rpartition(" ")[0].rstrip(" ")) :]
        pieces = splitter.pre_tokenize_str(text)
        return text[pieces[-1][1][0] :] if pieces else ""

    def longer_than(self, text: bytes) -> Tensor:
        """Tokens that begin with `text` and write more; any token after none, control ones too."""
        if not text:
            return torch.arange(self.size)
        start = bisect_right(self._spellings, text)
        end = bisect_right(self._spellings, text, key=lambda spelling: spelling[: len(text)])
        return self._by_spelling[start:end]

    def fitting(self, text: bytes) -> Tensor:
        """Tokens that begin as `text` does, whichever of the two is longer; `text` is not empty."""
        ranges = [self.longer_than(text)]
        for length in range(1, len(text) + 1):
            first = bisect_left(self._spellings, text[:length])
            ranges.append(self._by_spelling[first : bisect_right(self._spellings, text[:length])])
        return torch.cat(ranges)

    def spelled(self, tokens: Iterable[int]) -> bytes:
        """The bytes that all `tokens` write."""
        return b"".join(map(self.token_bytes, tokens))

    def decode(self, tokens: list[int]) -> str:
        """The text of `tokens`; bytes that are no UTF-8 yet show as U+FFFD."""
        return self.spelled(tokens).decode("utf-8", errors="replace")

    def _encode_around_space_signs(self, text: str) -> Encoding:
        """The sign that stands for a space, when the text itself has it, is written in bytes."""
        tokens: list[int] = []
        offsets: list[tuple[int, int]] = []
        start = 0
        for piece in re.split(f"({SPACE})", text):
            end = start + len(piece)
            if piece == SPACE:
                tokens += self._space_bytes
                offsets += [(start, end)] * len(self._space_bytes)
            elif piece:
                encoded = self._tokenizer.encode(piece, add_special_tokens=False)
                tokens += encoded.ids
                offsets += [(start + first, start + last) for first, last in encoded.offsets]
            start = end
        return Encoding(tokens, offsets)

    def _known(self, text: str) -> str:
        """The text with U+FFFD, one for one, for what no token can write."""
        return self._without_token.sub(REPLACEMENT, text)

    def _spell(self, piece: str) -> bytes:
        if self._byte_level:
            try:
                return bytes(map(BYTE_OF_CHARACTER.__getitem__, piece))
            except KeyError:  # an added token, which is written as it is
                return piece.encode()
        if byte := BYTE_TOKEN.fullmatch(piece):
            return bytes([int(byte[1], 16)])
        return piece.replace(SPACE, " ").encode()


def seldom_written(known: Container[int]) -> str:
    """Of the characters that no source text needs, those one of whose bytes is not `known`, as in a
    class of a regular expression: control characters, and planes of Unicode that hold none yet."""
    control = (chr(byte) for byte in (*range(0x20), 0x7F) if chr(byte) not in "\t\n\f\r")
    planes = {0xF1: "\U00040000-\U0007ffff", 0xF2: "\U00080000-\U000bffff"}
    planes |= {0xF3: "\U000c0000-\U000fffff", 0xF4: "\U00100000-\U0010ffff"}
    lost = [re.escape(character) for character in control if ord(character) not in known]
    return "".join(lost + [plane for lead, plane in planes.items() if lead not in known])


def byte_alphabet() -> dict[str, int]:
    """The character by which byte-level BPE writes each byte, inverted (GPT-2, section 2.2).

    Printable Latin-1 characters stand for themselves; the rest follow from U+0100 on, in order.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    alphabet = {chr(byte): byte for byte in printable}
    return alphabet | {chr(0x100 + i): byte for i, byte in enumerate(others)}


BYTE_OF_CHARACTER = byte_alphabet()

# Every byte that UTF-8 can hold, runs of blanks, and what normalisation would change.
EVERY_BYTE = "".join(
    [
        *map(chr, range(0x800)),
        *(chr(lead << 12 | 0x800) for lead in range(16) if lead != 0xD),
        *("\U00010000", "\U00050000", "\U00090000", "\U000d0000", "\U00100000", "\ud7ff"),
        "    \n\n\t\tx \r\n e\u0301 \ufb01 \u2581 ",
    ]
)
