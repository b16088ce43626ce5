"""CodeBERTScore, against the package that its authors published."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evaluation.metrics.codebertscore import (
    CodeBertScore,
    CodeBertScorer,
    CodePair,
    document_frequency,
    f_measure,
)
from evaluation.metrics.encoders import load_encoder
from evaluation.metrics.token_encoder import Code, TokenEncoder, Window, is_punctuation, windows
from models.catalogue import DEFAULT_MODEL
from models.embedding_models import DEFAULT_EMBEDDING, embedding_folder
from models.errors import InputError

CANDIDATES = [
    "return x + 1",
    "for i in range(10):\n    print(i)",
    "()",
    "if a % 2 == 0:\n    return 'even'\nreturn 'odd'",
    "return sorted(names, key=len)[::-1]",
]
REFERENCES = [
    "return 1 + x",
    "while True:\n    break",
    "pass",
    "return 'odd' if a % 2 else 'even'",
    "names.sort(key=len, reverse=True)\nreturn names",
]
CONTEXTS = [
    "# add one to a number",
    "# count",
    "# nothing",
    "# tell whether a number is even",
    "# longest names first",
]
LONG = "\n".join(f"value_{number} = compute({number}) + offset" for number in range(12))


@pytest.fixture(scope="module")
def minilm(model_home: Path) -> Path:
    """A real encoder: BERT with word pieces."""
    return embedding_folder(DEFAULT_EMBEDDING.name, model_home)


@pytest.fixture(scope="module")
def roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small encoder of CodeBERT's kind, with byte-level tokens and untrained weights, which
    reads at most 64 tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaModel

    special = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>", "mask": "<mask>"}
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=list(special.values()),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*CANDIDATES, *REFERENCES, *CONTEXTS, LONG], trainer)
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), add_prefix_space=False
    )
    folder = tmp_path_factory.mktemp("roberta")
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        model_max_length=64,
        cls_token="<s>",
        sep_token="</s>",
        **{f"{name}_token": token for name, token in special.items()},
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = RobertaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=80,
        pad_token_id=1,
        initializer_range=0.5,
    )
    RobertaModel(config).save_pretrained(folder)
    return folder


def published(
    folder: Path, layer: int, pairs: Sequence[CodePair], **options: Any
) -> list[CodeBertScore]:
    """What the package says, one pair at a time where it would pad a long text's neighbours."""
    from code_bert_score import score

    columns = score(
        [pair.candidate for pair in pairs],
        [pair.reference for pair in pairs],
        model_type=str(folder),
        num_layers=layer,
        device="cpu",
        batch_size=1,
        **options,
    )
    return [CodeBertScore(*map(float, one)) for one in zip(*columns, strict=True)]


def assert_equal(ours: Sequence[CodeBertScore], theirs: Sequence[CodeBertScore]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        for name in ("precision", "recall", "f1", "f3"):
            assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-4)


PLAIN = [CodePair(*both) for both in zip(CANDIDATES, REFERENCES, strict=True)]


@pytest.mark.parametrize("layer", [2, 6])
def test_a_real_encoder_scores_as_the_published_package(minilm: Path, layer: int) -> None:
    ours = CodeBertScorer(TokenEncoder(minilm, [layer])).score(PLAIN)
    assert_equal(ours, published(minilm, layer, PLAIN))


def test_rare_tokens_weigh_as_in_the_published_package(minilm: Path) -> None:
    encoder = TokenEncoder(minilm, [6])
    ours = CodeBertScorer(encoder, document_frequency(encoder, REFERENCES)).score(PLAIN)
    assert_equal(ours, published(minilm, 6, PLAIN, idf=True, nthreads=1))


def test_context_is_read_and_dropped_as_in_the_published_package(roberta: Path) -> None:
    pairs = [CodePair(*all_) for all_ in zip(CANDIDATES, REFERENCES, CONTEXTS, strict=True)]
    ours = CodeBertScorer(TokenEncoder(roberta, [3])).score(pairs)
    assert_equal(ours, published(roberta, 3, pairs, sources=CONTEXTS))
    assert ours != CodeBertScorer(TokenEncoder(roberta, [3])).score(PLAIN)


def test_long_texts_are_read_in_windows_as_in_the_published_package(roberta: Path) -> None:
    pairs = [CodePair(LONG, f"{LONG}\nreturn value_3"), CodePair("return x", LONG)]
    encoder = TokenEncoder(roberta, [2])
    assert len(encoder.tokens(Code(LONG)).ids) > 2 * 64
    assert_equal(CodeBertScorer(encoder).score(pairs), published(roberta, 2, pairs))


def test_the_same_program_gives_1_and_a_swap_changes_sides(minilm: Path) -> None:
    scorer = CodeBertScorer(TokenEncoder(minilm, [4]))
    for score in scorer.score([CodePair(code, code) for code in CANDIDATES if code != "()"]):
        assert score.f1 == pytest.approx(1, abs=1e-5)
        assert score.f3 == pytest.approx(1, abs=1e-5)
    swapped = [CodePair(pair.reference, pair.candidate) for pair in PLAIN]
    for one, other in zip(scorer.score(PLAIN), scorer.score(swapped), strict=True):
        assert one.f1 == pytest.approx(other.f1, abs=1e-5)
        assert one.precision == pytest.approx(other.recall, abs=1e-5)


def test_nothing_to_compare_gives_0(minilm: Path) -> None:
    scorer = CodeBertScorer(TokenEncoder(minilm, [1]))
    nothing = CodeBertScore(0, 0, 0, 0)
    assert scorer.score([CodePair("", "return 1"), CodePair("()", "()")]) == [nothing, nothing]
    assert scorer.score([]) == []


def test_a_score_does_not_depend_on_its_neighbours(minilm: Path) -> None:
    scorer = CodeBertScorer(TokenEncoder(minilm, [3]))
    together = scorer.score([*PLAIN, CodePair(LONG, LONG)])[: len(PLAIN)]
    assert_equal(together, [score for pair in PLAIN for score in scorer.score([pair])])


def test_layers_are_scored_in_one_pass_as_they_are_alone(roberta: Path) -> None:
    by_pair = CodeBertScorer(TokenEncoder(roberta, [0, 2, 3])).score_layers(PLAIN)
    for index, layer in enumerate((0, 2, 3)):
        alone = CodeBertScorer(TokenEncoder(roberta, [layer])).score(PLAIN)
        assert_equal([layers[index] for layers in by_pair], alone)


@pytest.mark.model
def test_inner_layers_of_the_default_model_know_what_code_means(model_home: Path) -> None:
    scorer = CodeBertScorer(load_encoder(DEFAULT_MODEL, model_home, layers=[4]))
    near, far, same = scorer.score(
        [
            CodePair("result = []\nreturn result", "items = list()\nreturn items"),
            CodePair("raise ValueError('no')", "items = list()\nreturn items"),
            CodePair("return a + b", "return a + b", context="Add two numbers."),
        ]
    )
    assert near.f1 > far.f1
    assert same.f1 == pytest.approx(1, abs=1e-4)


def test_a_layer_that_is_not_there_is_told(minilm: Path) -> None:
    with pytest.raises(InputError, match="it has 6 layers, not 7"):
        TokenEncoder(minilm, [7])


def test_a_folder_without_safetensors_is_refused(minilm: Path, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((minilm / name).read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickled")
    with pytest.raises(InputError, match="holds no model that transformers can read"):
        TokenEncoder(tmp_path, [1])


@pytest.mark.parametrize(
    ("piece", "punctuation"),
    [("):", True), ("\u0120==", True), ("\u010a", True), ("+=", False), ("\u0120x", False)],
)
def test_operators_that_compute_are_no_punctuation(piece: str, punctuation: bool) -> None:
    assert is_punctuation(piece) is punctuation


def test_windows_overlap_by_half() -> None:
    assert list(windows(10, 64)) == [Window(0, 10, 0, 10)]
    assert list(windows(20, 8)) == [
        Window(0, 8, 0, 6),
        Window(4, 12, 6, 10),
        Window(8, 16, 10, 14),
        Window(12, 20, 14, 20),
    ]


@given(length=st.integers(1, 300), size=st.integers(4, 64))
def test_windows_keep_every_token_once(length: int, size: int) -> None:
    found = list(windows(length, size))
    kept = [place for window in found for place in range(window.kept, window.until)]
    assert kept == list(range(length))
    for window in found:
        assert window.start <= window.kept < window.until <= window.end
        assert window.end - window.start == min(size, length)


@given(precision=st.floats(0.01, 1), recall=st.floats(0.01, 1))
def test_f_lies_between_its_sides_and_f3_near_recall(precision: float, recall: float) -> None:
    for beta in (1, 3):
        f = f_measure(precision, recall, beta)
        assert min(precision, recall) - 1e-9 <= f <= max(precision, recall) + 1e-9
    f3 = f_measure(precision, recall, 3)
    assert f3 == pytest.approx(10 * precision * recall / (9 * precision + recall))
    assert abs(f3 - recall) <= abs(f_measure(precision, recall, 1) - recall) + 1e-9
