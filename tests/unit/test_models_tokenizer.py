"""The tokenizer: every byte comes back, and no text becomes a control token."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from models.errors import UnsupportedModelError
from models.language_model import LanguageModel
from models.tokenizer import BYTE_OF_CHARACTER, CodeTokenizer
from tests.unit.tiny_models import BYTES, byte_level_tokenizer

MARKERS = (
    "<s>",
    "</s>",
    "<|endoftext|>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "\u2581<PRE>",
    "[INST]",
)


def sentencepiece_vocabulary() -> dict[str, int]:
    """As Llama 2 has it: control tokens, bytes, then text, with a sign for the space."""
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    pieces += ["\u2581", *"abcdefs<>|/\u00e9", "\u2581\u2581", "de", "def", "\u2581def", "s>", "<s"]
    return {piece: i for i, piece in enumerate(pieces)}


def sentencepiece_tokenizer() -> Tokenizer:
    """Byte-fallback BPE in which merges lead to a control token, as they can in the wild."""
    merges = [("\u2581", "\u2581"), ("d", "e"), ("de", "f"), ("\u2581", "def")]
    merges += [("s", ">"), ("<", "s>"), ("<", "s"), ("<s", ">")]
    tokenizer = Tokenizer(
        models.BPE(sentencepiece_vocabulary(), merges, unk_token="<unk>", byte_fallback=True)
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.add_tokens(["\u2581<PRE>", "[INST]"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 1)]
    )
    return tokenizer


def with_prepend() -> Tokenizer:
    tokenizer = sentencepiece_tokenizer()
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    )
    return tokenizer


def with_metaspace() -> Tokenizer:
    tokenizer = sentencepiece_tokenizer()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    return tokenizer


def with_normalisation() -> Tokenizer:
    tokenizer = byte_level_tokenizer()
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    return tokenizer


def with_limits() -> Tokenizer:
    tokenizer = byte_level_tokenizer()
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=9, pad_id=256)
    return tokenizer


def with_text_after_control() -> Tokenizer:
    """Added text whose ids come after those of control tokens, greedy for blanks around it."""
    tokenizer = byte_level_tokenizer()
    tokenizer.add_tokens(["    ", "def f"])
    raw = json.loads(tokenizer.to_str())
    for added in raw["added_tokens"]:
        added |= {"lstrip": True, "rstrip": True}
    raw["model"]["dropout"] = 0.5
    return Tokenizer.from_str(json.dumps(raw))


def with_whole_words() -> Tokenizer:
    """Words that the vocabulary holds are taken without merging, markers among them."""
    raw = json.loads(byte_level_tokenizer().to_str())
    raw["model"]["ignore_merges"] = True
    raw["model"]["vocab"] |= {added["content"]: added["id"] for added in raw["added_tokens"]}
    raw["pre_tokenizer"]["use_regex"] = False
    return Tokenizer.from_str(json.dumps(raw))


BYTE_LEVEL = (
    *(byte_level_tokenizer, with_normalisation, with_limits),
    *(with_text_after_control, with_whole_words),
)
BYTE_FALLBACK = (with_prepend, with_metaspace)


def open_tokenizer(tokenizer: Tokenizer, folder: Path, **settings: Any) -> CodeTokenizer:
    tokenizer.save(str(folder / "tokenizer.json"))
    if settings:
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return CodeTokenizer(folder)


@pytest.fixture(
    scope="module", params=[*BYTE_LEVEL, *BYTE_FALLBACK], ids=lambda make: make.__name__
)
def tokenizer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> CodeTokenizer:
    make: Callable[[], Tokenizer] = request.param
    return open_tokenizer(make(), tmp_path_factory.mktemp("tokenizer"))


code = st.text(st.sampled_from("abdefs <>|/\t\n\r\u2581\u00e9")) | st.text()
lines = st.text(st.sampled_from("abs 1'.(_=\u00e9\t\u6f22"), max_size=12)
with_markers = st.lists(code | st.sampled_from(MARKERS)).map("".join)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(with_markers)
@example("  def f(a):\r\n\treturn 'e\u0301 \u00e9 \ufb01 \u2581 <s> <|fim_middle|>'  \n\n\x00")
@example("<s><0x0A>")
def test_every_byte_comes_back(tokenizer: CodeTokenizer, text: str) -> None:
    encoding = tokenizer.encode_with_offsets(text)
    assert tokenizer.encode(text) == encoding.tokens
    assert b"".join(map(tokenizer.token_bytes, encoding.tokens)) == text.encode()
    assert tokenizer.decode(encoding.tokens) == text
    assert not set(tokenizer.control.values()) & set(encoding.tokens)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(with_markers)
def test_each_token_knows_the_characters_it_stands_for(tokenizer: CodeTokenizer, text: str) -> None:
    encoding = tokenizer.encode_with_offsets(text)
    character_of_byte = [i for i, character in enumerate(text) for _ in character.encode()]
    done = 0
    for token, (start, end) in zip(encoding.tokens, encoding.offsets, strict=True):
        written = character_of_byte[done : done + len(tokenizer.token_bytes(token))]
        assert (start, end) == (written[0], written[-1] + 1)
        done += len(written)


def test_every_id_has_its_bytes(tokenizer: CodeTokenizer) -> None:
    assert all(isinstance(tokenizer.token_bytes(token), bytes) for token in range(tokenizer.size))
    assert tokenizer.token_bytes(10**6) == b""
    assert {tokenizer.token_bytes(token) for token in tokenizer.control.values()} == {b""}
    written = {tokenizer.token_bytes(token) for token in range(tokenizer.size)}
    assert {bytes([byte]) for byte in range(256)} <= written


def test_unfinished_characters_show_as_replacements(tokenizer: CodeTokenizer) -> None:
    tokens = tokenizer.encode("\U0001f642")
    assert tokenizer.decode(tokens[:-1]) == "\ufffd"


def test_a_lone_surrogate_is_one_replacement_character(tokenizer: CodeTokenizer) -> None:
    encoding = tokenizer.encode_with_offsets("a\ud800b")
    assert tokenizer.decode(encoding.tokens) == "a\ufffdb"
    assert encoding.offsets[-1] == (2, 3)


def test_added_text_keeps_its_ids(tmp_path: Path) -> None:
    raw = with_text_after_control()
    tokenizer = open_tokenizer(raw, tmp_path)
    ids = raw.get_vocab()
    assert tokenizer.encode("def f") == [ids["def f"]]
    assert tokenizer.token_bytes(ids["    "]) == b"    "
    assert tokenizer.size == raw.get_vocab_size()


def test_merges_are_used(tmp_path: Path) -> None:
    tokenizer = open_tokenizer(with_prepend(), tmp_path)
    vocabulary = sentencepiece_vocabulary()
    assert tokenizer.encode("def  def") == [
        vocabulary[piece] for piece in ("def", "\u2581\u2581", "def")
    ]


def test_control_tokens_are_known_by_name(tmp_path: Path) -> None:
    byte_level = open_tokenizer(byte_level_tokenizer(), tmp_path)
    assert byte_level.control == {
        "<|endoftext|>": 258,
        "<|fim_prefix|>": 259,
        "<|fim_suffix|>": 260,
        "<|fim_middle|>": 261,
    }
    fallback = open_tokenizer(with_prepend(), tmp_path)
    assert {"<s>", "</s>", "\u2581<PRE>", "[INST]"} <= fallback.control.keys()


@pytest.mark.parametrize("content", ["<>", "[]", "->", "<=", "def"])
def test_added_text_that_looks_a_little_like_a_marker_stays_text(
    tmp_path: Path, content: str
) -> None:
    raw = byte_level_tokenizer()
    raw.add_tokens([content])
    tokenizer = open_tokenizer(raw, tmp_path)
    assert content not in tokenizer.control
    assert tokenizer.decode(tokenizer.encode(content)) == content


@pytest.mark.parametrize(
    ("make", "settings", "expected"),
    [
        (byte_level_tokenizer, {}, []),
        (byte_level_tokenizer, {"bos_token": "<|endoftext|>"}, []),
        (byte_level_tokenizer, {"bos_token": "<|endoftext|>", "add_bos_token": True}, [258]),
        (with_prepend, {}, [1]),
        (with_prepend, {"bos_token": {"content": "<s>"}, "add_bos_token": True}, [1]),
        (with_prepend, {"bos_token": "<s>", "add_bos_token": False}, []),
    ],
)
def test_a_prompt_begins_as_the_model_is_used_to(
    tmp_path: Path, make: Callable[[], Tokenizer], settings: dict[str, Any], expected: list[int]
) -> None:
    assert open_tokenizer(make(), tmp_path, **settings).start_tokens == expected


def test_an_end_token_is_not_taken_for_a_beginning(tmp_path: Path) -> None:
    raw = with_prepend()
    raw.post_processor = processors.Sequence(
        [
            processors.ByteLevel(),
            processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 2)]),
        ]
    )
    assert open_tokenizer(raw, tmp_path).start_tokens == []


def unigram() -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram([("<unk>", 0.0), ("a", -1.0)], 0, byte_fallback=True))
    tokenizer.decoder = decoders.ByteFallback()
    return tokenizer


def words() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({"a": 0}, unk_token="a"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


def blanks_dropped() -> Tokenizer:
    tokenizer = byte_level_tokenizer()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.ByteLevel(use_regex=False)]
    )
    return tokenizer


def a_byte_missing() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE({character: i for i, character in enumerate(BYTES[1:])}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


def test_characters_that_no_source_needs_may_lack_a_token(tmp_path: Path) -> None:
    pieces = [piece for piece in BYTES if BYTE_OF_CHARACTER[piece] not in (0x04, 0xF3)]
    raw = Tokenizer(models.BPE({piece: i for i, piece in enumerate(pieces)}, []))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    tokenizer = open_tokenizer(raw, tmp_path)
    assert tokenizer.decode(tokenizer.encode("a\x04b\x05\U000c0000c")) == "a\ufffdb\x05\ufffdc"
    assert tokenizer.encode_with_offsets("\x04b").offsets[-1] == (1, 2)


@pytest.mark.parametrize("make", [unigram, words, blanks_dropped, a_byte_missing])
def test_tokenizers_that_lose_bytes_are_refused(
    tmp_path: Path, make: Callable[[], Tokenizer]
) -> None:
    with pytest.raises(UnsupportedModelError, match="keeps every byte"):
        open_tokenizer(make(), tmp_path)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=code.filter(bool))
def test_tokens_that_fit_are_those_that_begin_alike(tokenizer: CodeTokenizer, text: str) -> None:
    wanted = text.encode()[:9]
    spelled = {token: tokenizer.token_bytes(token) for token in range(tokenizer.size)}
    fitting = tokenizer.fitting(wanted).tolist()
    assert len(fitting) == len(set(fitting))
    assert set(fitting) == {
        token
        for token, own in spelled.items()
        if own and (own.startswith(wanted) or wanted.startswith(own))
    }


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=code.filter(bool))
def test_tokens_that_are_longer_go_on_from_a_text(tokenizer: CodeTokenizer, text: str) -> None:
    wanted = text.encode()[:9]
    longer = tokenizer.longer_than(wanted).tolist()
    spelled = map(tokenizer.token_bytes, range(tokenizer.size))
    assert sorted(longer) == [
        token for token, own in enumerate(spelled) if own.startswith(wanted) and own != wanted
    ]
    assert len(tokenizer.longer_than(b"")) == tokenizer.size


@pytest.mark.model
@given(typed=lines, more=lines)
def test_no_token_crosses_where_the_last_piece_of_a_line_begins(
    default_model: LanguageModel, typed: str, more: str
) -> None:
    tokenizer = default_model.tokenizer
    place = len(typed) - len(tokenizer.last_piece(typed))
    assert typed.endswith(tokenizer.last_piece(typed))
    starts = {start for start, _ in tokenizer.encode_with_offsets(typed + more).offsets}
    assert place in starts | {len(typed + more)}
