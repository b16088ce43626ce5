"""How the cost of an edit grows with the prompt: the picture in docs, from a benchmark's JSON.

python -m evaluation.growth_plot RESULT.json PICTURE.svg
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from evaluation.pictures import save

ARMS = {
    "full": "read everything",
    "prefix": "reuse the prefix",
    "llama.cpp": "llama.cpp, --cache-reuse 256",
    "pie_repair": "Pirouette",
}
PANELS = {
    "tokens_encoded": "tokens read (mean)",
    "ms_first_token": "milliseconds to the first token (median)",
}


def growth(rows: Sequence[Mapping[str, Any]], arm: str, metric: str) -> list[tuple[int, float]]:
    """(prompt budget in tokens, value) for one arm, the smallest prompt first."""
    return sorted(
        (int(row["slice"].removeprefix("context-")), row["metrics"][metric]["value"])
        for row in rows
        if row["arm"] == arm and row["slice"].startswith("context-")
    )


def draw(result: Mapping[str, Any]) -> Figure:
    """One panel for tokens and one for time, both axes logarithmic, a line for each arm."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    axes: Axes
    for axes, (metric, title) in zip(figure.subplots(1, 2), PANELS.items(), strict=True):
        sizes: set[int] = set()
        for arm, label in ARMS.items():
            points = growth(result["rows"], arm, metric)
            if points:
                contexts, values = zip(*points, strict=True)
                sizes.update(contexts)
                axes.plot(contexts, values, marker="o", label=label)
        axes.set_title(title)
        axes.set_xlabel("prompt budget, tokens")
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xticks(sorted(sizes), [f"{size // 1024}k" for size in sorted(sizes)])
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.grid(visible=True, alpha=0.3)
    axes.legend()
    return figure


def main(result: Path, picture: Path) -> None:
    save(draw(json.loads(result.read_text(encoding="utf-8"))), picture)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
