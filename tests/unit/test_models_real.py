"""The real default model: the same tokens as transformers, and nearly the same in 8 bits."""

import random
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from completion.prompt import PromptBuilder
from completion.values import CompletionRequest
from models.language_model import LanguageModel, load_language_model
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
            cut.append(prompts.build(CompletionRequest("source", text[:place], after)).tokens)
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


@pytest.fixture(scope="module")
def exact_model(default_model: LanguageModel) -> LanguageModel:
    return load_language_model(default_model.name, default_model.folder, exact=True)


def test_greedy_output_is_token_identical_to_transformers(exact_model: LanguageModel) -> None:
    """Each token is what transformers finds most likely after those before it."""
    from transformers import AutoModelForCausalLM

    peer: Any = AutoModelForCausalLM.from_pretrained(exact_model.folder, dtype=torch.float32)
    identical = ties = 0
    for prompt in cut_prompts(exact_model):
        ours = greedy(exact_model, prompt)
        with torch.inference_mode():
            read = torch.tensor([prompt + ours[:-1]])
            logits = peer(read, logits_to_keep=len(ours)).logits[0]
        given_away = logits.max(-1).values - logits.gather(-1, torch.tensor(ours)[:, None])[:, 0]
        identical += bool((given_away == 0).all())
        ties += 0 < float(given_away.max()) < TIE
    print(f"identical {identical} of {PROMPTS}, logit ties {ties}")
    assert identical + ties == PROMPTS
    assert identical >= PROMPTS - 1


def test_8_bits_keep_the_distribution(
    default_model: LanguageModel, exact_model: LanguageModel
) -> None:
    divergences: list[Tensor] = []
    same: list[Tensor] = []
    for prompt in cut_prompts(exact_model)[:10]:
        exact, ours = (
            torch.log_softmax(model.decoder.logits(read(model, prompt)), -1)
            for model in (exact_model, default_model)
        )
        divergences.append((exact.exp() * (exact - ours)).sum(-1))
        same.append(exact.argmax(-1) == ours.argmax(-1))
    divergence, agreement = torch.cat(divergences), torch.cat(same).float()
    print(f"KL {divergence.mean():.4f} a token, same next token {agreement.mean():.3f}")
    assert divergence.mean() < 0.01
    assert agreement.mean() > 0.95


def read(model: LanguageModel, prompt: list[int]) -> Tensor:
    """Hidden states of the second half of a prompt."""
    hidden = model.decoder.forward(prompt, model.decoder.new_cache(len(prompt)))
    return hidden[len(prompt) // 2 :]


def test_the_weights_are_mapped_not_copied(exact_model: LanguageModel) -> None:
    mapped = Path("/proc/self/maps")
    if not mapped.exists():
        pytest.skip("only Linux tells what is mapped")
    shards = sorted(exact_model.folder.glob("model-*.safetensors"))
    maps = mapped.read_text(encoding="utf-8")
    assert shards
    assert all(str(shard) in maps for shard in shards)
