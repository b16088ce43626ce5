"""The pictures of an evaluation, as SVG to be put into a page: quality, latency, calibration."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluation.intervals import wilson
from evaluation.points.parts import FULL
from evaluation.points.results import Judged
from evaluation.report.tables import ALL, is_difference
from evaluation.results import BenchResult, Row

INK = "#6b7280"  # is read on white and on black
COLOURS = ("#2563eb", "#d97706", "#059669", "#db2777", "#7c3aed", "#64748b")
SHARE = "exact match, %"
BINS = 8
NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
LEAST_IN_BIN = 5


def plots_of(result: BenchResult, judged: Sequence[Judged]) -> Mapping[str, str]:
    """Each picture's SVG by its title; only those that there is something to show in."""
    full = [one for one in judged if one.completed.arm == FULL]
    drawn: dict[str, Callable[[Axes], None]] = {}
    kinds = [row for row in result.rows if row.arm == FULL and row.slice != ALL]
    if kinds:
        drawn["Exact match by place"] = lambda axes: draw_kinds(axes, kinds)
    parts = [row for row in result.rows if row.slice == ALL and is_difference(row)]
    if parts:
        drawn["What changes without a part"] = lambda axes: draw_parts(axes, parts)
    drawn["Time to a suggestion"] = lambda axes: draw_latency(axes, judged)
    if any(one.completed.texts[0] for one in full):
        drawn["Confidence and truth"] = lambda axes: draw_calibration(axes, full)
    return {title: svg(draw) for title, draw in drawn.items()}


def svg(draw: Callable[[Axes], None]) -> str:
    """A picture without a background, whose text is text; the same figures give the same bytes."""
    settings: dict[Any, Any] = {
        "svg.hashsalt": "pirouette",
        "svg.fonttype": "none",
        "font.size": 10,
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
        "axes.edgecolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    written = io.StringIO()
    with mpl.rc_context(settings):
        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        draw(figure.subplots())
        figure.savefig(written, format="svg", transparent=True, metadata=NO_METADATA)
    text = written.getvalue()
    return text[text.index("<svg") :]


def draw_kinds(axes: Axes, rows: Sequence[Row]) -> None:
    """The share of right completions at each kind of place, with its interval."""
    ordered = sorted(rows, key=lambda row: row.metrics["exact_match"].value)
    draw_intervals(axes, ordered, [f"{row.slice} ({row.n})" for row in ordered])
    axes.set_xlim(0, 100)
    axes.set_xlabel(SHARE)


def draw_parts(axes: Axes, rows: Sequence[Row]) -> None:
    """The paired difference of each arm from the full pipeline, with its interval."""
    ordered = list(reversed(rows))
    draw_intervals(axes, ordered, [row.arm.partition(" - ")[0] for row in ordered])
    axes.axvline(0, color=INK, linewidth=1, linestyle=":")
    axes.set_xlabel("exact match, points more than the full pipeline")


def draw_intervals(axes: Axes, rows: Sequence[Row], labels: Sequence[str]) -> None:
    found = [row.metrics["exact_match"] for row in rows]
    values = 100 * np.array([one.value for one in found])
    low = 100 * np.array([one.value if one.low is None else one.low for one in found])
    high = 100 * np.array([one.value if one.high is None else one.high for one in found])
    places = np.arange(len(rows))
    reach = np.maximum(0, [values - low, high - values])
    axes.errorbar(values, places, xerr=reach, fmt="o", color=COLOURS[0], capsize=3)
    axes.set_yticks(places, labels)
    axes.set_ylim(-0.6, len(rows) - 0.4)


def draw_latency(axes: Axes, judged: Sequence[Judged]) -> None:
    """For each arm the share of suggestions that are there after so many milliseconds."""
    arms = list(dict.fromkeys(one.completed.arm for one in judged))
    for number, arm in enumerate(arms):
        times = sorted(one.completed.ms for one in judged if one.completed.arm == arm)
        shares = 100 * np.arange(1, len(times) + 1) / len(times)
        colour = COLOURS[number % len(COLOURS)]
        axes.step(times, shares, where="post", label=arm, color=colour)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("milliseconds")
    axes.set_ylabel("suggestions, %")
    axes.legend(frameon=False)


def draw_calibration(axes: Axes, judged: Sequence[Judged]) -> None:
    """How often suggestions of about the same confidence have a right first line."""
    shown = sorted((one for one in judged if one.completed.texts[0]), key=confidence)
    bins = max(1, min(BINS, len(shown) // LEAST_IN_BIN))
    axes.plot([0, 100], [0, 100], color=INK, linewidth=1, linestyle=":")
    for part in np.array_split(np.arange(len(shown)), bins):
        ones = [shown[i] for i in part]
        right = sum(first_line_is_right(one) for one in ones)
        told, share = np.mean([confidence(one) for one in ones]), right / len(ones)
        around = wilson(right, len(ones))
        reach = [[max(0.0, 100 * (share - around.low))], [max(0.0, 100 * (around.high - share))]]
        axes.errorbar([100 * told], [100 * share], yerr=reach, fmt="o", color=COLOURS[0], capsize=3)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.set_xlabel("confidence, %")
    axes.set_ylabel("first line right, %")


def confidence(one: Judged) -> float:
    return one.completed.confidence


def first_line_is_right(one: Judged) -> bool:
    return one.text.partition("\n")[0].rstrip() == one.place.truth.partition("\n")[0].rstrip()
