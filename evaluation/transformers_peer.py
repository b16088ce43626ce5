"""A peer of the benchmarks with published files: the same weights run by plain `transformers`.

It reads the very token ids of Pirouette's prompt, decodes greedily in float32, and cleans nothing
up, so that what Pirouette's own path adds or loses shows beside it.
"""

import importlib
from typing import Any

import torch

from completion.pipeline import Completer
from completion.values import CompletionRequest
from evaluation.tasks import Completion
from models.device import preferred_device
from models.errors import InputError


class TransformersPeer:
    """Completes with the completer's model, loaded a second time from its folder.

    Raises `InputError` where `transformers` is not installed or cannot load the folder.
    """

    def __init__(self, completer: Completer) -> None:
        transformers = import_transformers()
        # Its own bar would write over the one of whoever watches this run.
        transformers.utils.logging.disable_progress_bar()
        folder = completer.model.folder
        try:
            model = transformers.AutoModelForCausalLM.from_pretrained(
                folder, dtype=torch.float32, local_files_only=True
            )
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise InputError(
                f"transformers cannot load {folder} ({reason}); leave out the transformers arm"
            ) from None
        self._device = preferred_device()
        self._model = model.to(self._device).eval()
        self._prompts = completer.prompts
        self._tokenizer = completer.model.tokenizer
        # A model's own settings may sample or penalise repetition; plain greedy does not.
        self._model.generation_config = transformers.GenerationConfig(
            do_sample=False,
            max_new_tokens=completer.options.max_tokens,
            eos_token_id=sorted(self._prompts.end_tokens),
            pad_token_id=min(self._prompts.end_tokens),
        )

    def complete(self, request: CompletionRequest) -> Completion:
        """The text, of a single line up to its end; tokens are counted up to what ends it."""
        built = self._prompts.build(request)
        prompt = torch.tensor([built.whole], device=self._device)
        length = prompt.shape[1]

        def line_has_ended(tokens: torch.Tensor, _: Any, **__: Any) -> torch.Tensor:
            # Greedy text does not depend on what follows, so stopping here changes no line.
            text = self._tokenizer.decode(tokens[0, length:].tolist())
            ended = request.single_line and "\n" in text
            return torch.tensor([ended], device=self._device)

        with torch.inference_mode():
            output = self._model.generate(
                prompt, attention_mask=torch.ones_like(prompt), stopping_criteria=[line_has_ended]
            )
        tokens = [t for t in output[0, length:].tolist() if t not in self._prompts.end_tokens]
        text = self._tokenizer.decode(tokens)
        return Completion(text.split("\n", 1)[0] if request.single_line else text, len(tokens))


def import_transformers() -> Any:
    """`transformers`, which only this arm needs and which is slow to import."""
    try:
        return importlib.import_module("transformers")
    except ImportError:
        raise InputError(
            "the transformers arm needs the package transformers; "
            "run: pip install 'pirouette-lsp[evaluation]'"
        ) from None
