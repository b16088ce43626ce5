"""Would a debounce that learns how fast somebody types be better than a fixed one? A simulation.

python -m evaluation.debounce_simulation [--asked N] [--seed S]

Traces of typing are played without a server: only the gaps between steps count. A request is
started where the wait is shorter than the gap, and in vain where the typist does not wait for it.
"""

import argparse
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Protocol

from lsp_server.arguments import OneLineParser, positive
from lsp_server.console import ProgressBar
from models.errors import PirouetteError
from models.processor import share_the_processor
from models.store import ModelStore, default_home

REMEMBERED = 32  # gaps
LONGEST_GAP_MS = 1000.0  # a longer one says nothing of how fast somebody types
SHORTEST_MS, LONGEST_MS = 30.0, 500.0  # no wait is outside of these
SPEEDS = (0.7, 1.0, 1.5)  # typists: all gaps are so many times those of the traces


class Debounce(Protocol):
    """How long to wait after a keystroke, in milliseconds; it hears the gap that came."""

    @property
    def wait_ms(self) -> float: ...

    def hear(self, gap_ms: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same."""

    wait_ms: float

    def hear(self, gap_ms: float) -> None: ...


class Rhythm:
    """So many times the running median of the last gaps under a second."""

    def __init__(self, times: float, start_ms: float = 75.0) -> None:
        self._times = times
        self._start_ms = start_ms
        self._gaps: deque[float] = deque(maxlen=REMEMBERED)

    @property
    def wait_ms(self) -> float:
        if not self._gaps:
            return self._start_ms
        return min(LONGEST_MS, max(SHORTEST_MS, self._times * median(self._gaps)))

    def hear(self, gap_ms: float) -> None:
        if gap_ms < LONGEST_GAP_MS:
            self._gaps.append(gap_ms)


@dataclass(frozen=True, slots=True)
class Played:
    """Sums over all steps: those typed on from and those waited at, requests that were in vain,
    milliseconds that the model had for these, and milliseconds of debounce at the others.
    """

    typed: int
    waited: int
    in_vain: int
    busy_ms: float
    debounce_ms: float


def play(debounce: Debounce, gaps: Iterable[float], asked_ms: float) -> Played:
    """Gaps in order; at one of `asked_ms` or more the typist waits for an answer."""
    typed = waited = in_vain = 0
    busy = debounced = 0.0
    for gap in gaps:
        wait = debounce.wait_ms
        if gap >= asked_ms:
            waited += 1
            debounced += wait
        else:
            typed += 1
            in_vain += wait < gap
            busy += max(0.0, gap - wait)
        debounce.hear(gap)
    return Played(typed, waited, in_vain, busy, debounced)


ARMS: dict[str, Callable[[], Debounce]] = {
    **{f"fixed {wait} ms": lambda wait=wait: Fixed(wait) for wait in (30, 75, 150, 250)},  # type: ignore[misc]
    **{f"median x {times}": lambda times=times: Rhythm(times) for times in (0.5, 1.0, 1.5, 2.0)},  # type: ignore[misc]
}


def table(gaps: Sequence[float], asked_ms: float) -> str:
    """Each arm for typists of different speeds, as Markdown."""
    lines = [
        "| typist | debounce | started in vain, of 100 keys typed on | model busy in vain, "
        "ms a key | waited at a pause, ms |",
        "| --- | --- | --- | --- | --- |",
    ]
    for speed in SPEEDS:
        own = [gap * speed for gap in gaps]
        for name, make in ARMS.items():
            played = play(make(), own, asked_ms)
            lines.append(
                f"| {speed:.1f} times the gaps | {name} | "
                f"{100 * played.in_vain / max(1, played.typed):.0f} | "
                f"{played.busy_ms / max(1, played.typed):.0f} | "
                f"{played.debounce_ms / max(1, played.waited):.0f} |"
            )
    return "\n".join(lines)


def build_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m evaluation.debounce_simulation")
    parser.add_argument("--asked", type=positive, default=2000, metavar="N", help="pauses in all")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    share_the_processor()
    try:
        arguments = build_parser().parse_args(argv)
        from evaluation.repositories import UNSEEN, fetch_repositories
        from evaluation.typing_traces import ASKED_MS, draw_traces

        with ProgressBar() as progress:
            folder = ModelStore(default_home()).home / "repositories"
            repositories = fetch_repositories(UNSEEN, folder, progress)
        traces = draw_traces(repositories, arguments.asked, arguments.seed, least_above=0)
        gaps = [step.pause_ms for trace in traces for step in trace.steps]
        print(f"{len(traces)} traces, {len(gaps)} steps\n\n{table(gaps, ASKED_MS)}")
    except PirouetteError as error:
        print(f"debounce_simulation: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
