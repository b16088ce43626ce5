"""Text to token ids and back, byte-exact.

Source text is never allowed to become a control token: a file that spells out a marker such as
`<|fim_middle|>` is encoded as the plain characters it is. Unicode normalisation and the leading
space that some tokenizers add are switched off, so that decoding gives back the text's own bytes.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from models.config import read_json
from models.errors import UnsupportedModelError


@dataclass(frozen=True, slots=True)
class Encoding:
    """Token ids and, for each, the half-open character range of the text it stands for."""

    tokens: list[int]
    offsets: list[tuple[int, int]]


class CodeTokenizer:
    """A byte-level or byte-fallback tokenizer of a model folder."""

    def __init__(self, folder: Path) -> None:
        raw = read_json(folder / "tokenizer.json")
        self._bos = bos_token(raw, folder)
        self.control = control_tokens(raw)
        self._byte_level = is_byte_level(raw)
        if not self._byte_level and '"ByteFallback"' not in json.dumps(raw.get("decoder")):
            raise UnsupportedModelError(
                f"the tokenizer of {folder} is neither byte-level nor byte-fallback; "
                "use a model whose tokenizer keeps every byte"
            )
        self._tokenizer = Tokenizer.from_str(json.dumps(verbatim(raw)))
        self._bytes = [
            self._spell(self._tokenizer.id_to_token(i) or "") for i in range(self._size())
        ]
        for token in self.control.values():
            if token < len(self._bytes):
                self._bytes[token] = b""
        for added in raw.get("added_tokens", ()):
            if added["content"] not in self.control and added["id"] < len(self._bytes):
                self._bytes[added["id"]] = added["content"].encode()

    @property
    def start_tokens(self) -> list[int]:
        """What a prompt begins with: the beginning-of-text token, or nothing."""
        return [] if self._bos is None else [self._bos]

    def encode(self, text: str) -> list[int]:
        """Token ids of plain text; no control token is added or recognised."""
        tokens: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return tokens

    def encode_with_offsets(self, text: str) -> Encoding:
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        return Encoding(encoded.ids, encoded.offsets)

    def token_bytes(self, token: int) -> bytes:
        """The bytes a token writes; none for control tokens and ids without a token."""
        return self._bytes[token] if token < len(self._bytes) else b""

    def decode(self, tokens: list[int]) -> str:
        """The text of `tokens`; bytes that are no UTF-8 yet show as U+FFFD."""
        return b"".join(map(self.token_bytes, tokens)).decode("utf-8", errors="replace")

    def _size(self) -> int:
        return int(self._tokenizer.get_vocab_size(with_added_tokens=True))

    def _spell(self, piece: str) -> bytes:
        if self._byte_level:
            return bytes(BYTE_OF_CHARACTER.get(character, 0) for character in piece)
        if len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">"):
            return bytes([int(piece[3:5], 16)])
        return piece.replace("\u2581", " ").encode()


def byte_alphabet() -> dict[str, int]:
    """The character by which byte-level BPE writes each byte, inverted (GPT-2, section 2.2).

    Printable Latin-1 characters stand for themselves; the rest follow from U+0100 on, in order.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    alphabet = {chr(byte): byte for byte in printable}
    return alphabet | {chr(0x100 + i): byte for i, byte in enumerate(others)}


BYTE_OF_CHARACTER = byte_alphabet()


def is_byte_level(raw: dict[str, Any]) -> bool:
    return any('"ByteLevel"' in json.dumps(raw.get(p)) for p in ("pre_tokenizer", "decoder"))


def control_tokens(raw: dict[str, Any]) -> dict[str, int]:
    """Added tokens that steer the model and never stand for text.

    Fill-in-the-middle markers are often not flagged as special; their angle or square brackets
    give them away.
    """

    def is_control(content: str) -> bool:
        return (content[:1], content[-1:]) in {("<", ">"), ("[", "]")} or content in (
            "\u2581<PRE>",
            "\u2581<SUF>",
            "\u2581<MID>",
            "\u2581<EOT>",
        )

    return {
        added["content"]: int(added["id"])
        for added in raw.get("added_tokens", ())
        if added.get("special") or is_control(added["content"])
    }


def bos_token(raw: dict[str, Any], folder: Path) -> int | None:
    """The token the model's own tokenizer puts first, if it puts one."""
    settings = folder / "tokenizer_config.json"
    name = read_json(settings).get("bos_token") if settings.exists() else None
    if isinstance(name, dict):
        name = name.get("content")
    first = Tokenizer.from_str(json.dumps(raw)).encode("", add_special_tokens=True).ids[:1]
    known = {added["content"]: int(added["id"]) for added in raw.get("added_tokens", ())}
    return first[0] if first and known.get(str(name)) == first[0] else None


def verbatim(raw: dict[str, Any]) -> dict[str, Any]:
    """The tokenizer without control tokens, Unicode normalisation or an added leading space."""
    control = control_tokens(raw)
    return raw | {
        "added_tokens": [a for a in raw.get("added_tokens", ()) if a["content"] not in control],
        "normalizer": without_normalisation(raw.get("normalizer")),
        "pre_tokenizer": without_added_space(raw.get("pre_tokenizer")),
        "post_processor": None,
    }


def without_normalisation(normalizer: dict[str, Any] | None) -> dict[str, Any] | None:
    if normalizer is None or normalizer["type"] in {"NFC", "NFD", "NFKC", "NFKD", "Prepend"}:
        return None
    if normalizer["type"] == "Sequence":
        kept = [part for p in normalizer["normalizers"] if (part := without_normalisation(p))]
        return {"type": "Sequence", "normalizers": kept} if kept else None
    return normalizer


def without_added_space(pre_tokenizer: dict[str, Any] | None) -> dict[str, Any] | None:
    if pre_tokenizer is None:
        return None
    if pre_tokenizer["type"] == "Sequence":
        parts = [without_added_space(part) for part in pre_tokenizer["pretokenizers"]]
        return {"type": "Sequence", "pretokenizers": parts}
    changed = dict(pre_tokenizer)
    if "add_prefix_space" in changed:
        changed["add_prefix_space"] = False
    if "prepend_scheme" in changed:
        changed["prepend_scheme"] = "never"
    return changed
