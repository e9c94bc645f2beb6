"""Plots of a study, as SVG: the same bytes for the same numbers. Needs matplotlib."""

import matplotlib
from matplotlib import pyplot

matplotlib.use("svg")
matplotlib.rcParams.update(
    {"svg.hashsalt": "robotnas", "svg.fonttype": "none", "font.sans-serif": ["DejaVu Sans", "Arial"], "font.size": 9}
)

# The same line for a method in every plot: a colour a method, dashes for its variants.
STYLES = {
    "pool-gp": ("#0b6e4f", "-"),
    "pool-gp, q = 4": ("#0b6e4f", "--"),
    "pool-gp, q = 8": ("#0b6e4f", ":"),
    "pool-gp, hidden 0": ("#5fbf9a", "-"),
    "pool-gp, sentinels missing": ("#5fbf9a", ":"),
    "pool-gp, job's metrics": ("#5fbf9a", "--"),
    "robot, raw": ("#c8553d", "-"),
    "robot, ranks": ("#c8553d", "--"),
    "robot, all, ranks": ("#c8553d", ":"),
    "random": ("#888888", "-"),
    "rea": ("#3d6fb6", "-"),
    "reinforce": ("#8e5ea2", "-"),
}


def plot(path, title, lines, expected):
    """Geometric mean rank of the best by evaluations; expected: that of random search, by its law."""
    figure, axes = pyplot.subplots(figsize=(6.4, 4.0), layout="constrained")
    axes.plot(
        range(1, len(expected) + 1), expected, color="black", linestyle=":", linewidth=1, label="random, expected"
    )
    for name, ranks in lines.items():
        colour, dashes = STYLES.get(name, ("black", "-"))
        axes.plot(range(1, len(ranks) + 1), ranks, color=colour, linestyle=dashes, linewidth=1.4, label=name)
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("evaluations")
    axes.set_ylabel("rank of the best, geometric mean")
    axes.grid(alpha=0.25, linewidth=0.5)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8, frameon=False)
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
