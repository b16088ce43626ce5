"""What passes between the stages of a completion."""

from collections.abc import Callable
from dataclasses import dataclass, field

from completion.confidence import LineFeatures

PYTHON = "python"  # among the names of languages that editors use


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """A place in a text: what stands before the cursor and after it, with `\\n` line ends.

    `document` names the text, so that a cache can follow it from one request to the next. `path` is
    the file that it is of, if there is one; `language` has the names that editors use.
    """

    document: str
    before: str
    after: str
    indentation: str = "    "
    single_line: bool = False
    path: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Tokens of one completion: where the prompt's came from, and how the new ones were made.

    Where the cache was repaired, the prompt's last token was encoded twice and is counted twice.
    `passes` are those of the model after the prompt's; the first new token needs none.
    """

    prompt: int = 0
    reused: int = 0
    moved: int = 0
    encoded: int = 0
    drafted: int = 0
    accepted: int = 0
    generated: int = 0
    passes: int = 0


@dataclass(slots=True)
class WatchCounts:
    """What the monitors of one completion did.

    Questions asked, those that had no full answer, and milliseconds spent waiting for them; names
    taken back since they do not exist; lines cut off since they would have broken the file.
    """

    asked: int = 0
    unanswered: int = 0
    waited_ms: float = 0.0
    taken_back: int = 0
    cut: int = 0


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds of one completion: two stages, then from its start to a token, a line, the end.

    `first_line` is when the first line end was written, or the end where there was none.
    """

    context: float = 0.0
    cache: float = 0.0
    first_token: float = 0.0
    first_line: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Text to insert at the cursor; empty where nothing is worth showing.

    `stop` says why decoding ended, for logs and benchmarks. `confidence` is the probability, 0 to
    1, that its first line is what was wanted, judged by `features`; 0 where there is no text.
    """

    text: str
    model: str
    stop: str
    tokens: TokenCounts = field(default_factory=TokenCounts)
    ms: Timings = field(default_factory=Timings)
    confidence: float = 0.0
    features: LineFeatures | None = None
    watched: WatchCounts = field(default_factory=WatchCounts)


CancelCheck = Callable[[], bool]


def never_cancelled() -> bool:
    """The check of whoever waits to the end."""
    return False
