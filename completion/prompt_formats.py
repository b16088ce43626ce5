"""How each model family wants to be asked to fill in the middle, as data.

Sources: the model cards and reports of Qwen2.5-Coder, StarCoder2, DeepSeek-Coder, Code Llama and
Codestral; the orders are those of Bavarian et al., "Efficient Training of Language Models to Fill
in the Middle", section 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum


class Slot(Enum):
    """Where the text goes between a format's markers.

    The middle is what the model writes. It may begin some lines before the cursor: what stands
    there already is then read as the middle's beginning.
    """

    PREFIX = "prefix"
    SUFFIX = "suffix"
    MIDDLE = "middle"


@dataclass(frozen=True, slots=True)
class FileMarkers:
    """What a model was taught to see before the name of a repository, and before each file of it:
    the file's path on a line of its own, and then its text."""

    repository: str
    file: str


@dataclass(frozen=True, slots=True)
class PromptFormat:
    """Marker tokens and text slots in order; `files` may come before them, where it has them."""

    name: str
    parts: tuple[str | Slot, ...]
    files: FileMarkers | None = None

    @property
    def markers(self) -> tuple[str, ...]:
        return tuple(part for part in self.parts if isinstance(part, str))

    @property
    def uses_suffix(self) -> bool:
        return Slot.SUFFIX in self.parts

    @property
    def has_middle(self) -> bool:
        return Slot.MIDDLE in self.parts


PROMPT_FORMATS: tuple[PromptFormat, ...] = (
    PromptFormat(
        "qwen",
        (
            "<|fim_prefix|>",
            Slot.PREFIX,
            "<|fim_suffix|>",
            Slot.SUFFIX,
            "<|fim_middle|>",
            Slot.MIDDLE,
        ),
        FileMarkers("<|repo_name|>", "<|file_sep|>"),
    ),
    PromptFormat(
        "starcoder",
        ("<fim_prefix>", Slot.PREFIX, "<fim_suffix>", Slot.SUFFIX, "<fim_middle>", Slot.MIDDLE),
        FileMarkers("<repo_name>", "<file_sep>"),
    ),
    PromptFormat(
        "deepseek",
        (
            "<｜fim▁begin｜>",
            Slot.PREFIX,
            "<｜fim▁hole｜>",
            Slot.SUFFIX,
            "<｜fim▁end｜>",
            Slot.MIDDLE,
        ),
    ),
    PromptFormat(
        "codellama",
        ("▁<PRE>", Slot.PREFIX, "▁<SUF>", Slot.SUFFIX, "▁<MID>", Slot.MIDDLE),
    ),
    PromptFormat(
        "codestral",
        ("[SUFFIX]", Slot.SUFFIX, "[PREFIX]", Slot.PREFIX),
    ),
)
LEFT_CONTEXT = PromptFormat("left", (Slot.PREFIX,))


def choose_format(control: Mapping[str, int]) -> PromptFormat:
    """The first format whose markers the tokenizer has, with those of files if it has them too;
    left context only where it has none."""
    chosen = next(
        (known for known in PROMPT_FORMATS if all(m in control for m in known.markers)),
        LEFT_CONTEXT,
    )
    files = chosen.files
    if files is not None and not {files.repository, files.file} <= control.keys():
        return replace(chosen, files=None)
    return chosen
