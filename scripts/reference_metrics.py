"""Metrics whose values need more than one pass over a batch, in float64, for scripts/make_references.py and
scripts/make_network_references.py. docs/metrics.md says where papers and public code differ, and which of them is followed.

    swap              over the first 16 images: different columns of the signs [images, ReLU inputs]   (Peng et al., ICLR 2024)
    zico              over layers with a gradient that varies: log of the sum of mean |g| / deviation of g, of the images of even
                      and of odd place as batches of their own                                             (Li et al., ICLR 2023)
    az_expressivity   of noise, over the ends of blocks: sum of the entropies of the shares that the eigenvalues of the channels'
                      covariance have in their sum                                                         (Lee & Ham, CVPR 2024)
    az_progressivity  the least by which one of these entropies exceeds the one before
    zen               of noise x and e: log of the mean over images of sum |f(x) - f(x + 0.01 e)|, f what the head takes means of, plus
                      over the BNs that reach the logits and whose input varies: log of the root of the mean variance of
                      channels, of x; every layer's weights scaled to a root mean square of 1              (Lin et al., ICCV 2021)

    ntk               over the first 16 images, which go through together: condition number of the products of the gradients of the
                      sums of an image's logits by all weights; NaN beyond 1e6                             (Chen et al., ICLR 2021)

Noise is normal, as common/base/rng.h draws it with the seed 0.
"""

import contextlib

import numpy as np
import torch

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


NOISE = 16  # the stream of common/base/rng.h


def philox(counter, key):
    """Blocks of Philox 4x32-10 (Salmon et al., SC 2011). counter: four columns of words; key: two words."""
    low = np.uint64(0xFFFFFFFF)
    x = [np.asarray(c, np.uint64) for c in counter]
    k = [np.uint64(word) for word in key]
    for _ in range(10):
        a, b = np.uint64(0xD2511F53) * x[0], np.uint64(0xCD9E8D57) * x[2]
        x = [(b >> np.uint64(32)) ^ x[1] ^ k[0], b & low, (a >> np.uint64(32)) ^ x[3] ^ k[1], a & low]
        k = [(k[0] + np.uint64(0x9E3779B9)) & low, (k[1] + np.uint64(0xBB67AE85)) & low]
    return x


def normal(index, count):
    """The first numbers of a stream: each takes a block."""
    blocks = np.arange(count, dtype=np.uint64)
    zero = np.zeros_like(blocks)
    words = philox((blocks, zero + np.uint64(NOISE), zero + np.uint64(index), zero), (0, 0))
    u, v = ((words[i] | words[i + 1] << np.uint64(32)) >> np.uint64(11) for i in (0, 2))
    return np.sqrt(-2 * np.log(1 - u * 2.0**-53)) * np.cos(2 * np.pi * (v * 2.0**-53))


def noise(shape):
    """Images, and the same changed a little."""
    count = int(np.prod(shape))
    images = normal(0, count).astype(np.float32)
    changed = (images + 0.01 * normal(1, count)).astype(np.float32)
    return [torch.tensor(x.reshape(shape)).double() for x in (images, changed)]


@contextlib.contextmanager
def scaled(weights):
    """For a while."""
    before = [weight.detach().clone() for weight in weights]
    with torch.no_grad():
        for weight in weights:
            weight /= weight.square().mean().sqrt()
    yield
    with torch.no_grad():
        for weight, value in zip(weights, before):
            weight.copy_(value)


def zen(features, variances):
    """features: [images, ...] of both noises; variances: of the channels of every BN, for the first."""
    with np.errstate(divide="ignore"):
        change = np.log(float((features[0] - features[1]).abs().flatten(1).sum(1).mean()))
    means = [float(variance.mean()) for variance in variances]
    return change + sum(0.5 * np.log(mean) for mean in means if mean != 0)


def entropy(features):
    """features: [N, C, H, W]."""
    x = features.transpose(0, 1).flatten(1).numpy()
    x = x - x.mean(axis=1, keepdims=True)
    values = np.linalg.eigvalsh(x @ x.T / x.shape[1])
    with np.errstate(all="ignore"):
        shares = values / values.sum()
        return float(-(shares * np.log(shares + 1e-8)).sum())


def az(blocks):
    """blocks: what comes out of each."""
    entropies = [entropy(block) for block in blocks]
    return {"az_expressivity": sum(entropies), "az_progressivity": float(np.min(np.diff(entropies)))}


def ntk(logits, weights):
    """logits: [images, classes]."""
    rows = []
    for image in logits:
        found = torch.autograd.grad(image.sum(), weights, retain_graph=True, allow_unused=True)
        rows.append(torch.cat([torch.zeros(w.numel()).double() if g is None else g.flatten() for g, w in zip(found, weights)]))
    gradients = torch.stack(rows).numpy()
    values = np.linalg.eigvalsh(gradients @ gradients.T)
    number = values[-1] / values[0]
    return number if 0 < number <= 1e6 else np.nan
