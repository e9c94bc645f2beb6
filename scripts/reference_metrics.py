"""Metrics whose values need more than one pass over a batch, in float64, for scripts/make_references.py and
scripts/make_network_references.py. docs/metrics.md says where papers and public code differ, and which of them is followed.

    swap              over the first 16 images: different columns of the signs [images, ReLU inputs]   (Peng et al., ICLR 2024)
"""

import numpy as np

FEW = 16  # images, at most


def swap(signs):
    """signs: [images, inputs of ReLUs]."""
    return float(len(np.unique(signs.numpy().T, axis=0)))
