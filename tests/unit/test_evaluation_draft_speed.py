"""Arms with and without drafts write the same, and are counted alike."""

from pathlib import Path

import pytest

from completion.prompt import PromptBuilder
from completion.values import CompletionRequest
from evaluation.draft_speed import ARMS, PLAIN, DraftRace, Written, draft_rows
from models.progress import ignore_progress
from tests.unit.completion_helpers import load_tiny_model, write_model

MOST = 12


def test_all_arms_write_the_same(tmp_path: Path) -> None:
    write_model(tmp_path)
    model = load_tiny_model(tmp_path)
    requests = [CompletionRequest("a.py", f"x = {i}\ny = x\n", "\nprint(x)\n") for i in range(4)]
    race = DraftRace(model, PromptBuilder.for_model(model, 64), MOST)
    written = race.run([*requests, *requests], ignore_progress)

    assert len(written) == 8 * len(ARMS)
    for number in range(8):
        assert len({one.tokens for one in written if one.request == number}) == 1
    passes = {arm: sum(one.passes for one in written if one.arm == arm) for arm in ARMS}
    assert passes["drafts"] <= passes["look-up"] < passes[PLAIN], passes


def test_rows_count_the_passes_after_the_prompt() -> None:
    written = [
        *(Written(arm, 0, (1, 2, 3), 2, 0.4) for arm in ARMS if arm != "drafts"),
        Written("drafts", 0, (1, 2, 3), 1, 0.2),
    ]
    rows = {row.arm: row.metrics for row in draft_rows(written)}
    assert rows["drafts"]["tokens_per_call"].value == 2
    assert rows["drafts"]["speed_up"].value == pytest.approx(2)
    assert rows[PLAIN]["tokens_per_call"].value == rows[PLAIN]["speed_up"].value == 1
    assert rows["drafts"]["same_output"].value == 1
