"""The picture of how an edit's cost grows."""

import json
from pathlib import Path
from typing import Any

from evaluation.growth_plot import growth, main


def row(arm: str, where: str, value: float) -> dict[str, Any]:
    found = {"value": value, "low": None, "high": None}
    return {
        "arm": arm,
        "slice": where,
        "n": 1,
        "metrics": {"tokens_encoded": found, "ms_first_token": found},
    }


ROWS = [
    row("full", "all", 9.0),
    row("full", "context-4096", 4.0),
    row("full", "context-1024", 1.0),
    row("llama.cpp", "context-1024", 2.0),
]


def test_growth_goes_by_prompt_size() -> None:
    assert growth(ROWS, "full", "tokens_encoded") == [(1024, 1.0), (4096, 4.0)]


def test_the_same_figures_draw_the_same_picture(tmp_path: Path) -> None:
    result, first, second = (tmp_path / name for name in ("result.json", "a.svg", "b.svg"))
    result.write_text(json.dumps({"rows": ROWS}))
    main(result, first)
    main(result, second)
    assert first.read_text() == second.read_text()
    assert "<svg" in first.read_text()
