"""The tokenizer that a GGUF file describes, as `tokenizer.json` and its settings."""

from collections.abc import Callable
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors

from models.errors import UnsupportedModelError

NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5  # token types of GGUF


def build_tokenizer(fields: dict[str, Any]) -> Tokenizer:
    """The byte-level BPE tokenizer that a GGUF file describes."""
    kind = str(fields.get("tokenizer.ggml.model"))
    splitter = SPLITTERS.get(str(fields.get("tokenizer.ggml.pre")))
    if kind != "gpt2" or splitter is None:
        raise UnsupportedModelError(
            f"GGUF tokenizer '{kind}/{fields.get('tokenizer.ggml.pre')}' cannot be converted; "
            f"use one of {', '.join(SPLITTERS)}"
        )
    tokens: list[str] = fields["tokenizer.ggml.tokens"]
    types: list[int] = fields.get("tokenizer.ggml.token_type") or [NORMAL] * len(tokens)
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]]
    vocabulary = {token: i for i, token in enumerate(tokens) if types[i] != UNUSED}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = splitter()
    tokenizer.decoder = decoders.ByteLevel()
    added = (CONTROL, USER_DEFINED)
    tokenizer.add_tokens(
        [
            AddedToken(token, normalized=False, special=types[i] == CONTROL)
            for i, token in enumerate(tokens)
            if types[i] in added
        ]
    )
    if (first := first_token(fields)) is not None:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{tokens[first]} $A", special_tokens=[(tokens[first], first)]
        )
    return tokenizer


def first_token(fields: dict[str, Any]) -> int | None:
    """The token that the model wants before a text, if it wants one."""
    wanted = fields.get("tokenizer.ggml.add_bos_token", False)
    return fields.get("tokenizer.ggml.bos_token_id") if wanted else None


def tokenizer_settings(fields: dict[str, Any]) -> dict[str, Any]:
    tokens = fields["tokenizer.ggml.tokens"]

    def name(kind: str) -> str | None:
        token = fields.get(f"tokenizer.ggml.{kind}_token_id")
        return None if token is None else str(tokens[token])

    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": first_token(fields) is not None,
        "bos_token": name("bos"),
        "eos_token": name("eos"),
        "pad_token": name("padding"),
    }


def qwen2_splitter() -> pre_tokenizers.PreTokenizer:
    """Qwen2 splits off contractions, words, single digits, punctuation and line breaks."""
    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def smollm_splitter() -> pre_tokenizers.PreTokenizer:
    """SmolLM splits single digits off, then as GPT-2 does."""
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )


SPLITTERS: dict[str, Callable[[], pre_tokenizers.PreTokenizer]] = {
    "qwen2": qwen2_splitter,
    "smollm": smollm_splitter,
}
