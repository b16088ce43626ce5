"""What a `tokenizer.json` says, and how it is changed so that text comes back byte for byte.

This module owns the file's JSON only; encoding and decoding are in `models.tokenizer`.
"""

import re
from pathlib import Path
from typing import Any

from models.config import read_json

# Code Llama's markers, which no bracket gives away.
UNBRACKETED_CONTROL = frozenset({"\u2581<PRE>", "\u2581<SUF>", "\u2581<MID>", "\u2581<EOT>"})
BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")


def is_byte_level(raw: dict[str, Any]) -> bool:
    """Whether tokens are written in the byte alphabet (else: text, with byte fallback)."""
    parts = ("normalizer", "pre_tokenizer", "decoder")
    return any(part["type"] == "ByteLevel" for name in parts for part in steps(raw.get(name)))


def has_byte_fallback(raw: dict[str, Any]) -> bool:
    return any(part["type"] == "ByteFallback" for part in steps(raw.get("decoder")))


def steps(part: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The steps of a normalizer, pre-tokenizer, post-processor or decoder, nested ones unfolded."""
    if part is None:
        return []
    if part["type"] != "Sequence":
        return [part]
    inner = next(value for key, value in part.items() if key != "type")
    return [step for each in inner for step in steps(each)]


def control_tokens(raw: dict[str, Any]) -> dict[str, int]:
    """Added tokens that steer the model and never stand for text.

    Fill-in-the-middle markers are often not flagged as special; their angle or square brackets
    give them away.
    """

    def is_control(content: str) -> bool:
        bracketed = (content[:1], content[-1:]) in {("<", ">"), ("[", "]")} and len(content) > 2
        return bracketed or content in UNBRACKETED_CONTROL

    return {
        added["content"]: int(added["id"])
        for added in raw.get("added_tokens") or ()
        if (added.get("special") or is_control(added["content"]))
        and not BYTE_TOKEN.fullmatch(added["content"])
    }


def text_tokens(raw: dict[str, Any]) -> dict[str, int]:
    """Added tokens that stand for their own text."""
    control = control_tokens(raw)
    return {
        added["content"]: int(added["id"])
        for added in raw.get("added_tokens") or ()
        if added["content"] not in control
    }


def bos_token(raw: dict[str, Any], folder: Path) -> int | None:
    """The token the model's own tokenizer puts first, if it puts one.

    `add_bos_token` of tokenizer_config.json has the last word, the post-processor the first.
    """
    file = folder / "tokenizer_config.json"
    settings = read_json(file) if file.exists() else {}
    if (wanted := settings.get("add_bos_token")) is None:
        firsts = map(put_first, steps(raw.get("post_processor")))
        return next((first for first in firsts if first is not None), None)
    name = settings.get("bos_token")
    if isinstance(name, dict):
        name = name.get("content")
    return control_tokens(raw).get(str(name)) if wanted else None


def put_first(processor: dict[str, Any]) -> int | None:
    """The id that a post-processor puts before a text."""
    if processor["type"] == "TemplateProcessing":
        name = processor["single"][0].get("SpecialToken", {}).get("id")
        return int(processor["special_tokens"][name]["ids"][0]) if name is not None else None
    if processor["type"] in {"BertProcessing", "RobertaProcessing"}:
        return int(processor["cls"][1])
    return None


def verbatim(raw: dict[str, Any]) -> dict[str, Any]:
    """The tokenizer as it has to be so that decoding gives back the text's own bytes.

    Without control tokens, Unicode normalisation, an added leading space, or anything that cuts,
    fills or varies what comes out.
    """
    control = control_tokens(raw)
    plain = {"lstrip": False, "rstrip": False, "single_word": False, "special": False}
    return raw | {
        "truncation": None,
        "padding": None,
        "added_tokens": [
            added | plain
            for added in raw.get("added_tokens") or ()
            if added["content"] not in control
        ],
        "normalizer": without_normalisation(raw.get("normalizer")),
        "pre_tokenizer": without_added_space(raw.get("pre_tokenizer")),
        "post_processor": None,
        "model": without_control(raw["model"], control, text_tokens(raw)),
    }


def without_control(
    model: dict[str, Any], control: dict[str, int], texts: dict[str, int]
) -> dict[str, Any]:
    """The model with all added tokens in its vocabulary, the control tokens out of reach.

    An added token without a place in the vocabulary would be given the next free id instead of
    its own. A control token keeps its id under a name that holds a space, which no piece of text
    does: spaces are written as another character before the model sees them.
    """
    hidden = {f"control token {number}": number for number in control.values()}
    kept = {piece: number for piece, number in model["vocab"].items() if piece not in control}
    pairs = [merge.split(" ") if isinstance(merge, str) else merge for merge in model["merges"]]
    return model | {
        "dropout": None,
        "unk_token": None,
        "vocab": kept | texts | hidden,
        "merges": [
            pair for pair in pairs if control.keys().isdisjoint((pair[0], pair[1], "".join(pair)))
        ],
    }


def without_normalisation(normalizer: dict[str, Any] | None) -> dict[str, Any] | None:
    """Only what can be undone: spaces written as another character, bytes as characters."""
    kept = [
        step
        for step in steps(normalizer)
        if step["type"] == "ByteLevel"
        or (step["type"] == "Replace" and step["pattern"] == {"String": " "})
    ]
    return {"type": "Sequence", "normalizers": kept} if kept else None


def without_added_space(pre_tokenizer: dict[str, Any] | None) -> dict[str, Any] | None:
    kept = [
        step
        | ({"add_prefix_space": False} if "add_prefix_space" in step else {})
        | ({"prepend_scheme": "never"} if "prepend_scheme" in step else {})
        for step in steps(pre_tokenizer)
    ]
    return {"type": "Sequence", "pretokenizers": kept} if kept else None
