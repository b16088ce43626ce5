"""Call sites of a repository's own APIs: the name of what is called and all after it held out.

As in LANCE's evaluation of API completion, a site counts where what is called is declared in the
same repository. Whether it is, is judged by its name, so names that types of the language itself
have as well (`get`, `append`) are left out.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from completion.indentation import detect_indentation
from completion.values import CompletionRequest
from evaluation.calls_in_functions import OWN_NAMES, calls_by_function, language_of
from evaluation.dereferences import in_turns, is_judged
from evaluation.repositories import Repository
from retrieval.index.declarations import APIS
from retrieval.index.outline import outline_of


@dataclass(frozen=True, slots=True)
class CallSite:
    """A place in a file of a repository: the texts before and after what is held out.

    `name` is what is called there, `dereferenced` whether it stands after a dot.
    """

    repository: str
    path: str
    before: str
    after: str
    name: str
    dereferenced: bool

    @property
    def key(self) -> str:
        """What tells it from every other place of these repositories."""
        return f"{self.repository}/{self.path}:{len(self.before)}"

    @property
    def request(self) -> CompletionRequest:
        """What an editor asks here, but for where the file is."""
        document = f"{self.repository}/{self.path}"
        indentation = detect_indentation(self.before + self.after)
        language = language_of(self.path)
        return CompletionRequest(document, self.before, self.after, indentation, language=language)


def draw_call_sites(repositories: Sequence[Repository], count: int, seed: int) -> list[CallSite]:
    """`count` sites, the repositories taking turns, no two in one function; the same for a seed."""
    return in_turns([one_each(repository, seed) for repository in repositories], count)


def one_each(repository: Repository, seed: int) -> Iterator[CallSite]:
    """One site from each function of a repository, in an order that the seed decides."""
    choose = random.Random(f"{seed}/{repository.name}/calls")  # noqa: S311 - draws cases
    own = api_names(repository)
    functions = [
        sites
        for path, text in sorted(repository.files.items())
        if is_judged(path, text)
        for sites in sites_by_function(repository.name, path, text, own)
    ]
    choose.shuffle(functions)
    return (choose.choice(sites) for sites in functions)


def api_names(repository: Repository) -> frozenset[str]:
    """What the repository declares to be called, but for names that the language itself has."""
    outlines = ((path, outline_of(path, text.encode())) for path, text in repository.files.items())
    return frozenset(
        one.name
        for path, outline in outlines
        if outline is not None
        for one in outline.declarations
        if one.kind in APIS and one.name not in OWN_NAMES[language_of(path)]
    )


def sites_by_function(
    repository: str, path: str, text: str, names: frozenset[str]
) -> Iterator[list[CallSite]]:
    """The sites of each function of a file that has any; none where it does not parse."""
    for calls in calls_by_function(path, text):
        if sites := [
            CallSite(repository, path, text[: one.start], text[one.end :], one.name, one.dotted)
            for one in calls
            if one.name in names
        ]:
            yield sites
