"""`pirouette doctor`: what works on this machine, and what to do about what does not."""

import os
import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from models.catalogue import DEFAULT_MODEL, find_entry
from models.errors import PirouetteError
from models.language_model import number_format, preferred_device
from models.store import GROWTH, ModelStore
from models.tokenizer import CodeTokenizer

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `advice` says what to do where it does not work."""

    subject: str
    works: bool
    detail: str
    advice: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "subject": self.subject,
            "works": self.works,
            "detail": self.detail,
            "advice": self.advice,
        }


def examine(home: Path) -> list[Finding]:
    """Look at everything a suggestion needs, in the order it is needed."""
    return [examine_python(), examine_torch(), examine_home(home), *examine_model(home)]


def examine_python() -> Finding:
    ours = version("pirouette-lsp")
    return Finding("pirouette", True, f"{ours} on Python {platform.python_version()}")


def examine_torch() -> Finding:
    import torch

    device = preferred_device()
    name = "CPU" if device.type == "cpu" else torch.cuda.get_device_name(device)
    detail = (
        f"{torch.__version__}, {name}, {number_format(device)}, {torch.get_num_threads()} threads"
    )
    return Finding("torch", True, detail)


def examine_home(home: Path) -> Finding:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        return Finding(
            "home", False, f"{home} cannot be written", "set PIROUETTE_HOME to another folder"
        )
    free = shutil.disk_usage(existing).free
    return Finding("home", True, f"{home}, {free / GIB:.0f} GiB free")


def examine_model(home: Path) -> list[Finding]:
    entry = find_entry(DEFAULT_MODEL)
    assert entry is not None
    folder = ModelStore(home).find(DEFAULT_MODEL)
    if folder is None:
        advice = (
            f"run 'pirouette models pull' ({entry.size / 1e6:.0f} MB to fetch, "
            f"{GROWTH * entry.size / 1e9:.0f} GB on disk once converted)"
        )
        return [Finding("model", False, f"{DEFAULT_MODEL} is not here yet", advice)]
    try:
        CodeTokenizer(folder)
    except PirouetteError as error:
        return [Finding("model", False, str(error), f"remove {folder} and pull it again")]
    return [Finding("model", True, f"{DEFAULT_MODEL} in {folder}")]


def print_findings(findings: list[Finding]) -> None:
    for finding in findings:
        print(f"{'ok' if finding.works else 'no':3} {finding.subject:10} {finding.detail}")
        if finding.advice:
            print(f"    {'':10} -> {finding.advice}")
