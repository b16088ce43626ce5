"""The real default model: the same tokens as transformers, from weights that stay on disk."""

import random
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import torch

from completion.prompt import PromptBuilder
from completion.values import CompletionRequest
from models.language_model import LanguageModel
from models.prefill import prefill

PROMPTS, PROMPT_TOKENS, NEW_TOKENS = 50, 128, 32
TIE = 1e-3  # logits closer than this are a tie, which either side may break its own way

pytestmark = pytest.mark.model


def cut_prompts(model: LanguageModel) -> list[list[int]]:
    """Places in the standard library's source: every second one fills in the middle."""
    choose = random.Random(0)
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("[a-z]*.py"))
    prompts = PromptBuilder.for_model(model, PROMPT_TOKENS)
    cut: list[list[int]] = []
    while len(cut) < PROMPTS:
        text = choose.choice(files).read_text(encoding="utf-8")
        if len(text) > 4000:
            place = choose.randrange(1000, len(text) - 1000)
            after = text[place:] if len(cut) % 2 else ""
            cut.append(prompts.build(CompletionRequest("source", text[:place], after)))
    return cut


def greedy(model: LanguageModel, prompt: list[int]) -> list[int]:
    """`NEW_TOKENS` tokens, or fewer where the model ends the text."""
    cache = model.decoder.new_cache(len(prompt) + NEW_TOKENS)
    logits = prefill(model.decoder, cache, prompt, lambda: False)
    tokens: list[int] = []
    while len(tokens) < NEW_TOKENS:
        tokens.append(int(logits.argmax()))
        if tokens[-1] in model.end_tokens:
            break
        logits = model.decoder.logits(model.decoder.forward(tokens[-1:], cache)[-1])
    return tokens


def test_greedy_output_is_token_identical_to_transformers(default_model: LanguageModel) -> None:
    from transformers import AutoModelForCausalLM

    peer: Any = AutoModelForCausalLM.from_pretrained(default_model.folder, dtype=torch.float32)
    identical = ties = 0
    for prompt in cut_prompts(default_model):
        ours = greedy(default_model, prompt)
        ids = torch.tensor([prompt])
        made = peer.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=NEW_TOKENS,
            do_sample=False,
            eos_token_id=sorted(default_model.end_tokens),
            pad_token_id=min(default_model.end_tokens),
        )
        theirs = made[0, len(prompt) :].tolist()
        if ours == theirs:
            identical += 1
            continue
        place = next(i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b)
        with torch.inference_mode():
            logits = peer(made[:, : len(prompt) + place]).logits[0, -1]
        gap = float(logits[theirs[place]] - logits[ours[place]])
        ties += gap < TIE
    print(f"identical {identical} of {PROMPTS}, logit ties {ties}")
    assert identical + ties == PROMPTS
    assert identical >= PROMPTS - 1


def test_the_weights_are_mapped_not_copied(default_model: LanguageModel) -> None:
    mapped = Path("/proc/self/maps")
    if not mapped.exists():
        pytest.skip("only Linux tells what is mapped")
    shards = sorted(default_model.folder.glob("*.safetensors"))
    maps = mapped.read_text(encoding="utf-8")
    assert shards
    assert all(str(shard) in maps for shard in shards)
