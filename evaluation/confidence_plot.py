"""The picture of what confidence is worth, and the same in words and as Python source."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from completion.confidence import Rule
from evaluation.confidence_curves import (
    SHARES,
    WANTED,
    Judged,
    Shown,
    at_share,
    best_threshold,
    brier,
    calibration,
    chosen_elsewhere,
    curve,
)
from evaluation.results import Metric, shown


def source_of(rule: Rule) -> str:
    """The rule as it stands in `completion/confidence.py`."""
    lines = ["ACCEPTED = Rule(", f"    bias={rule.bias:.4f},", "    weights={"]
    for name, part in rule.weights.items():
        numbers = f"{part.weight:.4f}, mean={part.mean:.4f}, scale={part.scale:.4f}"
        lines.append(f'        "{name}": Weight({numbers}),')
    return "\n".join([*lines, "    },", ")"])


def table_of(judged: Sequence[Judged], plain: Sequence[Judged]) -> str:
    """What is right at each share shown, by the rule and by the plain confidence beside it."""
    by_rule, by_plain = curve(judged), curve(plain)
    lines = [
        "| share shown | confidence at least | right | right, by the geometric mean alone |",
        "| --- | --- | --- | --- |",
    ]
    for share in SHARES:
        point, other = at_share(by_rule, share), at_share(by_plain, share)
        lines.append(
            f"| {point.share:.2f} | {point.threshold:.2f} | {precision(point)} | "
            f"{precision(other)} |"
        )
    return "\n".join(lines)


def summary_of(judged: Sequence[Judged], plain: Sequence[Judged]) -> str:
    """The threshold that is best, what it is worth where it was not chosen, and the calibration."""
    best, elsewhere = best_threshold(judged), chosen_elsewhere(judged)
    lines = [f"Brier score {brier(judged):.3f}; of the geometric mean {brier(plain):.3f}"]
    if best is None:
        lines.append(f"no threshold makes suggestions right {WANTED} times as often")
    else:
        lines.append(
            f"minimumConfidence {best.threshold:.2f}: {best.share:.2f} of the suggestions shown, "
            f"right {precision(best)}"
        )
    if elsewhere is not None:
        lines.append(
            f"each repository at the threshold of the others (mean {elsewhere.threshold:.2f}): "
            f"{elsewhere.share:.2f} shown, right {precision(elsewhere)}"
        )
    lines += [
        f"confidence {mean:.2f}: right {precision(bin_)}" for mean, bin_ in calibration(judged)
    ]
    return "\n".join(lines)


def precision(point: Shown) -> str:
    interval = point.interval
    return shown(Metric(point.precision, interval.low, interval.high))


def draw(judged: Sequence[Judged], plain: Sequence[Judged]) -> Figure:
    """How often what is shown is right, by how much is shown; and confidence against the truth."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left: Axes
    right: Axes
    left, right = figure.subplots(1, 2)
    points = curve(judged)
    shares = [point.share for point in points]
    intervals = [point.interval for point in points]
    left.fill_between(
        shares, [one.low for one in intervals], [one.high for one in intervals], alpha=0.15
    )
    left.plot(shares, [point.precision for point in points], label="fitted rule")
    others = curve(plain)
    left.plot(
        [point.share for point in others],
        [point.precision for point in others],
        linestyle="--",
        label="geometric mean of probabilities",
    )
    everything = points[-1].precision
    left.axhline(everything, color="grey", linewidth=1, label="all shown")
    left.axhline(WANTED * everything, color="grey", linewidth=1, linestyle=":")
    left.set(xlabel="share of suggestions shown", ylabel="first line right", ylim=(0, 1))
    left.legend()
    bins = calibration(judged)
    means, truths = [mean for mean, _ in bins], [bin_.precision for _, bin_ in bins]
    below = [bin_.precision - bin_.interval.low for _, bin_ in bins]
    above = [bin_.interval.high - bin_.precision for _, bin_ in bins]
    right.plot([0, 1], [0, 1], color="grey", linewidth=1)
    right.errorbar(means, truths, yerr=[below, above], marker="o", capsize=3)
    right.set(xlabel="confidence", ylabel="first line right", xlim=(0, 1), ylim=(0, 1))
    for axes in (left, right):
        axes.grid(visible=True, alpha=0.3)
    return figure
