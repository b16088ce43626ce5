"""The report of an evaluation: its tables, its pictures, and the page in a real browser."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.points.evaluate import Evaluation
from evaluation.points.kinds import PointKind
from evaluation.points.parts import FULL
from evaluation.points.results import Checked, Completed, Judged, rows_of
from evaluation.points.sampling import HeldOut
from evaluation.report.examples import best_of, worst_of
from evaluation.report.plots import plots_of
from evaluation.report.report import markdown_of, page_of, require_reports, write_report
from evaluation.report.tables import tables_of
from evaluation.results import BenchResult
from models.errors import InputError
from tests.browser import browser_page

WITHOUT = "without monitors"


def completed(arm: str, text: str, confidence: float = 0.5, ms: float = 100.0) -> Completed:
    return Completed(arm, [text], confidence, ms, 500, 400, 90, 10, 8, 5, 0, 0)


def place(number: int, truth: str) -> HeldOut:
    kind = list(PointKind)[number % 3]
    return HeldOut("shop", f"shop/f{number}.py", kind, f"x = {number}\ny = ", truth, "\n")


def evaluation(count: int = 12) -> Evaluation:
    """Two arms; the full one is right at every second place."""
    judged = []
    for number in range(count):
        truth = f"<b>value_{number}</b> & 1"
        here = place(number, truth)
        text = truth if number % 2 else "<script>wrong()</script>"
        confidence = 0.9 if number % 2 else number / count
        checked = Checked(parses=True, type_checks=bool(number % 2))
        judged.append(Judged(here, completed(FULL, text, confidence, 100 + number), checked))
        judged.append(Judged(here, completed(WITHOUT, "wrong", 0.1, 300 + number), checked))
    rows = tuple(rows_of(judged, seed=0, most=1))
    result = BenchResult("eval", "abc", "a machine", "pirouette eval shop", 0, rows)
    return Evaluation(result, "shop <1>", judged)


def test_tables_tell_quality_cost_and_what_a_part_contributes() -> None:
    tables = {table.title: table for table in tables_of(evaluation().result)}
    quality = tables["Quality"]
    assert quality.headings == ["", FULL, WITHOUT]
    assert quality.rows[0] == ["places", "12", "12"]
    assert quality.rows[1][:2] == ["exact match", "50.0 [25.4, 74.6]"]
    assert not any("judge" in row[0] for row in quality.rows)  # nobody was asked
    without = tables["What changes without a part"]
    assert without.headings == ["", WITHOUT]
    assert without.rows[1][1].startswith("-50.0 [")
    assert tables["What it costs more"].rows[1] == ["ms, mean", "+200"]
    kinds = [row[0] for row in tables["Quality by place"].rows]
    assert kinds == ["all", *list(PointKind)[:3]]


def test_pictures_are_the_same_for_the_same_figures() -> None:
    once, again = (plots_of(evaluation().result, evaluation().judged) for _ in range(2))
    assert once == again
    assert list(once) == [
        "Exact match by place",
        "What changes without a part",
        "Time to a suggestion",
        "Confidence and truth",
    ]
    for picture in once.values():
        assert ET.fromstring(picture).tag.endswith("svg")


def test_best_examples_save_typing_and_worst_ones_mislead() -> None:
    judged = evaluation().judged
    assert best_of(judged)[0].judged.place.truth == "<b>value_11</b> & 1"
    worst = worst_of(judged)[0]
    assert worst.judged.completed.confidence == 10 / 12
    assert worst.others == [(WITHOUT, "wrong")]


def test_a_report_has_the_form_that_its_name_asks_for(tmp_path: Path) -> None:
    paths = [tmp_path / f"report{end}" for end in (".html", ".md", ".json")]
    require_reports(paths)
    for path in paths:
        write_report(evaluation(), path)
    page, table, figures = (path.read_text(encoding="utf-8") for path in paths)
    assert page.startswith("<!doctype html>")
    assert "| exact match | 50.0 [" in table
    assert "pirouette eval shop" in table
    assert json.loads(figures)["rows"][0]["arm"] == FULL
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    with pytest.raises(InputError, match=r"report.pdf is no report; .* \.html, \.md, \.json"):
        require_reports([tmp_path / "report.pdf"])
    with pytest.raises(InputError, match="cannot be written"):
        require_reports([tmp_path / "nowhere" / "report.html"])


def test_code_is_shown_and_never_obeyed() -> None:
    page = page_of(evaluation())
    assert "<script" not in page
    assert "&lt;script&gt;wrong()&lt;/script&gt;" in page
    assert "Completion in shop &lt;1&gt;" in page
    assert "src=" not in page
    assert 'href="http' not in page
    named = replace(evaluation(), repository="`<img src=x>\n# shop")
    assert markdown_of(named).startswith("# Completion in `'<img src=x> # shop`\n\n## Quality")


def test_the_page_is_read_in_a_browser_without_a_network(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(evaluation(40), path)
    complaints: list[str] = []
    asked: list[str] = []
    with browser_page() as page:
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        assert page.title() == "Completion in shop <1>"
        pictures = page.locator("figure svg")
        assert pictures.count() == 4
        boxes = [pictures.nth(number).bounding_box() for number in range(4)]
        assert all(box is not None and box["width"] > 300 and box["height"] > 150 for box in boxes)
        assert page.get_by_role("heading", name="Quality", exact=True).is_visible()
        assert page.locator("details[open] ins").first.is_visible()
        closed = page.locator("details:not([open])").first
        closed.locator("summary").click()
        # Nothing is wider than the window, but for tables, which scroll by themselves.
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.set_viewport_size({"width": 420, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert complaints == []
    assert asked == [path.as_uri()]
