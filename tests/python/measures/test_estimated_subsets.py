"""Estimated entropies of subsets: their uncertainty is in the interval; t and orders are those of the function."""

import numpy as np
import pytest
from dsentropy import Stochastic, ToleranceWarning, subsampled_entropy

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")

RNG = np.random.default_rng(0)
WHICH = RNG.integers(0, 10, 1200)
X = 3 * RNG.normal(size=(10, 32))[WHICH] + 0.5 * RNG.normal(size=(1200, 32))
FEW = np.random.default_rng(1).normal(size=(200, 3))
ESTIMATED = 1e-6
"""Bits, far above the rounding of exact values: what differs by more was estimated."""


def subsampled(**options):
    return subsampled_entropy(X, **{"n_samples": 600, "n_repeats": 4, "bandwidth": 10.0, **options})


@pytest.mark.parametrize("tol", [3e-2, 3e-3])
def test_each_subset_is_estimated_to_within_the_tolerance(tol):
    exact, found = (subsampled(t=[1, 2], order=[1, 2], solver=solver) for solver in ("exact", Stochastic(tol=tol)))
    difference = np.abs(found.values - exact.values)
    assert found.values.shape == exact.values.shape == (4, 2, 2)
    assert ESTIMATED < difference.max() <= 5 * tol
    assert np.abs(found.mean - exact.mean).max() <= 3 * tol


def test_the_interval_is_wider_by_the_uncertainty_of_estimates():
    """Student's interval of the estimates lies within it, and it reaches no farther than by a few tolerances."""
    tol = 3e-2
    found = subsampled(solver=Stochastic(tol=tol))
    low, high = found.interval
    of_student = 3.182446 * found.standard_deviation / 2  # three degrees of freedom, four subsets
    assert of_student < (high - low) / 2 <= of_student + 4 * tol
    assert (low + high) / 2 == pytest.approx(found.mean)


def test_one_estimate_of_all_rows_has_an_interval():
    """All subsets are one, whose spread is 0: what is left is the uncertainty of its estimate."""
    solver = Stochastic(tol=1e-2, memory_limit=15_000_000)
    exact = subsampled(n_samples=1200)
    found = subsampled(n_samples=1200, solver=solver)
    low, high = found.interval
    assert exact.interval == (exact.mean, exact.mean)
    assert found.standard_deviation == 0
    assert low < found.mean < high
    assert abs(found.mean - exact.mean) <= high - low <= 10 * solver.tol


def test_subsets_are_exact_where_that_costs_less():
    exact, found = (
        subsampled_entropy(FEW, n_samples=50, solver=solver) for solver in ("exact", Stochastic(tol=1e-12))
    )
    assert found.values == pytest.approx(exact.values, abs=1e-9)
    assert found.interval == pytest.approx(exact.interval, abs=1e-9)


def test_at_t_0_an_estimate_is_certain():
    found = subsampled(t=[0, 1], solver=Stochastic(tol=3e-2))
    assert (found.values[:, 0] == np.log2(600)).all()
    assert found.interval[0][0] == found.interval[1][0] == np.log2(600)
    assert found.interval[0][1] < found.interval[1][1]


def test_a_seed_gives_the_same_bits_on_any_number_of_threads_and_with_a_bar(capsys):
    one, two, shown, other = (
        subsampled(solver=Stochastic(tol=3e-2), **options)
        for options in ({"num_threads": 1}, {"num_threads": 2}, {"progress": True}, {"random_state": 1})
    )
    assert np.array_equal(one.values, two.values)
    assert np.array_equal(one.values, shown.values)
    assert one.interval == two.interval == shown.interval
    assert "4/4" in capsys.readouterr().err
    assert not np.array_equal(one.values, other.values)


def test_an_order_of_0_has_no_estimate():
    assert subsampled_entropy(FEW, n_samples=50, order=0).values.shape == (20,)
    with pytest.raises(ValueError, match=r"^order must be positive"):
        subsampled_entropy(FEW, n_samples=50, order=0, solver="stochastic")


def test_memory_is_bounded():
    with pytest.raises(MemoryError, match="600 rows need"):
        subsampled(solver=Stochastic(memory_limit=1000))


def test_the_warning_of_an_estimate_that_did_not_converge_points_to_the_caller():
    solver = Stochastic(tol=1e-6, max_products=60, memory_limit=8_500_000)
    with pytest.warns(ToleranceWarning, match="tol = 1e-06 bits is not reached within") as caught:
        subsampled(solver=solver)
    assert [warning.filename for warning in caught] == [__file__]
