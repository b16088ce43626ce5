"""Folders that cannot be run: each is refused with one line that says why."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from models.errors import DamagedModelError, PirouetteError, UnsupportedModelError
from tests.unit.tiny_models import load, save_model

Damage = Callable[[Path], object]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model("llama", tmp_path_factory.mktemp("sound"), shard_size="120KB")


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    """A copy of a sound model in several shards, to be damaged."""
    for file in sound.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def config(**changes: Any) -> Damage:
    def apply(folder: Path) -> None:
        file = folder / "config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))

    return apply


def content(name: str, data: bytes) -> Damage:
    return lambda folder: (folder / name).write_bytes(data)


def cut(name: str, size: int) -> Damage:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:size])


def remove(name: str) -> Damage:
    return lambda folder: (folder / name).unlink()


def only_pickles(folder: Path) -> None:
    for file in folder.glob("*.safetensors*"):
        file.unlink()
    (folder / "pytorch_model.bin").write_bytes(b"never read")


def tensor(name: str, change: Callable[[torch.Tensor], torch.Tensor | None]) -> Damage:
    def apply(folder: Path) -> None:
        for file in folder.glob("*.safetensors"):
            tensors = load_file(file)
            if name in tensors:
                changed = change(tensors.pop(name))
                save_file(tensors | ({} if changed is None else {name: changed}), file)

    return apply


FIRST_SHARD = "model-00001-of-00005.safetensors"
INDEX = "model.safetensors.index.json"
UNSUPPORTED: dict[str, tuple[Damage, str]] = {
    "architecture": (config(model_type="gpt_neox"), "architecture 'gpt_neox' of .* Llama"),
    "quantised": (config(quantization_config={"bits": 4}), "are quantised"),
    "activation": (config(hidden_act="relu"), "activation 'relu'"),
    "no configuration": (remove("config.json"), "has no config.json"),
    "no tokenizer": (remove("tokenizer.json"), "has no tokenizer.json"),
    "pickles": (only_pickles, "pickled weights are never loaded"),
}
DAMAGED: dict[str, tuple[Damage, str]] = {
    "configuration cut off": (cut("config.json", 100), "config.json cannot be read"),
    "configuration in another encoding": (content("config.json", b"\xff\xfe{"), "cannot be read"),
    "configuration too deep": (content("config.json", b"[" * 10**6), "cannot be read"),
    "configuration of another kind": (content("config.json", b"[1]"), "is not a JSON object"),
    "a size missing": (config(hidden_size=None), "is incomplete"),
    "a size of words": (config(num_hidden_layers="many"), "is incomplete"),
    "a size of infinity": (config(vocab_size=float("inf")), "is incomplete"),
    "no heads": (config(num_attention_heads=0), "is incomplete|below one"),
    "no layers": (config(num_hidden_layers=0), "below one"),
    "heads in odd groups": (config(num_key_value_heads=3), "cannot be grouped"),
    "tokenizer cut off": (cut("tokenizer.json", 99), "tokenizer.json cannot be read"),
    "tokenizer without a model": (content("tokenizer.json", b"{}"), "not a usable tokenizer"),
    "tokenizer of nonsense": (
        content("tokenizer.json", b'{"model": {"type": "BPE", "vocab": 3, "merges": []}}'),
        "not a usable tokenizer",
    ),
    "tokenizer larger than the model": (
        config(vocab_size=100),
        "the tokenizer of .* has 262 tokens, its config.json 100",
    ),
    "shard missing": (remove(FIRST_SHARD), f"lacks {FIRST_SHARD}"),
    "shard cut off": (cut(FIRST_SHARD, 5000), f"{FIRST_SHARD} is damaged"),
    "shard empty": (content(FIRST_SHARD, b""), f"{FIRST_SHARD} is damaged"),
    "shard of nonsense": (content(FIRST_SHARD, b"\x80\x02}q\x00." * 99), "is damaged"),
    "index leads elsewhere": (
        content(INDEX, b'{"weight_map": {"a": "../../secret"}}'),
        "names no files beside it",
    ),
    "index without a map": (content(INDEX, b'{"weight_map": [3]}'), "names no files beside it"),
    "tensor missing": (
        tensor("model.layers.1.mlp.up_proj.weight", lambda _: None),
        r"lack the tensor 'model\.layers\.1\.mlp\.up_proj\.weight'",
    ),
    "norm missing": (tensor("model.norm.weight", lambda _: None), "lack the tensor"),
    "head missing": (tensor("lm_head.weight", lambda _: None), "lack the tensor 'lm_head"),
    "embedding of another shape": (
        tensor("model.embed_tokens.weight", lambda t: t[:-1]),
        r"'model\.embed_tokens\.weight' has shape \(319, 64\), not the \(320, 64\)",
    ),
    "projection of another shape": (
        tensor("model.layers.2.self_attn.k_proj.weight", lambda t: t.T.contiguous()),
        "k_proj.weight' has shape",
    ),
    "feed-forward of another shape": (
        tensor("model.layers.0.mlp.down_proj.weight", lambda t: t[:, :-1].contiguous()),
        "down_proj.weight' has shape",
    ),
}


@pytest.mark.parametrize(("damage", "problem"), UNSUPPORTED.values(), ids=UNSUPPORTED.keys())
def test_what_cannot_be_run_is_refused(folder: Path, damage: Damage, problem: str) -> None:
    damage(folder)
    with pytest.raises(UnsupportedModelError, match=problem) as refusal:
        load(folder)
    assert_one_line(refusal.value)


@pytest.mark.parametrize(("damage", "problem"), DAMAGED.values(), ids=DAMAGED.keys())
def test_what_is_damaged_is_refused(folder: Path, damage: Damage, problem: str) -> None:
    damage(folder)
    with pytest.raises(DamagedModelError, match=problem) as refusal:
        load(folder)
    assert_one_line(refusal.value)


def test_the_undamaged_model_loads(folder: Path) -> None:
    assert load(folder).decoder.config.layers == 3


def test_a_message_is_one_line_whatever_is_put_into_it(tmp_path: Path) -> None:
    folder = tmp_path / "two\nlines"
    folder.mkdir()
    with pytest.raises(PirouetteError) as refusal:
        load(folder)
    assert_one_line(refusal.value)
    assert str(DamagedModelError("first\r\n\n  second\u2028third")) == "first; second; third"


def assert_one_line(error: PirouetteError) -> None:
    assert str(error)
    assert len(str(error).splitlines()) == 1
