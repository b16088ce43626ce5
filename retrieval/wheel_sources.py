"""Python sources and licence of a wheel, read from the archive; nothing is installed."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

LARGEST_SOURCE = 400_000  # characters
LARGEST_MEMBER = 4 * LARGEST_SOURCE  # bytes; what a small archive says to hold may fill a memory
LONGEST_NAME = 100  # characters of a licence's name; a longer text is its wording

# Licences that ask for no more than their notice, as `plain_name` has them.
PERMISSIVE = frozenset(
    {
        *("mit", "mit 0", "mit cmu", "mit no attribution", "isc", "iscl", "zlib", "zlib libpng"),
        *("bsd", "bsd 2 clause", "bsd 3 clause", "2 clause bsd", "3 clause bsd", "0bsd", "new bsd"),
        *(
            "modified bsd",
            "revised bsd",
            "simplified bsd",
            "apache",
            "apache 2",
            "apache 2.0",
            "llvm exception",
        ),
        *("psf", "psf 2.0", "python 2.0", "python foundation", "cnri python", "unlicense"),
        *("cc0 1.0", "hpnd", "historical permission notice and disclaimer", "ncsa", "bsl 1.0"),
        *("boost 1.0", "university of illinois ncsa open source"),
    }
)
FILLERS = frozenset({"the", "license", "licence", "licensed", "version", "software", "osi"})
TERMS = re.compile(r"\s+(?:AND|OR|WITH|and)\s+|,(?! [Vv]ersion)|[;()]|\s/\s")
# Wording of licences that ask for more, or are not for everybody.
DEMANDING = re.compile(
    r"\b[AL]?GPL|General Public|\bMPL\b|Mozilla Public|\bEUPL|Eclipse Public|CC[- ]BY"
    r"|Creative Commons|non-?commercial|Commons Clause|\bSSPL|Business Source|\bPolyForm"
    r"|Functional Source|Elastic License|proprietary",
    re.I,
)


def sources_of(wheel: Path) -> dict[str, str]:
    """The Python sources inside a wheel, by path. Raises `BadZipFile`."""
    return dict(read_sources(wheel))


def read_sources(wheel: Path) -> Iterator[tuple[str, str]]:
    for name, data in read_members(wheel, r"\.py$"):
        if (text := readable(data)) is not None:
            yield name, text


def read_members(wheel: Path, pattern: str) -> Iterator[tuple[str, bytes]]:
    """The members whose name has the pattern in it, in the order of their names, but for those that
    are very large."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name in sorted(archive.namelist()):
                size = archive.getinfo(name).file_size
                if re.search(pattern, name) and size <= LARGEST_MEMBER:
                    yield name, archive.read(name)
    # Damage inside an archive shows as any of these, depending on where it hits; a member that is
    # encrypted as a `RuntimeError`.
    except (OSError, zipfile.BadZipFile, EOFError, zlib.error, RuntimeError, ValueError) as error:
        raise zipfile.BadZipFile(f"{wheel} cannot be read ({error}); fetch it again") from None


def readable(data: bytes) -> str | None:
    """Source text with `\\n` line ends, or None where it is no UTF-8 or very large."""
    try:
        text = data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None
    return text if len(text) <= LARGEST_SOURCE else None


def licenses_of(wheel: Path) -> list[str]:
    """All that a wheel's own metadata say of its licence: expression, classifiers, text."""
    own = re.escape("-".join(wheel.name.split("-")[:2]))
    found = [data for _, data in read_members(wheel, rf"(?i)^{own}\.dist-info/METADATA$")]
    headers = HeaderParser().parsestr(found[0].decode("utf-8", "replace")) if found else Message()
    classifiers = [str(value) for value in headers.get_all("Classifier", [])]
    said = [value.rpartition("::")[2] for value in classifiers if value.startswith("License ::")]
    said += [str(headers.get(name, "")) for name in ("License-Expression", "License")]
    return [one.strip() for one in said if one.strip() not in ("", "OSI Approved", "UNKNOWN")]


def is_permissive(licenses: list[str]) -> bool:
    """Whether all that is said of a licence names one that asks for no more than its notice.

    What is not known for sure does not; the wording of one does not tell its name.
    """
    names = [one for one in licenses if len(one) <= LONGEST_NAME and "\n" not in one]
    terms = [term for name in names for term in TERMS.split(name) if plain_name(term)]
    known = bool(terms) and all(plain_name(term) in PERMISSIVE for term in terms)
    return known and not any(DEMANDING.search(one) for one in licenses)


def plain_name(term: str) -> str:
    """`The MIT License` and `MIT license` are both `mit`."""
    words = re.sub(r"[^a-z0-9.]+", " ", term.lower().replace("v2", "2")).split()
    return " ".join(word for word in words if word not in FILLERS)
