"""The operators in plain NumPy, and how far rounding may move a computed spectrum from them.

Tolerances follow from one estimate, `off`. Let every d^2 / (2 sigma_i sigma_j) be off by delta. Then every entry of G
is off by a factor exp(+-delta), a sum of a row by n eps more, every entry of G' by a factor exp(+-(1 + 2 alpha)(delta
+ n eps)), every entry of K by twice that. As the eigenvalues of K are within -1 and 1, its Frobenius norm is at most
sqrt(n), and no eigenvalue moves by more than that factor's exponent times sqrt(n) (Weyl), and by n eps in LAPACK.
"""

import math

import numpy as np
from scipy.spatial.distance import pdist, squareform

EPS = np.finfo(float).eps
NEIGHBORS = 7


def cloud(n=80, d=6):
    return np.random.default_rng([n, d]).normal(scale=4, size=(n, d))


def distances(X, metric="euclidean"):
    """[N, N]. The squared Euclidean distance of two rows of length 1 is 2 - 2 cos."""
    if metric == "precomputed":
        return X
    return squareform(np.sqrt(2 * pdist(X, "cosine")) if metric == "cosine" else pdist(X))


def median(d):
    pairs = squareform(d, checks=False)
    return np.median(pairs[pairs > 0])


def self_tuning(d, k=NEIGHBORS):
    """The first of each row's distances in order is that to itself."""
    sigma = np.sort(d, axis=1)[:, k]
    sigma[sigma == 0] = sigma[sigma > 0].min()
    return sigma


def gaussian(d, sigma):
    each = np.broadcast_to(sigma, len(d))
    return np.exp(-(d**2) / (2 * np.outer(each, each)))


def operator(G, alpha=0.0):
    q = G.sum(axis=1)
    weighted = G / np.outer(q, q) ** alpha
    degrees = weighted.sum(axis=1)
    return weighted / np.sqrt(np.outer(degrees, degrees))


def moduli(matrix):
    """Of a symmetric matrix's eigenvalues, largest first."""
    return np.sort(np.abs(np.linalg.eigvalsh(matrix)))[::-1]


def shannon(eigenvalues, t=1):
    p = eigenvalues**t / (eigenvalues**t).sum()
    p = p[p > 0]
    return -(p * np.log2(p)).sum()


def delta(d, sigma, columns, rule=False):
    """Of d^2 / (2 sigma_i sigma_j), where squared distances come from a Gram product of rows no longer than max d.

    Each is off by (columns + 8) eps times the squared lengths of both. Where sigma is itself a
    distance, it is off by as much relative to sigma^2, which all exponents are multiplied by.
    """
    spread = d.max() / np.min(sigma)
    own = (columns + 8) * EPS * 2 * spread**2
    return own * (1 + 4 * spread**2) if rule else own


def off(n, delta, alpha=0.0):
    """The estimate above, for the difference of two values that are both off."""
    return 2 * (2 * (1 + 2 * alpha) * (delta + n * EPS) * math.sqrt(n) + n * EPS)


def entropy_off(n, of_probabilities):
    """Of Shannon's entropy of n probabilities that are together off by twice this (Fannes & Audenaert).

    It is above n^2 eps here, and -T log2 T far above the rounding of n terms of the sum.
    """
    T = of_probabilities
    return T * math.log2(n) - T * math.log2(T) - (1 - T) * math.log2(1 - T)


def diffusion_entropy_off(n, of_eigenvalues, t=1):
    """Powers t >= 1 of eigenvalues up to 1 are off by t times as much, and their sum is at least 1."""
    return entropy_off(n, t * n * of_eigenvalues)


def neighbors_of(bandwidth, k=NEIGHBORS):
    """The argument n_neighbors, for a bandwidth that has neighbours."""
    return {"n_neighbors": k} if isinstance(bandwidth, str) and bandwidth == "knn" else {}


BANDWIDTHS = {
    "number": lambda d: (float(0.7 * median(d)),) * 2,
    "median": lambda d: ("median", median(d)),
    "knn": lambda d: ("knn", self_tuning(d)),
    "array": lambda d: (median(d) * np.linspace(0.5, 1.5, len(d)),) * 2,
    "callable": lambda d: (lambda rows: np.sqrt(np.arange(1, len(rows) + 1)), np.sqrt(np.arange(1, len(d) + 1))),
    "callable of one number": lambda d: (lambda rows: 6 + len(rows) / 100, 6 + len(d) / 100),
}
"""Bandwidths to pass, and what they are, as functions of the distances."""
