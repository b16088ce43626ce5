"""What the tests of completion share: requests written as text, and a tiny model in a folder."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers import models as tokenizer_models
from tokenizers.trainers import BpeTrainer

from completion.values import CancelCheck, CompletionRequest, never_cancelled
from models.decoder import Decoder
from models.kv_cache import KeyValueCache
from models.language_model import LanguageModel, load_language_model
from models.token_tree import NO_TREE, TokenTree

CURSOR = "▮"
CERTAIN = 50.0  # a logit beside which others are nothing
MARKERS = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|endoftext|>", "<|file_sep|>")
CORPUS = (
    "def add(first, second):\n    return first + second\n\n\n",
    "class Point:\n    def __init__(self, x, y):\n        self.x = x\n        self.y = y\n",
    "for name in names:\n    print(name, end='')\n\n    total = total + 1\n",
)
WIDE_HEADS = {"num_attention_heads": 2, "num_key_value_heads": 1}  # of whole vectors
NO_CHANGE: Mapping[str, int] = {}
SHAPE = {
    "model_type": "llama",
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "hidden_act": "silu",
    "tie_word_embeddings": True,
}


def at(text: str, indentation: str = "    ") -> CompletionRequest:
    """A request at the cursor sign in `text`."""
    before, after = text.split(CURSOR)
    return CompletionRequest(
        "file.py", before, after, indentation, path="file.py", language="python"
    )


def write_tokenizer(folder: Path, control: Sequence[str] = MARKERS) -> None:
    """A byte-level tokenizer that knows a few words of code, and these control tokens."""
    tokenizer = Tokenizer(tokenizer_models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=320,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in control])
    tokenizer.save(str(folder / "tokenizer.json"))


def write_model(
    folder: Path, control: Sequence[str] = MARKERS, shape: Mapping[str, int] = NO_CHANGE
) -> None:
    """A Llama of two small layers with random weights, the same ones every time; its `shape`
    changed where that is told."""
    write_tokenizer(folder, control)
    size = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size()
    config = {**SHAPE, **shape, "vocab_size": size, "eos_token_id": size - 1}
    (folder / "config.json").write_text(json.dumps(config))
    source = torch.Generator().manual_seed(1)
    shapes = {"model.embed_tokens.weight": (size, 32), "model.norm.weight": (32,)}
    for layer in range(2):
        prefix = f"model.layers.{layer}."
        shapes |= {prefix + name + ".weight": shape for name, shape in LAYER_SHAPES.items()}
    save_file(
        {name: torch.randn(shape, generator=source) / 4 for name, shape in shapes.items()},
        str(folder / "model.safetensors"),
    )


LAYER_SHAPES = {
    "input_layernorm": (32,),
    "self_attn.q_proj": (32, 32),
    "self_attn.k_proj": (16, 32),
    "self_attn.v_proj": (16, 32),
    "self_attn.o_proj": (32, 32),
    "post_attention_layernorm": (32,),
    "mlp.gate_proj": (48, 32),
    "mlp.up_proj": (48, 32),
    "mlp.down_proj": (32, 48),
}


def load_tiny_model(folder: Path, *, exact: bool = True) -> LanguageModel:
    """With float32 weights, or in 8 bits."""
    return load_language_model("tiny", folder, device=torch.device("cpu"), exact=exact)


class ScriptedDecoder(Decoder):
    """A decoder that is sure of the next token of a script, whatever it reads.

    Each prompt has a script of its own. A hidden state holds the place in it.
    """

    def __init__(self, model: LanguageModel, scripts: Sequence[Sequence[int]]) -> None:
        self.config = model.decoder.config
        self.quantised = False
        self._embedding = torch.zeros(1)
        self._scripts = iter(scripts)
        self._script: Sequence[int] = ()
        self._prompt = 0
        self.read: list[list[int]] = []
        self.passes = 0  # that were asked what follows

    def encode(
        self,
        cache: KeyValueCache,
        positions: Sequence[int],
        cancelled: CancelCheck = never_cancelled,
        attention: torch.Tensor | None = None,
        ahead: TokenTree = NO_TREE,
    ) -> torch.Tensor:
        self._script = next(self._scripts, self._script)
        self._prompt = cache.length
        self.read.append([*cache.begin(positions), *ahead.tokens])
        cache.commit(positions)
        return self._hidden([*(0 for _ in positions), *self._places(cache, ahead)])

    def branch(
        self, cache: KeyValueCache, tree: TokenTree, cancelled: CancelCheck = never_cancelled
    ) -> torch.Tensor:
        assert cache.length <= cache.capacity - len(tree.tokens)
        self.read.append(list(tree.tokens))
        return self._hidden(self._places(cache, tree))

    def _places(self, cache: KeyValueCache, tree: TokenTree) -> list[int]:
        return [cache.length - self._prompt + depth + 1 for depth in tree.depths]

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        self.passes += 1
        logits = torch.zeros(*hidden.shape[:-1], self.config.vocabulary)
        places = hidden[..., :1].long()
        written = torch.tensor([*self._script, 0])[places.clamp(max=len(self._script))]
        return logits.scatter_(-1, written, CERTAIN)

    def _hidden(self, places: Sequence[int]) -> torch.Tensor:
        return torch.tensor(places)[:, None].expand(-1, self.config.hidden)


def scripted(
    model: LanguageModel, *scripts: Sequence[int]
) -> tuple[LanguageModel, ScriptedDecoder]:
    """`model` with a decoder that writes these scripts, one after each prompt it is given."""
    decoder = ScriptedDecoder(model, scripts)
    return replace(model, decoder=decoder), decoder


class CancelAfter:
    """A cancel check that says yes once it has been asked so many times."""

    def __init__(self, times: int) -> None:
        self.asked = 0
        self._times = times

    def __call__(self) -> bool:
        self.asked += 1
        return self.asked > self._times
