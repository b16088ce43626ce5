"""The repositories of a benchmark, each in a folder of its own, with its index."""

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from completion.values import CancelCheck, CompletionRequest
from evaluation.repositories import Repository
from evaluation.source_folder import write_sources
from models.progress import Progress, ProgressCallback
from retrieval.index.database import open_database
from retrieval.index.update import update_files
from retrieval.related.related_code import RelatedCode, RepositoryCode
from retrieval.workspace_files import WorkspaceFiles


@dataclass(slots=True)
class IndexedRepositories:
    """What is known of each, by its name."""

    codes: dict[str, RepositoryCode] = field(default_factory=dict)

    def add(
        self,
        repositories: Sequence[Repository],
        folder: Path,
        stack: ExitStack,
        progress: ProgressCallback,
    ) -> None:
        """Write and index them below `folder`; the indexes are closed with the stack."""
        for number, repository in enumerate(repositories):
            progress(Progress("indexing", number, len(repositories)))
            self._add(repository, folder, stack)

    def _add(self, repository: Repository, folder: Path, stack: ExitStack) -> None:
        name = repository.name.partition("==")[0]
        root = folder / name
        write_sources(repository.files, root)
        database = stack.enter_context(closing(open_database(folder / f"{name}.sqlite")))
        rules = WorkspaceFiles((root,))
        update_files(database, root, rules, lambda _, __, ___: None)
        self.codes[repository.name] = RepositoryCode(root, database, rules, {})

    def related(self, request: CompletionRequest, cancelled: CancelCheck) -> RelatedCode:
        """What is found for a request, whose document is called `repository/path`."""
        name, _, path = request.document.partition("/")
        return self.codes[name].related(path, request.before, request.after, cancelled)
