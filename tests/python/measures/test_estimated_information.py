"""Estimated information: within the tolerance of its entropies, with their uncertainty in its standard error."""

import math

import numpy as np
import pytest
from dsentropy import Stochastic, ToleranceWarning, mutual_information

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")

ESTIMATED = 1e-6
"""Bits, far above the rounding of exact values: what differs by more was estimated."""

RNG = np.random.default_rng(0)
WHICH = RNG.integers(0, 10, 2000)
X = (3 * RNG.normal(size=(10, 64))[WHICH] + 0.5 * RNG.normal(size=(2000, 64)))[:900]
LABELS = WHICH[:900] % 2
FEW = np.random.default_rng(1).normal(size=(200, 3))
PARTS = np.arange(200) % 3

T = [1, 2, 5]
FORCED = Stochastic(tol=1e-2, max_products=100_000, memory_limit=12_000_000)
"""For 900 rows no matrix fits."""


@pytest.mark.parametrize("tol", [3e-2, 3e-3])
def test_information_is_near_and_has_the_error_of_estimates_in_its_own(tol):
    """Of the same subsets, each to within tol, in a sum whose weights are 1 and -1 together."""
    exact = mutual_information(X, LABELS, bandwidth=10.0, t=T)
    found = mutual_information(X, LABELS, bandwidth=10.0, t=T, solver=Stochastic(tol=tol))
    assert (np.abs(found.value - exact.value) <= 3 * tol).all()
    assert np.abs(found.value - exact.value).max() > ESTIMATED
    assert (np.abs(found.value - exact.value) <= 4 * found.standard_error).all()
    assert (found.standard_error >= exact.standard_error).all()
    assert (found.standard_error <= exact.standard_error + 3 * tol).all()
    for name in ("entropy", "random_entropy"):
        assert found.per_cluster[name] == pytest.approx(exact.per_cluster[name], abs=3 * tol)


def test_equal_subsets_leave_the_error_of_estimates():
    """One cluster of all rows: the information is 0, and all that is left are estimates of one entropy."""
    one = np.zeros(900, dtype=int)
    exact = mutual_information(X, one, bandwidth=10.0, n_repeats=3)
    found = mutual_information(X, one, bandwidth=10.0, n_repeats=3, solver=FORCED)
    assert exact.standard_error < 1e-9
    assert 0 < abs(found.value) <= 4 * found.standard_error
    assert ESTIMATED < found.standard_error < 5 * FORCED.tol


def test_one_repetition_of_estimates_has_no_standard_error():
    found = mutual_information(X, LABELS, bandwidth=10.0, n_repeats=1, solver=Stochastic(tol=3e-2))
    assert math.isnan(found.standard_error)


def test_permutations_are_estimated_too():
    options = {"bandwidth": 10.0, "n_repeats": 3, "n_permutations": 9}
    exact = mutual_information(X, LABELS, **options)
    found = mutual_information(X, LABELS, **options, solver=Stochastic(tol=1e-2))
    assert found.p_value == exact.p_value == 0.1
    assert found.null.shape == (9,)
    assert found.null == pytest.approx(exact.null, abs=3e-2)
    assert not np.array_equal(found.null, exact.null)
    assert mutual_information(X, np.zeros(900, dtype=int), **options, solver=Stochastic(tol=1e-2)).p_value == 1


def test_information_at_t_0_is_that_of_sizes():
    found = mutual_information(X, LABELS, bandwidth=10.0, t=[0, 1], n_repeats=2, solver=Stochastic(tol=3e-2))
    assert found.value[0] == pytest.approx(0, abs=1e-12)
    assert found.standard_error[0] == pytest.approx(0, abs=1e-12)
    assert found.value[1] > 0.1


def test_information_is_exact_where_that_costs_less():
    """No estimate is as good as is asked for."""
    exact = mutual_information(FEW, PARTS, bandwidth=1.0, t=T, n_permutations=9)
    found = mutual_information(FEW, PARTS, bandwidth=1.0, t=T, n_permutations=9, solver=Stochastic(tol=1e-12))
    assert found.value == pytest.approx(exact.value, abs=1e-9)
    assert found.standard_error == pytest.approx(exact.standard_error, abs=1e-9)
    assert found.null == pytest.approx(exact.null, abs=1e-9)
    assert np.array_equal(found.p_value, exact.p_value)


def test_a_seed_gives_the_same_information_on_any_number_of_threads_and_with_a_bar(capsys):
    def found(**options):
        return mutual_information(X, LABELS, bandwidth=10.0, n_repeats=4, solver=Stochastic(tol=1e-2), **options)

    one = found(num_threads=1)
    for other in (found(num_threads=2), found(num_threads=2, progress=True)):
        assert (other.value, other.standard_error) == (one.value, one.standard_error)
    assert "entropies" in capsys.readouterr().err
    assert found(random_state=1).value != one.value


def test_memory_is_bounded():
    for options in ({"memory_limit": 1000}, {"memory_limit": 12_000_000, "storage": "dense"}):
        with pytest.raises(MemoryError, match="900 rows need"):
            mutual_information(X, np.zeros(900, dtype=int), solver=Stochastic(**options))


def test_the_warning_of_an_estimate_that_did_not_converge_points_to_the_caller():
    options = Stochastic(tol=1e-6, max_products=60, memory_limit=12_000_000)
    with pytest.warns(ToleranceWarning, match="tol = 1e-06 bits is not reached within") as caught:
        mutual_information(X, np.zeros(900, dtype=int), bandwidth=10.0, n_repeats=2, solver=options)
    assert [warning.filename for warning in caught] == [__file__]
