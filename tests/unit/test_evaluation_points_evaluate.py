"""An evaluation of a repository: its arms, what is kept of it, and the real pipeline."""

import importlib.util
import json
import tempfile
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from completion.values import Suggestion
from evaluation.points import evaluate as evaluating
from evaluation.points.evaluate import EvalOptions, Evaluation, evaluate
from evaluation.points.kinds import PointKind
from evaluation.points.parts import FULL, PARTS, Arm, Written, arms_of, stage
from evaluation.points.results import MEASURES as MEASURES
from evaluation.points.results import Checked, Completed, Judged, metrics_of, rows_of
from evaluation.points.sampling import HeldOut
from evaluation.repositories import Repository, read_sources
from lsp_server.cli import main
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import ignore_progress
from tests.unit.tiny_models import load, save_model
from tests.unit.workspaces import write_files, write_packages

FILES = {
    "shop/orders.py": '''"""Orders of a shop."""

import json


class Order:
    """What somebody has bought."""

    def __init__(self, name: str, price: float) -> None:
        self.name = name
        self.price = price

    def dump(self) -> str:
        return json.dumps({"name": self.name, "price": self.price})
''',
    "shop/bills.py": '''"""Bills for orders."""

from shop.orders import Order


def total(orders: list[Order]) -> float:
    """What they cost together."""
    amount = 0.0
    for order in orders:
        amount = amount + order.price
    return amount


def write_bill(orders: list[Order], tax: float) -> str:
    lines = [order.dump() for order in orders]
    if tax > 0:
        lines.append(f"tax {tax}")
    return "\\n".join(lines)
''',
}


def test_each_part_has_an_arm_without_it() -> None:
    assert [arm.name for arm in arms_of((), ())] == [FULL]
    arms = arms_of(PARTS, ("types",))
    assert [arm.name for arm in arms[1:]] == [*(f"without {part}" for part in PARTS), "with types"]
    assert arms[1] == Arm("without monitors", monitors=False)
    assert arms_of(("pie", "pie"), ()) == arms_of(("pie",), ())
    with pytest.raises(InputError, match="no part 'x'; the parts are monitors, retrieval, pie"):
        arms_of(("x",), ())
    with pytest.raises(InputError, match="off in the editor too; compare with --with types"):
        arms_of(("types",), ())
    with pytest.raises(InputError, match="'pie' cannot be added"):
        arms_of((), ("pie",))


class ScriptedStage:
    """Stands in for the pipeline: writes the truth with all parts, and nothing without one."""

    asked: list[str]

    def __init__(self, arms: list[Arm]) -> None:
        self.arms = arms

    def ask(self, place: HeldOut, most: int, seed: int, turn: int) -> list[Written]:
        ScriptedStage.asked.append(place.key)
        return [
            Written(arm, [Suggestion(place.truth if arm.name == FULL else "", "m", "end")], 5.0)
            for arm in self.arms
        ]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    return load(save_model("qwen2", tmp_path_factory.mktemp("model")))


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    ScriptedStage.asked = []

    def scripted_stage(*given: Any) -> AbstractContextManager[ScriptedStage]:
        return nullcontext(ScriptedStage(given[-1]))

    monkeypatch.setattr(evaluating, "stage", scripted_stage)


@pytest.mark.usefixtures("scripted")
def test_an_evaluation_that_was_cut_off_asks_only_for_the_rest(
    model: LanguageModel, tmp_path: Path
) -> None:
    samples = tmp_path / "samples.jsonl"

    def run() -> Evaluation:
        options = EvalOptions(points=6, without=("monitors",), samples=samples)
        return evaluate(options, lambda: model, repository(), ignore_progress)

    first = run()
    rows = {(row.arm, row.slice): row for row in first.result.rows}
    assert rows[FULL, "all"].n == 6
    assert rows[FULL, "all"].metrics["exact_match"].value == 1
    assert rows[FULL, "all"].metrics["type_checks"].value == 1
    assert rows["without monitors - full", "all"].metrics["exact_match"].value == -1
    assert len(ScriptedStage.asked) == 6

    kept = samples.read_text(encoding="utf-8").splitlines(keepends=True)
    samples.write_text("".join(kept[:4]) + kept[4][:30], encoding="utf-8")
    assert run().result.rows == first.result.rows
    assert len(ScriptedStage.asked) == 8
    assert [json.loads(line)["case"] for line in kept] == ScriptedStage.asked[:6]


def repository(files: dict[str, str] = FILES) -> Repository:
    return Repository("shop", files, {})


@pytest.mark.usefixtures("scripted")
def test_samples_of_other_sources_are_refused(model: LanguageModel, tmp_path: Path) -> None:
    options = EvalOptions(points=2, without=(), samples=tmp_path / "samples.jsonl")
    evaluate(options, lambda: model, repository(), ignore_progress)
    other = repository({**FILES, "shop/more.py": "x = total(1)\n"})
    with pytest.raises(InputError, match="holds results of another run"):
        evaluate(options, lambda: model, other, ignore_progress)
    with pytest.raises(InputError, match="no place to complete at was found in shop"):
        evaluate(options, lambda: model, repository({}), ignore_progress)


@pytest.mark.usefixtures("scripted")
def test_samples_that_were_changed_by_hand_are_refused_or_made_anew(
    model: LanguageModel, tmp_path: Path
) -> None:
    samples = tmp_path / "samples.jsonl"
    options = EvalOptions(points=2, without=("pie",), samples=samples)

    def run() -> Evaluation:
        return evaluate(options, lambda: model, repository(), ignore_progress)

    first = run()
    one, two = map(json.loads, samples.read_text(encoding="utf-8").splitlines())
    one["reached"].pop()
    samples.write_text(f"{json.dumps(one)}\n{json.dumps(two)}\n", encoding="utf-8")
    assert run().result.rows == first.result.rows
    assert len(ScriptedStage.asked) == 3
    changes: list[dict[str, Any]] = [{"texts": []}, {"texts": "x"}, {"texts": [1]}, {"ms": None}]
    for wrong in [*changes, {"more": 1}]:
        two["reached"][0] |= wrong
        samples.write_text(json.dumps(two) + "\n", encoding="utf-8")
        with pytest.raises(InputError, match="is not a file of this benchmark"):
            run()
        two["reached"][0] = json.loads(json.dumps(two["reached"][1]))
    samples.write_text("[" * 100_000 + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="is not a file of this benchmark"):
        run()


@pytest.mark.usefixtures("scripted")
def test_samples_go_with_the_packages_and_the_adapter_of_their_run(
    model: LanguageModel, tmp_path: Path
) -> None:
    environment = tmp_path / "environment"
    site = write_packages(environment, {"one-1.0.dist-info/METADATA": ""})
    options = EvalOptions(
        points=1, without=(), samples=tmp_path / "samples.jsonl", environment=environment
    )
    evaluate(options, lambda: model, repository(), ignore_progress)
    adapted = replace(model, adapter="0123456789abcdef")
    with pytest.raises(InputError, match=r"this one is .* adapter 0123456789ab,"):
        evaluate(options, lambda: adapted, repository(), ignore_progress)
    (site / "two-1.0.dist-info").mkdir()
    with pytest.raises(InputError, match="holds results of another run"):
        evaluate(options, lambda: model, repository(), ignore_progress)


def test_without_an_index_nothing_is_evaluated(
    model: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written below a folder that git ignores may not be read."""
    write_files(tmp_path, {".git/HEAD": "", ".gitignore": "tmp/\n", "tmp/a.txt": ""})
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    told = pytest.raises(InputError, match="no file of shop could be indexed")
    with told, stage(model, repository(), None, arms_of((), ())):
        pass
    assert [path.name for path in (tmp_path / "tmp").iterdir()] == ["a.txt"]


def test_an_evaluation_leaves_nothing_behind(
    model: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIROUETTE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with stage(model, repository(), None, [Arm(FULL, monitors=False)]):
        assert list((tmp_path / "home" / "indexes").glob("shop-*.sqlite"))
        assert list(tmp_path.glob("pirouette-eval-*/shop/shop/orders.py"))
    assert not list((tmp_path / "home" / "indexes").glob("shop-*"))
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


@pytest.mark.usefixtures("scripted")
def test_in_a_folder_each_run_finds_only_its_own_samples(
    model: LanguageModel, tmp_path: Path
) -> None:
    options = EvalOptions(points=2, without=(), samples=tmp_path)
    other = repository({**FILES, "shop/more.py": "x = total(1)\n"})
    kept = [
        evaluate(options, lambda: model, one, ignore_progress).samples
        for one in (repository(), other, repository())
    ]
    assert kept[0] == kept[2] != kept[1]
    assert {*tmp_path.iterdir()} == {*kept}
    assert len(ScriptedStage.asked) == 4


def test_what_cannot_be_told_is_not_counted() -> None:
    """A truth without identifiers has no next one, and what did not parse cannot be broken."""

    def judged(truth: str, text: str, parses: bool | None) -> Judged:
        place = HeldOut("shop", "a.py", PointKind.LINE, "", truth, "")
        written = Completed(FULL, [text, truth], 0.5, 1.0, 9, 9, 0, 1, 3, 3, 0, 0)
        return Judged(place, written, Checked(parses, None))

    ones = [judged("1)", "2)", None), judged("a.b", "a.c\nmore()", True)]
    found = metrics_of(ones, MEASURES, seed=0)
    assert found["exact_match"].value == 0
    assert found["nim"].value == 1
    assert found["ism"].value == 0.5
    assert found["parses"].value == 1
    assert "type_checks" not in found
    of_two = next(iter(rows_of(ones, seed=0, most=2))).metrics
    assert of_two["exact_match_at_k"].value == 1


@pytest.mark.model
def test_the_real_pipeline_gives_the_same_twice(default_model: LanguageModel) -> None:
    options = EvalOptions(points=2)
    first, again = (
        evaluate(options, lambda: default_model, repository(), ignore_progress) for _ in range(2)
    )

    def told(evaluation: Evaluation) -> list[object]:
        return [
            (one.place.key, one.completed.arm, one.completed.texts, one.completed.encoded)
            for one in evaluation.judged
        ]

    assert told(first) == told(again)
    rows = {(row.arm, row.slice): row.metrics for row in first.result.rows}
    assert rows[FULL, "all"]["edit_similarity"].value > 0.3
    assert rows["without pie - full", "all"]["tokens_encoded"].value > 20
    assert {one.completed.arm for one in first.judged} == {arm.name for arm in arms_of(PARTS, ())}


def test_a_cluster_gives_what_one_machine_gives(
    tmp_path_factory: pytest.TempPathFactory, cluster: str
) -> None:
    folder = save_model("qwen2", tmp_path_factory.mktemp("model"))

    def run(address: str | None) -> Evaluation:
        options = EvalOptions(points=6, without=("pie",), cluster=address)
        return evaluate(options, partial(load, folder), repository(), ignore_progress)

    def written(evaluation: Evaluation) -> list[object]:
        return [(one.place, replace(one.completed, ms=0)) for one in evaluation.judged]

    assert written(run(cluster)) == written(run(None))


def test_the_packages_that_are_missing_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "jinja2" else find(name)
    )
    assert main(["eval", str(tmp_path)]) == 2
    assert "this needs jinja2; run: pip install 'pirouette-lsp[evaluation]'" in (
        capsys.readouterr().err
    )


def test_sources_come_from_folders_in_every_language(tmp_path: Path) -> None:
    files = {"a.py": "x = 1\n", "web/b.ts": "const x = 1;\n", ".env": "KEY=1\n", "c.md": "# c\n"}
    root = write_files(tmp_path, files)
    assert set(read_sources(root).files) == {"a.py", "web/b.ts"}
    with pytest.raises(InputError, match="is not there; name the root of a repository"):
        read_sources(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is no wheel"):
        read_sources(root / "a.py")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--without", "x"], "there is no part 'x'"),
        (["--report", "a.pdf"], "a.pdf is no report"),
        (["--environment", "."], "there are no packages in"),
        (["--environment", "nowhere"], "there are no packages in nowhere"),
        (["--ray", "nowhere"], "'nowhere' is no address of a cluster"),
        (["--judge-model", "x"], "--judge-model needs --judge"),
        (["--points", "0"], "--points"),
    ],
)
def test_wrong_arguments_are_told_before_the_model_is_loaded(
    arguments: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_files(tmp_path, FILES)
    assert main(["eval", str(root), *arguments]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
    assert main(["eval", str(root / "nowhere")]) == 2


def test_a_home_that_cannot_be_written_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_files(tmp_path, {**FILES, "home": ""})
    monkeypatch.setenv("PIROUETTE_HOME", str(root / "home"))
    assert main(["eval", str(root)]) == 2
    assert "home cannot be written" in capsys.readouterr().err
