"""The sources of a folder in one language, as far as they may be read."""

from pathlib import Path

from retrieval.wheel_sources import readable
from retrieval.workspace_files import WorkspaceFiles


def sources_below(root: Path, suffix: str = ".py") -> dict[str, str]:
    """Texts by path; ignored files, files that may hold secrets and what links lead out to are
    left out."""
    allowed = WorkspaceFiles((root,))
    return {
        path.relative_to(root).as_posix(): text
        for path in sorted(root.rglob(f"*{suffix}"))
        if path.is_file()
        and path.resolve().is_relative_to(root)
        and allowed.allows(path)
        and (text := readable(path.read_bytes())) is not None
    }
