"""Which name is found wrong in TypeScript and Go; `▮` is the cursor, what follows was written."""

from dataclasses import replace
from pathlib import Path

import pytest

from completion.covers import open_end, text_known
from completion.monitors.monitors import Monitors
from completion.monitors.watch import Watch
from completion.values import CompletionRequest
from models.language_model import LanguageModel
from tests.unit.analysts import DeclaredAnalyst, FrozenAnalyst
from tests.unit.completion_helpers import at, load_tiny_model, write_model
from tests.unit.workspaces import write_files

FILES = {
    "util.ts": "export const alpha = 1, beta = 2;\nexport enum Colour { Red, Green }\n",
    "go.mod": "module example.com/shop\n",
    "stock/stock.go": "package stock\n\nfunc New() {}\n\nvar Shelf = 1\n",
}
SCRIPT = "import * as util from './util';\nimport { Colour } from './util';\n"
GO = 'package main\n\nimport "example.com/shop/stock"\n\nfunc main() {\n\t'


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("workspace"), FILES)


def watch_of(
    model: LanguageModel,
    path: Path,
    before: str,
    after: str,
    analyst: DeclaredAnalyst | FrozenAnalyst,
) -> tuple[Watch, bytes]:
    """The watch at a place, and what of the line before it is rewritten."""
    request: CompletionRequest = replace(at(f"{before}▮{after}"), path=str(path), language="")
    end = open_end(model.tokenizer, before)
    monitors = Monitors(model.tokenizer, analyst, [path.parent], seconds=0.01)
    watch = monitors.watch(request, request, text_known(model.tokenizer, before, end))
    return watch, model.tokenizer.spelled(end.rewritten)


def wrong_name(
    model: LanguageModel, path: Path, text: str, after: str, *, ended: bool
) -> tuple[str, set[str]] | None:
    """The name, and those that exist."""
    before, written = text.split("▮")
    watch, rewritten = watch_of(model, path, before, after, DeclaredAnalyst())
    found = watch.find_wrong(watch.line + rewritten + written.encode(), ended=ended)
    if found is None:
        return None
    return found.name.decode(), {name.decode() for name in found.existing}


@pytest.mark.parametrize(
    ("text", "ended", "wrong"),
    [
        ("call(util.▮gamma", True, "gamma"),
        ("call(util.▮gamma", False, None),  # who knows what follows
        ("call(util.▮gamma)", False, "gamma"),
        ("call(util.▮alpha, util.gamma)", False, "gamma"),
        ("call(util.▮alpha)", False, None),
        ("util.▮$alpha()", False, "$alpha"),
        ("util.al▮l()", False, "all"),
        ("util.x▮y()", False, None),  # nothing that is declared begins so
        ("util.gamma▮()", False, None),  # typed by hand
        ("util.▮gamma = 1;", False, None),  # may be made
        ("util?.▮gamma == 1", False, "gamma"),
        ("call(other.▮gamma)", False, None),
        ("const s = 'util.▮gamma'", False, None),
        ("const s = 1; // util.▮gamma()", False, None),
        ("▮paint(Colour.Blue);", False, "Blue"),
        ("▮const util = other;\nutil.gamma;", False, None),
        ("import { ▮alpha, gamma } from './util';", False, "gamma"),
        ("import { alpha,▮ gamma", True, None),  # of what?
        ("import {\n  ▮alpha,\n  gamma,\n} from './util';", False, "gamma"),
        ("export { ▮gamma as other } from './util';", False, "gamma"),
        ("import { ▮gamma } from './nowhere';", False, None),
    ],
)
def test_in_typescript(
    model: LanguageModel, workspace: Path, text: str, ended: bool, wrong: str | None
) -> None:
    found = wrong_name(model, workspace / "main.ts", SCRIPT + text, "\n", ended=ended)
    assert (found and found[0]) == wrong


def test_the_module_of_a_list_may_stand_behind_the_cursor(
    model: LanguageModel, workspace: Path
) -> None:
    path, after = workspace / "main.ts", " } from './util';\n"
    assert wrong_name(model, path, "import { ▮gamma, ", after, ended=True) == (
        "gamma",
        {"alpha", "beta", "Colour"},
    )


def test_what_every_object_has_is_no_makeshift(model: LanguageModel, workspace: Path) -> None:
    path = workspace / "main.ts"
    found = wrong_name(model, path, SCRIPT + "paint(Colour.▮toRed());", "\n", ended=True)
    assert found == ("toRed", {"Red", "Green"})
    assert wrong_name(model, path, SCRIPT + "Colour.▮toString();", "\n", ended=True) is None


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("stock.▮Old()", "Old"),
        ("stock.▮New()", None),
        ("x := stock.▮Shelf + stock.Bin\n", "Bin"),
        ("stock := ▮stock.New()\n\tstock.Old()", None),
        ("fmt.▮Nothing()", None),
    ],
)
def test_in_go(model: LanguageModel, workspace: Path, text: str, wrong: str | None) -> None:
    found = wrong_name(model, workspace / "main.go", GO + text, "\n}\n", ended=False)
    assert (found and found[0]) == wrong


def test_what_stands_at_the_cursor_is_asked_about_at_once(
    model: LanguageModel, workspace: Path
) -> None:
    analyst = DeclaredAnalyst()
    watch_of(model, workspace / "main.ts", SCRIPT + "call(util.al", ")\n", analyst)
    assert analyst.asked == [SCRIPT + "call(util."]


def test_no_answer_in_time_leaves_all_as_it_is(model: LanguageModel, workspace: Path) -> None:
    path = workspace / "main.ts"
    watch, rewritten = watch_of(model, path, SCRIPT + "call(util.", ")\n", FrozenAnalyst())
    assert watch.find_wrong(watch.line + rewritten + b"gamma)", ended=True) is None
    assert watch.counts.unanswered == 1


def test_a_text_in_no_file_is_not_watched(model: LanguageModel) -> None:
    analyst = DeclaredAnalyst()
    watch_of(model, Path(), SCRIPT + "util.", "\n", analyst)
    assert analyst.asked == []
