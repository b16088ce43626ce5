"""A server process for editor tests whose model says what a file tells it to.

python -P tests/editors/scripted_server.py SCRIPT    with JSON: {ENDING: [SUGGESTION, ...], ...}

Everything but the model is the project's own. What is suggested depends on how the text before the
cursor ends; the longest ending counts, and nothing is suggested where there is none. It goes by the
name of whichever model is set, and where it suggests `ENVIRONMENT` that is the one that is set.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from completion.pipeline import Completer
from completion.values import (
    CancelCheck,
    CompletionRequest,
    Suggestion,
    Timings,
    TokenCounts,
    never_cancelled,
)
from lsp_server.features import create_server
from lsp_server.logs import log_to_stderr
from lsp_server.serve import leave
from lsp_server.settings import Settings

QUICK = "{ debounceMs = 0, menu = false, monitors = false, relatedTokens = 0 }"
ENVIRONMENT = "ENVIRONMENT"
COUNTS = TokenCounts(prompt=100, reused=90, moved=5, encoded=5)
TIMES = Timings(first_token=10.0, first_line=20.0, total=30.0)


def scripted_command(folder: Path, script: Mapping[str, Sequence[str]]) -> list[str]:
    """The command of such a server, whose script is kept in a folder."""
    file = folder / "script.json"
    file.write_text(json.dumps(script), encoding="utf-8")
    return [sys.executable, "-P", __file__, str(file)]


class ScriptedCompleter(Completer):
    """Suggests what its script has for the text before the cursor."""

    def __init__(self, script: Mapping[str, Sequence[str]], settings: Settings) -> None:
        self._script = script
        self._settings = settings

    def complete_several(
        self, request: CompletionRequest, most: int, cancelled: CancelCheck = never_cancelled
    ) -> list[Suggestion]:
        endings = [ending for ending in self._script if request.before.endswith(ending)]
        texts = self._script[max(endings, key=len)] if endings else [""]
        model, environment = self._settings.model, self._settings.python_environment
        return [
            Suggestion(
                text.replace(ENVIRONMENT, environment), model, "end", COUNTS, TIMES, confidence=0.5
            )
            for text in texts[:most]
        ]

    complete_by_hand = complete_several

    def remembered(self, request: CompletionRequest) -> Suggestion | None:
        return next(iter(self.complete_several(request, 1)), None)

    def prepare(self, request: CompletionRequest, cancelled: CancelCheck = never_cancelled) -> int:
        return 0

    def get_ahead(
        self, request: CompletionRequest, shown: Suggestion, cancelled: CancelCheck
    ) -> None: ...

    def close(self, document: str) -> None: ...


if __name__ == "__main__":
    log_to_stderr()
    told = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))

    def load(settings: Settings, *_: object) -> Completer:
        return ScriptedCompleter(told, settings)

    create_server(load).start_io()
    leave(0)
