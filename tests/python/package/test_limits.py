"""Counts have a most, and what they cost in memory is compared with what the process can have before any work."""

import re
import tracemalloc

import dsentropy
import numpy as np
import pytest
from dsentropy import (
    Spectrum,
    Stochastic,
    compare,
    conditional_mutual_information,
    convergence,
    diffusion_spectrum,
    entropy_surface,
    mutual_information,
    null_baseline,
    population_interval,
    subsampled_entropy,
    suggest_bandwidth,
)
from dsentropy._checks.limits import MAX_BYTES, MAX_CLUSTERS, MAX_DRAWS, MAX_NUMBERS, MAX_PRODUCTS, MAX_SEED_BITS
from reference_calls import ASMI, DSMI, INFORMATIONS, LABELS, N, X, call

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")

COLUMN = X[:, 0]
CLASSES = np.repeat([0, 1, 2, 3], N // 4)
BEYOND = [10**9, 2**64, 10**400, 10**5000]

DRAWS = {
    "n_permutations": lambda count: mutual_information(X, LABELS, bandwidth=1.0, n_permutations=count),
    "n_repeats": lambda count: subsampled_entropy(X, n_samples=5, bandwidth=1.0, n_repeats=count),
    "n_repeats of clusters": lambda count: mutual_information(X, LABELS, bandwidth=1.0, n_repeats=count),
    "n_repeats of a difference": lambda count: compare(X, X, n_samples=5, bandwidth=1.0, n_repeats=count),
    "n_repeats of sizes": lambda count: convergence(X, [3, 6], bandwidth=1.0, n_repeats=count),
    "n_repeats of classes": lambda count: conditional_mutual_information(
        X, LABELS, CLASSES, bandwidth=1.0, n_repeats=count
    ),
    "n_permutations of classes": lambda count: conditional_mutual_information(
        X, LABELS, CLASSES, bandwidth=1.0, n_permutations=count
    ),
    "n_draws": lambda count: null_baseline(X, bandwidth=1.0, n_draws=count),
    "n_draws of a bandwidth": lambda count: suggest_bandwidth(X, 1, n_draws=count),
    "n_repeats without rows": lambda count: population_interval(X, bandwidth=1.0, n_repeats=count),
    "num_repetitions": lambda count: call(DSMI, num_repetitions=count),
    "num_repetitions of graphs": lambda count: call(ASMI, num_repetitions=count),
}
CLUSTERS = [
    lambda count: mutual_information(X, COLUMN, n_clusters=count),
    *[lambda count, f=f: call(f, reference_vectors=COLUMN, n_clusters=count) for f in INFORMATIONS],
]


@pytest.mark.parametrize("count", BEYOND, ids=["10^9", "2^64", "10^400", "10^5000"])
@pytest.mark.parametrize("name", DRAWS)
def test_random_subsets_beyond_the_most_are_refused(name, count):
    with pytest.raises(
        ValueError, match=f"{name.split()[0]} must be at most {MAX_DRAWS}, got (an integer of )?[0-9]"
    ):
        DRAWS[name](count)


@pytest.mark.parametrize("name", DRAWS)
def test_random_subsets_are_counted_before_they_are_drawn(name, monkeypatch):
    """Each subset has 600 bytes beside its rows, so 10^7 of them need 6 GB, of two clusters for permutations.

    Those of a null baseline are data sets, which are held one at a time, but for 40 eigenvalues and a reading of
    each: 3.6 GB, or entropies at many bandwidths.
    """
    monkeypatch.setattr("random.Random.sample", None)
    monkeypatch.setattr("dsentropy._data.surrogates.Surrogates.draw", None)
    monkeypatch.setattr("dsentropy._core.require_memory", refuse_above(3 * 10**9))
    with pytest.raises(MemoryError, match=rf"{name.split()[0]} = {MAX_DRAWS}.*: use a smaller {name.split()[0]}"):
        DRAWS[name](MAX_DRAWS)


def test_the_random_subsets_of_all_sets_are_counted_together(monkeypatch):
    """10^6 subsets of 5 rows of one set take 0.9 GB, those of two sets, and of four classes, more than 1.6 GB."""
    monkeypatch.setattr("random.Random.sample", None)
    monkeypatch.setattr("dsentropy._core.require_memory", refuse_above(16 * 10**8))
    draws = {
        "paired": lambda: compare(X, X, n_samples=5, bandwidth=1.0, n_repeats=10**6),
        "unpaired": lambda: compare(X, X, n_samples=5, bandwidth=1.0, n_repeats=10**6, paired=False),
        "n_repeats": lambda: conditional_mutual_information(X, LABELS, CLASSES, bandwidth=1.0, n_repeats=10**6),
        "n_permutations": lambda: conditional_mutual_information(
            X, LABELS, CLASSES, bandwidth=1.0, n_permutations=10**6
        ),
    }
    with pytest.raises(TypeError, match="'NoneType' object is not callable"):
        draws["paired"]()
    for case, name in [("unpaired", "n_repeats"), ("n_repeats", "n_repeats"), ("n_permutations", "n_permutations")]:
        with pytest.raises(MemoryError, match=rf"^{name} = 1000000.*: use a smaller {name}"):
            draws[case]()


def refuse_above(most):
    def require(rows, needed):
        if needed > most:
            raise MemoryError(f"{rows} rows need {needed} bytes")

    return require


@pytest.mark.parametrize("count", BEYOND, ids=["10^9", "2^64", "10^400", "10^5000"])
@pytest.mark.parametrize("function", CLUSTERS)
def test_bins_beyond_the_most_are_refused(function, count):
    with pytest.raises(ValueError, match=f"n_clusters must be at most {MAX_CLUSTERS}, got "):
        function(count)


def test_bins_take_no_memory():
    """The most bins set all numbers apart, without an array of edges."""
    tracemalloc.start()
    try:
        value, clusters = call(DSMI, reference_vectors=COLUMN, n_clusters=MAX_CLUSTERS, reference_discrete=False)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(np.unique(clusters)) == N
    assert np.isfinite(value)
    assert peak < MAX_CLUSTERS


@pytest.mark.parametrize("binning", ["width", "quantile"])
def test_edges_of_bins_are_counted_in_memory(binning, monkeypatch):
    """2^24 equal-width edges take 0.4 GB with what computes them, as many quantiles 1.5 GB."""
    most = {"width": 3 * 10**8, "quantile": 10**9}[binning]
    monkeypatch.setattr("dsentropy._core.require_memory", refuse_above(most))
    for name in ("linspace", "quantile"):
        monkeypatch.setattr(np, name, worked)
    with pytest.raises(MemoryError, match=rf"^n_clusters = {MAX_CLUSTERS}: .*: use a smaller n_clusters$"):
        mutual_information(X, COLUMN, n_clusters=MAX_CLUSTERS, binning=binning, bandwidth=1.0)


@pytest.mark.parametrize("number", [N - 1, N, N + 1, 10**6])
def test_clusters_of_several_columns_are_fewer_than_rows(number):
    calls = [
        lambda: mutual_information(X, X, n_clusters=number, target_discrete=False, bandwidth=1.0).value,
        lambda: call(DSMI, reference_vectors=X, n_clusters=number, reference_discrete=False)[0],
    ]
    for function in calls:
        if number < N:
            assert np.isfinite(function())
        else:
            with pytest.raises(ValueError, match=rf"n_clusters (must be below {N}|= {number})"):
                function()


def test_clusters_of_several_columns_are_counted_in_memory(monkeypatch):
    """ARPACK's vectors of 9,999 clusters of 20,000 rows take 3 GB."""
    monkeypatch.setattr("dsentropy._core.require_memory", refuse_above(10**9))
    columns = np.zeros((20_000, 2))
    with pytest.raises(MemoryError, match=r"^n_clusters = 9999: .*: use a smaller n_clusters$"):
        mutual_information(columns, columns, n_clusters=9999)


def test_memory_limit_beyond_an_address_is_refused():
    assert Stochastic(memory_limit=MAX_BYTES).memory_limit == MAX_BYTES
    assert diffusion_spectrum(X, solver=Stochastic(tol=0.5, memory_limit=MAX_BYTES)).entropy() > 0
    for count in BEYOND[1:]:
        with pytest.raises(ValueError, match=f"^memory_limit must be at most {MAX_BYTES}, got "):
            Stochastic(memory_limit=count)


def test_products_have_a_most():
    assert Stochastic(max_products=MAX_PRODUCTS).max_products == MAX_PRODUCTS
    with pytest.raises(ValueError, match=f"^max_products must be at most {MAX_PRODUCTS}, got {MAX_PRODUCTS + 1}$"):
        Stochastic(max_products=MAX_PRODUCTS + 1)


def endless():
    while True:
        yield 1.0


@pytest.mark.parametrize("many", [endless, lambda: np.ones(MAX_NUMBERS + 1)], ids=["endless", "one too many"])
@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("t", lambda many: Spectrum([1.0, 0.5]).entropy(t=many)),
        ("order", lambda many: Spectrum([1.0, 0.5]).bounds(order=many)),
        ("threshold", lambda many: Spectrum([1.0, 0.5]).count(many)),
        ("t", lambda many: mutual_information(X, LABELS, t=many)),
        ("order", lambda many: subsampled_entropy(X, n_samples=4, order=many)),
        ("orders", lambda many: Stochastic(orders=many)),
        ("bandwidths", lambda many: entropy_surface(X, many)),
        ("orders", lambda many: entropy_surface(X, 1.0, orders=many)),
        ("alphas", lambda many: entropy_surface(X, 1.0, alphas=many)),
    ],
)
def test_sequences_have_a_most(name, function, many):
    with pytest.raises(ValueError, match=f"^{name} must have at most {MAX_NUMBERS} (numbers|bandwidths), got more$"):
        function(many())


def test_readings_are_counted_before_they_are_made(monkeypatch):
    monkeypatch.setattr("dsentropy._core.require_memory", refuse_above(10**9))
    many = np.linspace(0, 1, 10_000)
    spectrum = Spectrum([1.0, 0.5])
    for read in (spectrum.entropy, spectrum.standard_error, spectrum.bounds, spectrum.saturation):
        with pytest.raises(MemoryError, match=r"10000 x 10000 numbers of t and order: .*: use fewer of t and order"):
            read(many, many)
    with pytest.raises(MemoryError, match=r"numbers of threshold and t: .*: use fewer of threshold and t"):
        spectrum.count(many, many)
    with pytest.raises(
        MemoryError, match=r"1 bandwidths, 10000 t, 10000 orders and 1 alphas: .*: use fewer bandwidths"
    ):
        entropy_surface(X, 1.0, t=many, orders=many)


def test_counts_need_no_array_of_all_pairs():
    """Counts of N eigenvalues for as many thresholds and t, which an array [N, N, N] would hold in 8 GB."""
    eigenvalues = np.linspace(0, 1, 1001)
    spectrum, many = Spectrum(eigenvalues), np.linspace(0, 3, 1000)
    counts = spectrum.count(many, many)
    for i, j in [(0, 0), (10, 500), (300, 3), (999, 999), (333, 1)]:
        assert counts[i, j] == (spectrum.eigenvalues ** many[j] > many[i]).sum()


@pytest.mark.parametrize("name", ["random_state", "random_seed"])
def test_seeds_have_a_most(name):
    function = dsentropy.diffusion_spectrum if name == "random_state" else dsentropy.diffusion_spectral_entropy
    function(X, **{name: -(2 ** (MAX_SEED_BITS - 1))})
    for seed in (2**MAX_SEED_BITS, 10**5000):
        with pytest.raises(ValueError, match=f"^{name} must have at most {MAX_SEED_BITS} bits, got "):
            function(X, **{name: seed})


def test_parameters_of_a_spectrum_can_be_printed():
    about = {"seed": 2**MAX_SEED_BITS - 1}
    assert str(about["seed"]) in repr(Spectrum([1.0], parameters=about))
    with pytest.raises(ValueError, match=r"parameters must be .*, got an integer of 16610 bits for 'seed'"):
        Spectrum([1.0], parameters={"seed": 10**5000})


@pytest.mark.parametrize("count", [10**5000, -(10**5000)], ids=["positive", "negative"])
def test_integers_that_python_does_not_print_are_named(count):
    calls = {
        "n_neighbors": lambda: dsentropy.nearest_neighbors(X, count),
        "max_N": lambda: call("diffusion_spectral_entropy", max_N=min(count, -1)),
        "knn": lambda: call("adjacency_spectral_entropy", use_knn=True, knn=count),
        "n_samples": lambda: subsampled_entropy(X, n_samples=count),
        "max_products": lambda: Stochastic(max_products=count),
        "num_bins_per_dim": lambda: call(DSMI, num_bins_per_dim=count),
        "bandwidth": lambda: diffusion_spectrum(X, bandwidth=count),
    }
    for name, function in calls.items():
        with pytest.raises(ValueError, match=name) as caught:
            function()
        assert re.search(r"got (an integer of 16610 bits|-1)$", str(caught.value)), name


def worked(*arguments, **named):
    raise AssertionError("work was done before all arguments were checked")


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("n_neighbors", lambda: diffusion_spectrum(X, graph="knn", n_neighbors=N)),
        ("neighbors", lambda: diffusion_spectrum(X, graph="knn", neighbors=3)),
        ("bandwidths", lambda: entropy_surface(X, ["median", "knn", -1.0], n_neighbors=3)),
        ("n_neighbors", lambda: entropy_surface(X, ["median", "knn"], n_neighbors=N)),
        ("bandwidth", lambda: mutual_information(X, X, bandwidth=-1, target_discrete=False)),
        ("n_neighbors", lambda: mutual_information(X, X, bandwidth="knn", n_neighbors=0, target_discrete=False)),
        ("bandwidth", lambda: subsampled_entropy(X, n_samples=4, bandwidth=np.ones(3))),
        ("confidence", lambda: subsampled_entropy(X, n_samples=4, confidence=1)),
        ("num_repetitions", lambda: call(DSMI, reference_vectors=X, num_repetitions=0)),
        ("num_threads", lambda: call(DSMI, reference_vectors=X, num_threads=0)),
        ("verbose", lambda: call(ASMI, reference_vectors=X, verbose="no")),
        ("solver", lambda: call(ASMI, reference_vectors=X, use_knn=True, solver="stochastic")),
    ],
)
def test_all_arguments_are_checked_before_any_work(name, function, monkeypatch):
    monkeypatch.setattr("random.Random.sample", worked)
    monkeypatch.setattr("sklearn.cluster.SpectralClustering.fit_predict", worked)
    for of_core in ("median_distance", "neighbor_distances", "neighbor_edges", "eigenvalues", "sweep_eigenvalues"):
        monkeypatch.setattr(f"dsentropy._core.{of_core}", worked)
    with pytest.raises((TypeError, ValueError), match=rf"^{name}\b"):
        function()
