"""The default model's file in the other quantisations that llama.cpp is fast with.

Which one is fastest depends on the processor: Q4_0 and Q8_0 have kernels of their own on most of
them. They are made once from the file that the model comes as, and kept in Pirouette's home. The
numbers are quantised twice by that, which costs quality and not speed; only speed is compared.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType
from gguf.quants import dequantize, quantize

from models.disk import disk_errors, require_space
from models.progress import Progress, ProgressCallback

Q4_0, Q8_0 = GGMLQuantizationType.Q4_0, GGMLQuantizationType.Q8_0
FILE_TYPES = {Q4_0: LlamaFileType.MOSTLY_Q4_0, Q8_0: LlamaFileType.MOSTLY_Q8_0}
SIZE_GROWTH = 1.3  # of Q8_0 over the mix of 4 to 8 bits that the default model comes in
OUTPUT = "output.weight"  # stays in 8 bits, as llama.cpp's own quantiser leaves it
OWN_FIELDS = ("GGUF.", "general.architecture", "general.file_type", "general.quantization_version")


def peer_files(source: Path, folder: Path, progress: ProgressCallback) -> dict[str, Path]:
    """The model's own file and its other quantisations in `folder`, each by its name.

    Those that are missing are made; each appears under its name once it is whole.
    """
    files = {own_name(source): source}
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for kind in FILE_TYPES:
            target = folder / f"{source.stem}-{kind.name.lower()}.gguf"
            with FileLock(folder / f".{target.name}.lock"):
                if not target.exists():
                    growth = int(SIZE_GROWTH * source.stat().st_size)
                    require_space(folder, growth, f"quantising {source.name}")
                    requantise(source, target, kind, progress)
            files[kind.name] = target
    return files


def own_name(source: Path) -> str:
    """The quantisation in which a file comes, by its name: `model-q4_k_m.gguf` is `Q4_K_M`."""
    return source.stem.rpartition("-")[2].rpartition(".")[2].upper()


def requantise(
    source: Path, target: Path, kind: GGMLQuantizationType, progress: ProgressCallback
) -> None:
    """Write `source` again with its matrices as `kind`; `target` appears once it is whole."""
    reader = GGUFReader(source)
    aside = target.with_name(f".{target.name}.partial")
    writer = GGUFWriter(aside, str(reader.fields["general.architecture"].contents()))
    try:
        writer.add_file_type(FILE_TYPES[kind])
        writer.add_quantization_version(2)
        for name, field in reader.fields.items():
            if not name.startswith(OWN_FIELDS):
                add_field(writer.add_key_value, name, field)
        for done, tensor in enumerate(reader.tensors):
            progress(Progress(f"quantising to {kind.name}", done, len(reader.tensors)))
            wanted = kind_of(tensor, kind)
            if wanted == tensor.tensor_type:
                writer.add_tensor(tensor.name, tensor.data, raw_dtype=wanted)
            else:
                numbers = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
                writer.add_tensor(tensor.name, quantize(numbers, wanted), raw_dtype=wanted)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        aside.replace(target)
    finally:
        writer.close()
        aside.unlink(missing_ok=True)


def kind_of(tensor: Any, kind: GGMLQuantizationType) -> GGMLQuantizationType:
    """What a tensor becomes: norms and biases stay as they are."""
    if len(tensor.shape) < 2:
        return GGMLQuantizationType(tensor.tensor_type)
    return Q8_0 if tensor.name == OUTPUT else kind


def add_field(add: Callable[..., None], name: str, field: Any) -> None:
    """A field as it is in another file, lists with the type of what is in them."""
    kind = field.types[0]
    inner = field.types[-1] if kind == GGUFValueType.ARRAY else None
    add(name, field.contents(), kind, inner)
