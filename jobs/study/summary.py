"""What a study says of the ranks that it found, as tables in Markdown that read well as text, too."""

import math
import random
import statistics

N_RESAMPLES = 1000


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(value) for value in values))


def quartiles(values):
    """Lower quartile, median, upper quartile."""
    if len(values) == 1:
        return values * 3
    return statistics.quantiles(values, n=4, method="inclusive")


def win_share(table, budget, ranks, key):
    """How often the ranks of a method's seeds beat random search, and the interval of 95 % from a bootstrap over the seeds.

    Unpaired: equal seeds share nothing between methods. Each seed is compared with all that random search can draw, by its exact
    law, so that only the method's own seeds are chance.
    """
    wins = table.wins(budget)
    won = [wins[rank] for rank in ranks]
    if len(set(won)) == 1:
        return won[0], won[0], won[0]
    draws = random.Random(key)
    means = sorted(statistics.fmean(draws.choices(won, k=len(won))) for _ in range(N_RESAMPLES))
    return statistics.fmean(won), means[int(0.025 * N_RESAMPLES)], means[int(0.975 * N_RESAMPLES)]


def number(value):
    """Three significant digits, and no digits behind the point from 100 on."""
    if value is None or math.isnan(value):
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def markdown(header, rows):
    """A table whose columns line up: names to the left, numbers to the right."""
    cells = [header, *rows]
    width = [max(len(row[i]) for row in cells) for i in range(len(header))]
    left = [title in ("method", "case") for title in header]
    lines = []
    for row in cells:
        padded = [text.ljust(w) if is_left else text.rjust(w) for text, w, is_left in zip(row, width, left)]
        lines.append("| " + " | ".join(padded) + " |")
    rule = ["-" * w if is_left else "-" * (w - 1) + ":" for w, is_left in zip(width, left)]
    lines.insert(1, "| " + " | ".join(rule) + " |")
    return "\n".join(lines)


HEADER = [
    "T",
    "method",
    "seeds",
    "mean",
    "geo. mean",
    "lower q.",
    "median",
    "upper q.",
    "top 1 %",
    "regret",
    "wins",
    "of 95 %",
]


def row_of(table, budget, name, ranks):
    """One line of the table of a table; ranks: of the best that each seed found."""
    low, median, high = quartiles(ranks)
    win, win_low, win_high = win_share(table, budget, ranks, f"{table.name} {budget} {name}")
    top = statistics.fmean(rank <= max(1, 0.01 * table.n_arch) for rank in ranks)
    return [
        str(budget),
        name,
        str(len(ranks)),
        number(statistics.fmean(ranks)),
        number(geometric_mean(ranks)),
        *(number(value) for value in (low, median, high)),
        f"{100 * top:.0f} %",
        number(statistics.fmean(table.regret(rank) for rank in ranks)),
        f"{100 * win:.0f} %",
        f"{100 * win_low:.0f}-{100 * win_high:.0f} %",
    ]


def expected_row(table, budget):
    """Random search as its law says."""
    law = table.random_law(budget)
    return [
        str(budget),
        "random, expected",
        "-",
        number(table.random_mean(budget)),
        number(table.random_geometric_mean(budget)),
        *(number(quantile(law, share)) for share in (0.25, 0.5, 0.75)),
        f"{100 * sum(p for rank, p in law if rank <= max(1, 0.01 * table.n_arch)):.0f} %",
        number(sum(table.regret(rank) * p for rank, p in law if p > 0)),
        "50 %",
        "-",
    ]


def quantile(law, share):
    total = 0.0
    for rank, p in law:
        total += p
        if total >= share:
            return rank
    return law[-1][0]


def columns_of(table, budget, name, archs):
    """Mean and standard deviation over the seeds of what a table reports of the best besides."""
    cells = []
    for i in range(len(table.reported)):
        known = [table.columns[arch][i] for arch in archs if arch is not None and table.columns[arch][i] is not None]
        cells.append(f"{statistics.fmean(known):.2f} ± {statistics.pstdev(known):.2f}" if known else "-")
    return [str(budget), name, *cells]


def over_tables(tables, methods, budgets, ranks_of):
    """Geometric means over the tables: of the mean rank and, in brackets, of the geometric mean; and on how many of them the
    mean is below what random search is expected to reach. A method that lacks a table or a budget has a dash there."""
    rows = [["random, expected"] + [cell(tables, t, None) for t in budgets] + ["-"]]
    for name in methods:
        found = [{table.name: ranks_of(table, name, t) for table in tables} for t in budgets]
        if not any(all(by_table.values()) for by_table in found):
            continue
        better = []
        for t, by_table in zip(budgets, found):
            if all(by_table.values()):
                n = sum(statistics.fmean(by_table[table.name]) < table.random_mean(t) for table in tables)
                better.append(f"{n}")
            else:
                better.append("-")
        rows.append([name] + [cell(tables, t, by_table) for t, by_table in zip(budgets, found)] + ["/".join(better)])
    return markdown(["method"] + [f"T = {t}" for t in budgets] + [f"better than random, of {len(tables)}"], rows)


def cell(tables, budget, by_table):
    if by_table is None:
        means = [table.random_mean(budget) for table in tables]
        geometric = [table.random_geometric_mean(budget) for table in tables]
    elif all(by_table.values()):
        means = [statistics.fmean(by_table[table.name]) for table in tables]
        geometric = [geometric_mean(by_table[table.name]) for table in tables]
    else:
        return "-"
    return f"{number(geometric_mean(means))} ({number(geometric_mean(geometric))})"
