"""Pictures in files: the same figures give the same bytes, so that a commit shows what changed."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure


def save(figure: Figure, picture: Path) -> None:
    """Write a figure without date and random names."""
    mpl.rcParams["svg.hashsalt"] = "pirouette"
    figure.savefig(picture, metadata={"Date": None})
