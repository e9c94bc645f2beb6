"""Metrics whose values need more than one pass over a batch, in float64, for scripts/make_references.py and
scripts/make_network_references.py. docs/metrics.md says where papers and public code differ, and which of them is followed.

    swap              over the first 16 images: different columns of the signs [images, ReLU inputs]   (Peng et al., ICLR 2024)
    zico              over layers with a gradient that varies: log of the sum of mean |g| / deviation of g, of the images of even
                      and of odd place as batches of their own                                             (Li et al., ICLR 2023)
"""

import numpy as np

FEW = 16  # images, at most


def swap(signs):
    """signs: [images, inputs of ReLUs]."""
    return float(len(np.unique(signs.numpy().T, axis=0)))


def halves(batch):
    half = len(batch) // 2
    return batch[: 2 * half : 2], batch[1 : 2 * half : 2]


def zico(gradients):
    """gradients: of two batches, each a list of arrays, one a layer."""
    total = 0.0
    for pair in zip(*gradients):
        both = np.stack([g.numpy().ravel() for g in pair])
        deviation = both.std(axis=0)
        varies = deviation > 0
        ratios = (np.abs(both).mean(axis=0)[varies] / deviation[varies]).sum()
        if ratios > 0:
            total += np.log(ratios)
    return total
