"""Python sources and licence of a wheel, read from the archive; nothing is installed."""

import re
import zipfile
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path

LARGEST_SOURCE = 400_000  # characters

PERMISSIVE = re.compile(
    r"\b(MIT|BSD|0BSD|Apache|ISC|Zlib|Unlicense|CC0|HPND|PSF|Python Software Foundation)\b", re.I
)
# Whoever passes such code on, or learns from it, may have to give something back.
DEMANDING = re.compile(
    r"GPL|General Public|\bMPL|Mozilla|\bEUPL|\bEPL|Eclipse|CC.BY|Proprietary|Commercial|SSPL"
    r"|Business Source|\bBUSL",
    re.I,
)


def sources_of(wheel: Path) -> dict[str, str]:
    """The Python sources inside a wheel, by path."""
    return dict(read_sources(wheel))


def read_sources(wheel: Path) -> Iterator[tuple[str, str]]:
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".py") and (text := readable(archive.read(name))) is not None:
                yield name, text


def readable(data: bytes) -> str | None:
    """Source text with `\\n` line ends, or None where it is no UTF-8 or very large."""
    try:
        text = data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None
    return text if len(text) <= LARGEST_SOURCE else None


def license_of(wheel: Path) -> str:
    """What a wheel says of its licence: the expression, else classifiers, else a line of text."""
    with zipfile.ZipFile(wheel) as archive:
        named = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        text = archive.read(named[0]).decode("utf-8", "replace") if named else ""
    headers = HeaderParser().parsestr(text)
    classifiers = [
        value.rpartition("::")[2].strip()
        for value in headers.get_all("Classifier", [])
        if value.startswith("License ::")
    ]
    free = str(headers.get("License", "")).strip().split("\n")[0]
    return str(headers.get("License-Expression", "")) or ", ".join(classifiers) or free


def is_permissive(license_text: str) -> bool:
    """Whether a licence asks for no more than its notice; what is not known for sure does not."""
    return bool(PERMISSIVE.search(license_text)) and not DEMANDING.search(license_text)
