"""The server command `pirouette.search`: APIs of the workspace for a wish in words.

Each search is a `pirouette search` in a process of its own, at low priority: it brings the index up
to date first, takes memory only while it lasts, and whatever happens to it does not touch the
server. What it finds is read by the model that completes, unless a key is typed meanwhile. A search
under way is given up for the next one.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from completion.api_ranking import MOST, FoundApi
from lsp_server.aside import run_aside
from lsp_server.latest_requests import LatestRequests
from retrieval.index.search import is_test

COMMAND = "pirouette.search"
HITS = 10
ALL = ""  # a search is for no document, but for all of the workspace
# The places of APIs that were found for a wish, in a better order.
Order = Callable[[str, Sequence[FoundApi]], Awaitable[Sequence[int]]]


@dataclass(slots=True)
class ApiSearches:
    """The searches of one session, one at a time."""

    _latest: LatestRequests = field(default_factory=LatestRequests)

    async def search(
        self, wish: str, roots: Sequence[Path], embedding: str, order: Order
    ) -> list[dict[str, Any]]:
        """What `pirouette search --json` finds in each root, put in `order`, with the `uri` of
        each place. Meanings are compared by the model `embedding`, or the one that the index has.

        Nothing once another search, or `end`, has taken its place. Raises `InputError` with what
        the process has to say of its failure.
        """
        return await self._latest.run(COMMAND, ALL, search_all(wish, roots, embedding, order)) or []

    def end(self) -> None:
        """Give up the search under way, if there is one."""
        self._latest.call_off(ALL)


async def search_all(
    wish: str, roots: Sequence[Path], embedding: str, order: Order
) -> list[dict[str, Any]]:
    """The hits of each root, those of the first one first."""
    return [hit for root in roots for hit in await search_root(wish, root, embedding, order)]


async def search_root(wish: str, root: Path, embedding: str, order: Order) -> list[dict[str, Any]]:
    options = ("--path", str(root), "--limit", str(MOST), f"--embedding={embedding}", "--json")
    hits = (await run_aside("search", *options, "--", wish))["hits"]
    found = [FoundApi(hit["path"], hit["name"], hit["signature"]) for hit in hits]
    ordered = [hits[place] for place in await order(wish, found)]
    best = sorted(ordered, key=lambda hit: is_test(hit["path"]))[:HITS]
    return [hit | {"uri": (root / hit["path"]).as_uri()} for hit in best]
