#!/usr/bin/env python3
"""Reference values of the Gaussian process from scikit-learn: writes tests/data/gp/*.txt.

    scripts/make_gp_fixtures.py [FOLDER]

Needs scikit-learn, SciPy and NumPy; the files in the repository come from scikit-learn 1.9, SciPy 1.17. Every file
is one set of observations, as numbers separated by white space:

    n d m s             observations, dimensions, query points, length scales
    X                   n x d observations, row by row
    y                   n targets
    Q                   m x d query points, row by row
    best                log marginal likelihood that scikit-learn's own fit of the length scale reached
    and for each of the s length scales:
    l value gradient    length scale, log marginal likelihood, its derivative with respect to log(l)
    mean                m posterior means
    std                 m posterior standard deviations, in the unit of y
"""

import pathlib
import sys
import warnings

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

DIMENSIONS = (1, 2, 6, 13)
OBSERVATIONS = (1, 2, 20, 100)
LENGTH_SCALES = (0.05, 0.7, 20.0)
QUERIES = 6
BOUNDS = (1e-5, 1e5)


def process(length_scale, **options):
    kernel = Matern(length_scale=length_scale, length_scale_bounds=BOUNDS, nu=2.5)
    return GaussianProcessRegressor(kernel=kernel, alpha=1e-6, normalize_y=True, random_state=0, **options)


def row(values):
    return " ".join(repr(float(v)) for v in np.ravel(values)) + "\n"


def fixture(X, y, Q):
    """The text of one file."""
    fitted = process(1.0, n_restarts_optimizer=5).fit(X, y)
    text = f"{len(X)} {X.shape[1]} {len(Q)} {len(LENGTH_SCALES)}\n" + row(X) + row(y) + row(Q)
    text += row(fitted.log_marginal_likelihood_value_)
    for length_scale in LENGTH_SCALES:
        gp = process(length_scale, optimizer=None).fit(X, y)
        value, gradient = gp.log_marginal_likelihood(gp.kernel_.theta, eval_gradient=True)
        mean, std = gp.predict(Q, return_std=True)
        text += row([length_scale, value, gradient[0]]) + row(mean) + row(std)
    return text


def observations(rng, n, d):
    """Inputs and queries to four decimals; a smooth target with noise, in percent like an accuracy."""
    X = np.round(rng.uniform(-1, 1, (n, d)), 4)
    y = np.round(90 + np.sin(2 * X + np.arange(d)).sum(axis=1) + 0.3 * rng.standard_normal(n), 3)
    Q = np.round(rng.uniform(-1, 1, (QUERIES, d)), 4)
    return X, y, Q


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "tests/data/gp")
    folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")  # optima on a bound, which are part of the test
    rng = np.random.default_rng(0)
    for d in DIMENSIONS:
        for n in OBSERVATIONS:
            X, y, Q = observations(rng, n, d)
            (folder / f"d{d}-n{n}.txt").write_text(fixture(X, y, Q))
    X, y, Q = observations(rng, 10, 3)
    (folder / "duplicates.txt").write_text(fixture(np.vstack([X, X, X[:3]]), np.append(np.append(y, y + 0.5), y[:3]), Q))
    X, y, Q = observations(rng, 15, 3)
    (folder / "constant.txt").write_text(fixture(X, np.full(15, 91.25), Q))
    (folder / "near-duplicates.txt").write_text(fixture(np.vstack([X, X + 1e-9]), np.append(y, y), Q))


if __name__ == "__main__":
    main()
