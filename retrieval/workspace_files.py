"""Which files may be read at all: the one place that decides it.

Refused are files that hold secrets by their name, whatever is inside `.git`, and what the
`.gitignore` files of the workspace leave out. Whoever reads a file for the model, an index or a
prompt asks here first. This module knows paths, never what is in a file (but for `.gitignore`).
"""

import os
import stat
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from retrieval.gitignore import Rule, parse_rules

# Names of files, in lower case, that hold keys, passwords or tokens.
SECRET_FILES = (
    *(".env", ".env.*", ".envrc", "*.env"),
    *("*.pem", "*.key", "*.p8", "*.p12", "*.pfx", "*.pkcs12", "*.ppk", "*.jks", "*.keystore"),
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*.kdbx", "*.kdb", "*.ovpn"),
    *(".netrc", "_netrc", ".pgpass", ".my.cnf", ".npmrc", ".yarnrc.yml", ".pypirc", ".htpasswd"),
    *("credentials*", "secrets.*", "secret.*", ".git-credentials", ".dockercfg", ".s3cfg", ".boto"),
    *("*.tfstate", "*.tfstate.*", "*.tfvars", "kubeconfig", "service-account*.json"),
    *(".vault-token", ".vault_pass*", ".bash_history", ".zsh_history", ".python_history"),
)
HARMLESS_FILES = frozenset(
    {".env.example", ".env.sample", ".env.template", "example.env", "sample.env", "template.env"}
)
SECRET_FOLDERS = frozenset({".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker"})

# A larger .gitignore is no list that a person keeps; what stands beside it is then not read.
LARGEST_GITIGNORE = 2**20
IGNORE_ALL = parse_rules(b"*")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes when a file is written: its size and its time in nanoseconds."""

    size: int
    modified: int


@dataclass(frozen=True, slots=True)
class WorkspaceFiles:
    """The reading rules of a workspace of one or several root folders.

    A root inside a larger git repository is under that repository's rules as well. A file outside
    every root is refused only for what its name says.
    """

    roots: tuple[Path, ...]
    _tops: dict[Path, Path] = field(init=False, repr=False, compare=False)  # by root
    _rules: dict[Path, tuple[Stamp, tuple[Rule, ...]]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        spellings = {Path(os.path.abspath(root)) for root in self.roots}  # noqa: PTH100 - keeps links
        spellings |= {real for root in spellings if (real := real_path(root)) is not None}
        tops = {root: enclosing_repository(root) for root in spellings}
        object.__setattr__(self, "_tops", tops)

    def allows(self, path: Path) -> bool:
        """Whether `path` may be read; a link must be allowed by its own name and by where it leads.

        Never raises: a path that cannot be followed is refused.
        """
        try:
            named = Path(os.path.abspath(path))  # noqa: PTH100 - a link keeps its own name
        except ValueError:
            return False
        real = real_path(named)
        return real is not None and all(map(self._allows_spelling, {named, real}))

    def _allows_spelling(self, path: Path) -> bool:
        if holds_secrets(path):
            return False
        tops = {top for root, top in self._tops.items() if path.is_relative_to(root)}
        if not tops:
            return ".git" not in lowered(path.parts)
        return all(
            ".git" not in lowered(path.relative_to(top).parts) and not self._is_ignored(path, top)
            for top in tops
        )

    def _is_ignored(self, path: Path, top: Path) -> bool:
        """Whether the `.gitignore` files from `top` down leave out the path or one above it."""
        parts = path.relative_to(top).parts
        spelled = tuple(os.fsencode(part).decode("latin-1") for part in parts)
        rules = [self._rules_in(top.joinpath(*parts[:depth])) for depth in range(len(parts))]
        for end in range(1, len(parts) + 1):
            is_folder = end < len(parts) or os.path.isdir(path)  # noqa: PTH112 - never raises
            # The nearest file speaks first, and in it the last line that matches.
            verdict = next(
                (
                    rule.ignores
                    for depth in reversed(range(end))
                    for rule in reversed(rules[depth])
                    if rule.matches(spelled[depth:end], is_folder=is_folder)
                ),
                False,
            )
            if verdict:
                return True
        return False

    def _rules_in(self, folder: Path) -> tuple[Rule, ...]:
        """The rules of the `.gitignore` in `folder`, read again only when it has changed."""
        file = folder / ".gitignore"
        try:
            status = file.lstat()
            if not stat.S_ISREG(status.st_mode):  # git does not follow a link here
                return ()
            stamp = Stamp(status.st_size, status.st_mtime_ns)
            known = self._rules.get(file)
            if known is not None and known[0] == stamp:
                return known[1]
            rules = IGNORE_ALL if stamp.size > LARGEST_GITIGNORE else parse_rules(file.read_bytes())
        except OSError:  # as git does with one that it cannot read
            return ()
        self._rules[file] = (stamp, rules)
        return rules


def holds_secrets(path: Path) -> bool:
    """Whether the name of the file, or of a folder above it, says that it holds secrets."""
    *folders, name = lowered(path.parts) or ("",)
    if not SECRET_FOLDERS.isdisjoint(folders):
        return True
    return name not in HARMLESS_FILES and any(fnmatchcase(name, known) for known in SECRET_FILES)


def enclosing_repository(folder: Path) -> Path:
    """The nearest folder from `folder` up that holds `.git`; the folder itself if there is none."""
    return next(
        (above for above in (folder, *folder.parents) if os.path.lexists(above / ".git")), folder
    )


def real_path(path: Path) -> Path | None:
    """Where a path leads, links followed; None where that has no end."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return None


def lowered(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.lower() for part in parts)
