"""The peer of the edits benchmark: the real server of llama.cpp on the default model's GGUF."""

from contextlib import closing
from pathlib import Path

import pytest

from evaluation.llama_cpp_peer import REUSE_TOKENS, LlamaCppPeer
from lsp_server.bench_command import model_name
from lsp_server.cli import build_parser
from models.catalogue import DEFAULT_MODEL, PUBLISHED_MODEL
from models.errors import InputError, UnknownModelError
from models.language_model import LanguageModel
from models.store import ModelStore


@pytest.mark.model
def test_text_is_reused_across_a_deletion_and_not_across_an_insertion(
    default_model: LanguageModel, model_home: Path
) -> None:
    source = "".join(f"value_{i} = {i}\n" for i in range(REUSE_TOKENS))
    tokens = default_model.tokenizer.encode(source)[: REUSE_TOKENS + 40]
    with closing(LlamaCppPeer(ModelStore(model_home).gguf(PUBLISHED_MODEL), capacity=512)) as peer:
        first = peer.complete(tokens, tokens=8)
        assert first.encoded == len(tokens)
        assert "\n" not in first.text
        assert peer.complete(tokens[:10] + tokens[20:], tokens=1).encoded <= 10
        inserted = tokens[:10] + tokens[:5] + tokens[20:]
        assert peer.complete(inserted, tokens=1).encoded >= len(inserted) - 20
        computed = peer.compute(inserted, tokens=3)
        assert (computed.encoded, computed.written) == (len(inserted), 3)


@pytest.mark.parametrize("ended_before", [True, False])
def test_a_server_that_ends_is_told_in_one_line(tmp_path: Path, ended_before: bool) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"no model")
    with closing(LlamaCppPeer(tmp_path / "broken.gguf", capacity=512)) as peer:
        if ended_before:
            peer._process.wait()
        with pytest.raises(InputError, match=r"llama.cpp did not answer.*leave out --peer"):
            peer.compute([1, 2, 3], tokens=1)


def test_a_model_without_a_gguf_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match="does not come as a GGUF"):
        ModelStore(tmp_path).gguf("someone/model")


def test_a_model_that_an_adapter_changed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match=f"is changed by an adapter.*use {PUBLISHED_MODEL}"):
        ModelStore(tmp_path).gguf(DEFAULT_MODEL)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["bench", "edits"], DEFAULT_MODEL),
        (["bench", "edits", "--peer", "llama.cpp"], PUBLISHED_MODEL),
        (["bench", "latency", "--peer", "llama.cpp", "--model", "x"], "x"),
        (["bench", "infilling", "--data", "d", "--peer", "transformers"], DEFAULT_MODEL),
    ],
    ids=" ".join,
)
def test_both_sides_have_the_same_weights(arguments: list[str], expected: str) -> None:
    assert model_name(build_parser().parse_args(arguments)) == expected
