"""Entropies of spectra whose entropies have a closed form."""

import math

import numpy as np
import pytest
from dsentropy import (
    Spectrum,
)
from numpy_formulas import (
    EPS,
)

INF = math.inf


def log_of_powers(q, n, ratio):
    """log2 of 1 + r + ... + r^(n-1), with r = ratio^q."""
    log = q * math.log(ratio)
    return math.log2(math.expm1(n * log) / math.expm1(log))


def renyi_off(order, t, eigenvalues):
    """Logarithms of moduli are off by 2 eps of themselves, those of p by t times that and by the rounding of their
    sum; sums of p^q, in the closed form as well, by q times that, and the entropy by that over |q - 1|.
    """
    of_logs = EPS * (len(eigenvalues) + 2 * t * abs(math.log2(eigenvalues.min())))
    if order == 1:
        return 4 * of_logs * (1 + math.log2(len(eigenvalues)))
    return 4 * of_logs if order == INF else 4 * of_logs * (1 + order) / abs(order - 1)


@pytest.mark.parametrize("order", [0.5, 0.95, 1.05, 2, 3.5, 20, INF])
@pytest.mark.parametrize("t", [0.5, 1, 3])
@pytest.mark.parametrize(("ratio", "n"), [(0.5, 5), (0.5, 40), (0.9, 40)])
def test_renyi_entropies_of_a_geometric_spectrum(ratio, n, t, order):
    eigenvalues = 3.7 * ratio ** np.arange(n)
    if order == INF:
        expected = log_of_powers(t, n, ratio)
    else:
        expected = (log_of_powers(order * t, n, ratio) - order * log_of_powers(t, n, ratio)) / (1 - order)
    assert abs(Spectrum(eigenvalues).entropy(t, order) - expected) <= renyi_off(order, t, eigenvalues / 3.7)


@pytest.mark.parametrize("t", [0.5, 1, 3])
@pytest.mark.parametrize(("ratio", "n"), [(0.5, 5), (0.5, 40), (0.9, 40)])
def test_shannon_entropy_of_a_geometric_spectrum(ratio, n, t):
    """H = log2 S - (sum of i r^i / S) log2 r, r = ratio^t, S the sum of r^i; and what orders 1 and 2 define."""
    eigenvalues = ratio ** np.arange(n)
    r = ratio**t
    S = (1 - r**n) / (1 - r)
    weighted = r * (1 - n * r ** (n - 1) + (n - 1) * r**n) / (1 - r) ** 2
    expected = math.log2(S) - weighted / S * math.log2(r)
    spectrum = Spectrum(eigenvalues)
    # 1 - r is at least 1/20, and its square divides.
    allowed = renyi_off(1, t, eigenvalues) + 400 * 8 * EPS
    assert abs(spectrum.entropy(t) - expected) <= allowed
    assert spectrum.effective_rank(t) == pytest.approx(2**expected, rel=allowed)
    assert spectrum.participation_ratio(t) == pytest.approx(2 ** spectrum.entropy(t, 2), rel=8 * EPS)


@pytest.mark.parametrize("order", [0, 0.5, 1, 2, 7, INF])
@pytest.mark.parametrize("t", [0.1, 1, 30])
@pytest.mark.parametrize("zeros", [0, 3])
@pytest.mark.parametrize("n", [1, 2, 8, 13])
def test_n_equal_eigenvalues_have_the_entropy_log_n_of_every_order(n, zeros, t, order):
    """Zeros beside them count where t is 0 only."""
    spectrum = Spectrum([0.3] * n + [0.0] * zeros)
    allowed = 4 * n * EPS * (1 + order if order < INF else 1)
    assert abs(spectrum.entropy(t, order) - math.log2(n)) <= allowed
    assert abs(spectrum.entropy(0, order) - math.log2(n + zeros)) <= allowed
    for base in [math.e, 10, 7.5]:
        assert abs(spectrum.entropy(t, order, base=base) - math.log(n, base)) <= allowed
    most = math.log2(n + zeros)
    assert abs(spectrum.entropy(t, order, normalized=True) - (math.log2(n) / most if most else 0)) <= allowed


@pytest.mark.parametrize("order", [0.5, 0.999, 1, 1.001, 2, 9, INF])
@pytest.mark.parametrize("t", [0.5, 1, 2])
@pytest.mark.parametrize("p", [0.5, 0.75, 0.999, 1 - 2**-30])
def test_renyi_entropies_of_two_probabilities(p, t, order):
    eigenvalues = np.array([p, -(1 - p)])
    eigenvalues = np.sign(eigenvalues) * np.abs(eigenvalues) ** (1 / t)
    if order == 1:
        expected = -p * math.log2(p) - (1 - p) * math.log2(1 - p)
    elif order == INF:
        expected = -math.log2(p)
    else:
        expected = math.log2(p**order + (1 - p) ** order) / (1 - order)
    spectrum = Spectrum(eigenvalues)
    allowed = renyi_off(order, t, np.abs(eigenvalues))
    assert abs(spectrum.entropy(t, order) - expected) <= allowed
    assert abs(spectrum.entropy(t, order, normalized=True) - expected) <= allowed
    assert abs(spectrum.entropy(t, order, base=4) - expected / 2) <= allowed


def test_entropies_of_several_times_and_orders_are_those_of_each():
    spectrum = Spectrum(0.8 ** np.arange(20))
    times, orders = [0, 0.5, 2], [0, 1, 2, INF]
    table = spectrum.entropy(times, orders)
    assert table.tolist() == [[spectrum.entropy(t, order) for order in orders] for t in times]
    assert spectrum.entropy(times).tolist() == table[:, 1].tolist()
    assert spectrum.entropy(2, orders).tolist() == table[2].tolist()


@pytest.mark.parametrize(("eigenvalues", "decades"), [([1e300, 1e-20], 320), ([1e300, -1e-300], 600)])
@pytest.mark.parametrize("t", [1e-4, 1e-3, 1e-2])
def test_eigenvalues_whose_quotient_underflows_count(eigenvalues, decades, t):
    """p = (1, x) / (1 + x) with x = 10^(-t decades)."""
    x = 10.0 ** (-t * decades)
    expected = math.log2(1 + x) - x / (1 + x) * math.log2(x)
    assert Spectrum(eigenvalues).entropy(t) == pytest.approx(expected, abs=1e-13)
    assert Spectrum(eigenvalues).entropy(t, order=INF) == pytest.approx(math.log2(1 + x), abs=1e-13)
