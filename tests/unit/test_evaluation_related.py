"""The benchmark of related code, on a small repository with the real model."""

from pathlib import Path

import pytest

from evaluation.benchmarks.related import ARMS, RelatedOptions, Written, rows_of, run_related
from evaluation.repositories import Repository
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import ignore_progress

OWN = Path(__file__).resolve().parents[2] / "completion"


@pytest.mark.model
def test_every_arm_writes_every_line_and_goes_on_from_what_is_kept(
    default_model: LanguageModel, tmp_path: Path
) -> None:
    files = {path.name: path.read_text(encoding="utf-8") for path in OWN.glob("*.py")}
    repositories = [Repository("own", files, {})]
    options = RelatedOptions(limit=2, samples=tmp_path / "samples.jsonl")
    result = run_related(options, default_model, repositories, ignore_progress)
    rows = {(row.arm, row.slice): row for row in result.rows}
    assert rows["plain", "all"].n == rows["healed", "all"].n == 2
    assert rows["plain", "all"].metrics["tokens_related"].value == 0
    assert rows["related", "all"].metrics["tokens_related"].value > 20
    assert rows["related", "all"].metrics["tokens_encoded"].value <= 4
    assert ("related - plain", "own") in rows

    kept = (tmp_path / "samples.jsonl").read_bytes()
    assert run_related(options, default_model, repositories, ignore_progress).rows == result.rows
    assert (tmp_path / "samples.jsonl").read_bytes() == kept
    with pytest.raises(InputError, match="no line could be drawn"):
        run_related(options, default_model, [Repository("none", {}, {})], ignore_progress)


def test_lines_that_are_told_are_counted_apart() -> None:
    def written(arm: str, line: str, *, told: bool) -> Written:
        return Written(arm, "shop", line, "truth", 1, 50, told)

    ones = [written(arm, "truth" if arm == "healed" else "", told=True) for arm in ARMS]
    others = [written(arm, "", told=False) for arm in ARMS]
    rows = {(row.arm, row.slice): row for row in rows_of([*ones, *others], 0)}
    assert rows["healed - plain", "told"].metrics["exact_match"].value == 1
    assert rows["healed - plain", "not told"].metrics["exact_match"].value == 0
    assert rows["healed", "all"].metrics["exact_match"].value == 0.5
