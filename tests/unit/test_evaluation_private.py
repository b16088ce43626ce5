"""Programs with libraries that no model has seen."""

import gzip
import json
from pathlib import Path

import pytest

from evaluation.benchmarks.private import ARMS, Tried, rows_of
from evaluation.monkey_library import to_monkey, to_pandas, write_monkey
from evaluation.private_tasks import (
    MONKEY_LIBRARY,
    TORCHDATA_LIBRARY,
    PrivateLibrary,
    program_of,
    read_private_tasks,
)
from models.errors import InputError
from tests.unit.workspaces import write_files

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "private-eval"
TASK = {
    "task_id": "PandasEval/0",
    "prompt": "import monkey as mk\n\ndef getting_average(kf):\n    # its average\n",
    "entry_point": "get_mean",
    "test": "def check(candidate):\n    assert candidate(pd.Series([1, 3])) == 2\n",
}
LABELLED = TASK | {"prompt": "# [start]\n# average(self): The average.\n# [end]\nimport monkey\n"}


def write_tasks(folder: Path, library: PrivateLibrary, *tasks: object) -> Path:
    for end in ("", "_human_labelled"):
        lines = [json.dumps(LABELLED if end and task is TASK else task) for task in tasks]
        file = folder / f"{library.tasks}{end}.jsonl.gz"
        file.write_bytes(gzip.compress("\n".join(lines).encode()))
    return folder


def test_words_are_changed_where_no_letter_stands_beside_them() -> None:
    assert to_monkey("pd.DataFrame(df).mean(axis=1).drop_duplicates()") == (
        "mk.KnowledgeFrame(kf).average(axis=1).remove_duplicates()"
    )
    assert to_monkey("getattr, means, get_value_counts, df2list") == (
        "getattr, means, getting_counts_value_num, kf2list"
    )
    text = "merged = df.groupby('a').apply(len).reset_index()"
    assert to_pandas(to_monkey(text)) == text


def test_the_library_is_written_under_its_other_names(tmp_path: Path) -> None:
    files = {
        "pandas/core/apply.py": "def apply(df): ...\n",
        "pandas/tests/test_apply.py": "",
        "numpy/core.py": "",
    }
    write_monkey(write_files(tmp_path / "site", files), tmp_path / "monkey")
    written = [path for path in (tmp_path / "monkey").rglob("*") if path.is_file()]
    assert [path.relative_to(tmp_path / "monkey").as_posix() for path in written] == [
        "monkey/core/employ.py"
    ]
    assert written[0].read_text() == "def employ(kf): ...\n"


def test_a_program_is_run_under_the_names_of_pandas(tmp_path: Path) -> None:
    [task] = read_private_tasks(write_tasks(tmp_path, MONKEY_LIBRARY, TASK), MONKEY_LIBRARY)
    assert task.apis == ("average",)
    program = program_of(MONKEY_LIBRARY, task, "    return kf.average()")
    assert "import pandas as pd\n\ndef get_mean(df):" in program
    assert program.endswith("    return df.mean()\n" + TASK["test"] + "\ncheck(get_mean)\n")
    without = program_of(TORCHDATA_LIBRARY, task, "    return kf.average()")
    assert "return kf.average()" in without


@pytest.mark.parametrize("task", [{}, {"task_id": "1"}, []])
def test_files_of_another_kind_are_told(tmp_path: Path, task: object) -> None:
    write_tasks(tmp_path, MONKEY_LIBRARY, task)
    with pytest.raises(InputError, match="fetch it again"):
        read_private_tasks(tmp_path, MONKEY_LIBRARY)


def test_a_folder_without_the_files_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name the folder that has it"):
        read_private_tasks(tmp_path, MONKEY_LIBRARY)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the benchmark's data is not here")
def test_all_published_tasks_are_read() -> None:
    assert len(read_private_tasks(SHARED, TORCHDATA_LIBRARY)) == 50
    tasks = read_private_tasks(SHARED, MONKEY_LIBRARY)
    assert (len(tasks), sum(bool(task.apis) for task in tasks)) == (101, 67)


def test_rows_are_of_each_library_and_of_tasks_with_named_apis() -> None:
    def tried(arm: str, library: str, *, needed: bool) -> Tried:
        passed = arm == "oracle" and needed
        return Tried(arm, library, "1", "", passed, "", needed, passed, "")

    made = [
        tried(arm, library, needed=needed)
        for library in ("torchdata", "monkey")
        for needed in (True, False)
        for arm in ARMS
    ]
    rows = {(row.arm, row.slice): row for row in rows_of(made)}
    assert rows["oracle", "private monkey"].metrics["pass_at_1"].value == 0.5
    assert rows["oracle", "private monkey, APIs named"].metrics["api_told"].value == 1
    assert rows["oracle - no_docs", "private torchdata"].metrics["pass_at_1"].value == 0.5
    assert "api_told" not in rows["no_docs", "private monkey"].metrics
