"""Null baselines: each entropy is that of its set, and p is uniform where data and draws are exchangeable."""

import matplotlib.figure
import numpy as np
import pytest
from dsentropy import (
    NullBaseline,
    SaturationWarning,
    Stochastic,
    ToleranceWarning,
    diffusion_spectrum,
    estimate_bandwidth,
    null_baseline,
)
from dsentropy._data.data import Data
from dsentropy._data.surrogates import BASELINE_STREAM, Surrogates
from dsentropy._measures.null_comparison import NullComparison, rounding_of

RNG = np.random.default_rng(0)
GROUPS = RNG.normal(size=(90, 4)) + 6 * np.eye(4)[np.arange(90) % 3]
NOISE = RNG.normal(size=(90, 4))
pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")

T, ORDERS = [1, 3], [1, 2, float("inf")]


def drawn(X, number, null="gaussian", metric="euclidean", seed=0):
    return Surrogates(Data.of(X, metric), null, seed, BASELINE_STREAM).draw(number).given


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("null", ["gaussian", "permuted", "sphere", lambda X, rng: rng.uniform(size=X.shape)])
@pytest.mark.parametrize("bandwidth", [None, "knn", 2.0])
def test_each_entropy_is_that_of_its_set(null, metric, bandwidth):
    found = null_baseline(
        GROUPS, null=null, metric=metric, bandwidth=bandwidth, alpha=0.5, n_draws=3, t=T, orders=ORDERS
    )
    rule = {"bandwidth": bandwidth, "metric": metric, "alpha": 0.5}
    assert found.value == pytest.approx(diffusion_spectrum(GROUPS, **rule).entropy(T, ORDERS), abs=1e-10)
    for k in range(3):
        own = diffusion_spectrum(drawn(GROUPS, k, null, metric), **rule).entropy(T, ORDERS)
        assert found.null[k] == pytest.approx(own, abs=1e-9)
    assert found.null.shape == (3, 2, 3)
    assert found.structure == pytest.approx(found.null.mean(axis=0) - found.value, abs=1e-12)
    assert found.null_standard_deviation == pytest.approx(found.null.std(axis=0, ddof=1), abs=1e-12)


@pytest.mark.parametrize("bandwidth", [None, 2.0])
@pytest.mark.parametrize(
    ("shape", "dtype", "precision"),
    [((1600, 3), "f8", "double"), ((400, 30), "f4", "single"), ((300, 400), "f4", "auto"), ((1, 3), "f8", "double")],
)
def test_entropies_are_those_of_sets_of_any_size_and_dtype(shape, dtype, precision, bandwidth):
    X = np.random.default_rng(1).normal(size=shape).astype(dtype)
    X[: shape[0] // 2 : 9] = X[0]  # equal rows, which permuted columns are not
    for null in ("permuted", lambda X, rng: rng.permutation(X)):
        found = null_baseline(X, null=null, n_draws=3, bandwidth=bandwidth, precision=precision)
        for k in range(3):
            own = diffusion_spectrum(drawn(X, k, null), bandwidth=bandwidth, precision=precision)
            assert own.entropy() == pytest.approx(found.null[k], abs=1e-9)


def test_a_set_whose_distances_range_far_has_the_median_of_its_own():
    X = np.exp(np.random.default_rng(0).uniform(-300, 300, size=(60, 2)))
    found = null_baseline(X, null=lambda X, rng: X * rng.uniform(1, 2), n_draws=2)
    assert found.null == pytest.approx(np.full(2, found.value), abs=1e-9)


def test_the_bandwidth_of_the_data_is_that_of_all_where_asked_for():
    sigma = estimate_bandwidth(GROUPS)
    found = null_baseline(GROUPS, null_bandwidth="data", n_draws=4, null="permuted")
    assert (found.bandwidth, found.null_bandwidth) == (sigma, "data")
    number = null_baseline(GROUPS, bandwidth=sigma, n_draws=4, null="permuted")
    assert np.array_equal(found.null, number.null)
    own = null_baseline(GROUPS, n_draws=4, null="permuted")
    assert not np.array_equal(own.null, number.null)
    each = np.linspace(1, 2, 90)
    of_rows = [
        null_baseline(GROUPS, bandwidth=each, n_draws=2, null_bandwidth=which).null for which in ("own", "data")
    ]
    assert np.array_equal(*of_rows)
    for rule in ["knn", lambda X: np.ones(len(X))]:
        with pytest.raises(ValueError, match="null_bandwidth must be 'own' where the rule of bandwidth gives one"):
            null_baseline(GROUPS, bandwidth=rule, null_bandwidth="data")


def test_a_callable_bandwidth_sees_the_columns_of_each_set():
    wide, seen = RNG.normal(size=(8, 20)), []

    def rule(X):
        seen.append(X.shape)
        return float(X.std())

    null_baseline(wide, bandwidth=rule, n_draws=2)
    assert seen == [(8, 20)] * 3


def test_groups_have_structure_and_noise_has_none():
    found = null_baseline(GROUPS, t=2)
    assert isinstance(found.z, float)
    assert found.z > 5
    assert found.p_value == pytest.approx(1 / 21)
    assert not found.like_noise
    noise = null_baseline(NOISE, t=2)
    assert abs(noise.z) < 2
    assert noise.like_noise
    assert noise.reason is None
    assert "as good as noise" in repr(noise)
    assert "as good as noise" not in repr(found)


def test_numbers_of_a_comparison():
    value, null = np.array([1.0, 4.0, 2.0]), np.array([[2.0, 2.0, 2.0], [3.0, 3.0, 2.0], [4.0, 4.0, 2.0]])
    compared = NullComparison(value, null, 1e-10)
    assert compared.structure.tolist() == [2.0, -1.0, 0.0]
    assert compared.standard_deviation.tolist() == [1.0, 1.0, 0.0]
    assert compared.z[:2].tolist() == [2.0, -1.0]
    assert np.isnan(compared.z[2])
    # Distances from the mean 2.5: 1.5 0.5 0.5 1.5. From 3.25: 0.75 1.25 0.25 0.75. All equal.
    assert compared.p_value.tolist() == [0.5, 0.75, 1.0]
    assert compared.like_noise.tolist() == [False, True, True]
    assert rounding_of("double", 10**4) == rounding_of("single", 100) < rounding_of("fastest", 300)


def test_where_the_null_has_no_spread_z_is_not_defined_and_says_why():
    with pytest.warns(SaturationWarning, match="within 2% of its maximum"):
        found = null_baseline(GROUPS, bandwidth=1e-4, n_draws=3)
    assert found.null_standard_deviation == 0
    assert np.isnan(found.z)
    assert found.p_value == 1
    assert found.like_noise
    assert "saturated" in found.reason
    equal = null_baseline(np.ones((20, 3)), n_draws=2)
    one = null_baseline([[1.0, 2.0]], n_draws=2)
    assert equal.value == equal.structure == one.value == 0
    assert np.isnan(equal.z)


def test_rows_are_limited_and_draws_are_those_of_the_seed():
    few = null_baseline(GROUPS, max_samples=40, n_draws=2, random_state=3)
    assert few.n_samples == 40
    spectrum = diffusion_spectrum(GROUPS, max_samples=40, random_state=3)
    assert few.value == pytest.approx(spectrum.entropy(), abs=1e-12)
    again = null_baseline(GROUPS, max_samples=40, n_draws=2, random_state=3)
    assert np.array_equal(few.null, again.null)
    assert not np.array_equal(few.null, null_baseline(GROUPS, max_samples=40, n_draws=2, random_state=4).null)
    fresh = [null_baseline(NOISE, n_draws=2, random_state=None).null for _ in range(2)]
    assert not np.array_equal(*fresh)


def test_more_draws_begin_with_the_fewer():
    assert np.array_equal(null_baseline(NOISE, n_draws=5).null[:3], null_baseline(NOISE, n_draws=3).null)


def test_entropies_in_single_precision_and_estimates_are_near():
    X = np.random.default_rng(1).normal(size=(900, 8)).astype(np.float32)
    exact = null_baseline(X, n_draws=2, precision="double")
    single = null_baseline(X, n_draws=2, precision="single")
    assert single.null == pytest.approx(exact.null, abs=1e-6 * 30)
    assert np.array_equal(null_baseline(X, n_draws=2).value, single.value)
    solver = Stochastic(tol=0.02, max_products=100_000, memory_limit=12_000_000)
    estimated = null_baseline(X, n_draws=2, solver=solver)
    assert 1e-9 < np.abs(estimated.null - exact.null).max() < 0.1
    with pytest.warns(ToleranceWarning):
        null_baseline(X, n_draws=2, solver=Stochastic(tol=1e-5, max_products=20, memory_limit=12_000_000))


def test_a_bar_counts_the_sets(capsys):
    null_baseline(NOISE, n_draws=3, progress=True)
    assert "4/4" in capsys.readouterr().err


def test_table_and_picture():
    found = null_baseline(GROUPS, t=T, orders=ORDERS, n_draws=4)
    assert isinstance(found, NullBaseline)
    table = found.to_pandas()
    assert list(table)[:3] == ["t", "order", "entropy"]
    assert table.entropy.tolist() == found.value.ravel().tolist()
    assert table[(table.t == 3) & (table.order == 2)].z.item() == found.z[1, 1]
    assert "6 readings" in repr(found)
    axes = matplotlib.figure.Figure().add_subplot()
    assert found.plot(ax=axes) is axes
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert np.array_equal(lines["order 2"].get_ydata(), found.value[:, 1])
    assert len(axes.collections) == 3
    single = null_baseline(GROUPS, n_draws=4)
    assert len(single.plot(ax=matplotlib.figure.Figure().add_subplot()).containers) == 1  # a bar
    assert len(single.to_dict()["z"]) == 1


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"n_draws": 1}, ValueError, "n_draws must be at least 2"),
        ({"n_draws": 10**7, "t": np.ones(1000)}, MemoryError, "n_draws = 10000000"),
        ({"null": "white"}, ValueError, "null must be 'gaussian', 'permuted' or 'sphere'"),
        ({"null_bandwidth": "median"}, ValueError, "null_bandwidth must be 'own' or 'data'"),
        ({"metric": "precomputed"}, ValueError, "metric must be 'euclidean' or 'cosine'"),
        ({"n_neighbors": 3}, ValueError, "n_neighbors must not be given"),
        ({"orders": -1}, ValueError, "orders must be at least 0"),
        ({"solver": "stochastic", "precision": "single"}, ValueError, "precision must be 'auto'"),
        ({"bandwidth": 0}, ValueError, "bandwidth must be positive"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, text):
    X = np.zeros((5, 5)) if "metric" in arguments else NOISE
    with pytest.raises(error, match=text):
        null_baseline(X, **arguments)


def unit_rows(rng, n, d):
    rows = rng.normal(size=(n, d))
    return 2 * rows / np.linalg.norm(rows, axis=1, keepdims=True)


POPULATIONS = {
    "gaussian": lambda rng: rng.normal(size=(40, 5)) @ np.diag([3, 2, 1, 1, 0.3]) + 1,
    "permuted": lambda rng: np.column_stack([rng.exponential(size=40), rng.normal(size=40), rng.integers(0, 3, 40)]),
    "sphere": lambda rng: unit_rows(rng, 40, 4),
}


@pytest.mark.parametrize("bandwidth", [1.5, "median"])
@pytest.mark.parametrize("null", POPULATIONS)
def test_p_is_uniform_on_its_grid_under_the_null(null, bandwidth):
    """200 data sets, 9 draws, so 10 values of p: chi-squared with 9 degrees of freedom is below 21.67 in 99%."""
    p = [
        null_baseline(
            POPULATIONS[null](np.random.default_rng([8, k])),
            null=null,
            n_draws=9,
            bandwidth=bandwidth,
            t=2,
            random_state=k,
            num_threads=1,
        ).p_value
        for k in range(200)
    ]
    counts = np.bincount(np.rint(10 * np.array(p)).astype(int) - 1, minlength=10)
    assert counts.sum() == 200
    assert ((counts - 20) ** 2 / 20).sum() < 21.67
