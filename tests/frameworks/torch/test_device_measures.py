"""Measures of rows on a device, against those of the core: on the processor, which stands for any device.

An estimate has the entropy of its subset within ``TOL`` with bounds and one standard error; three are allowed here.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from dsentropy import (
    Stochastic,
    compare,
    conditional_mutual_information,
    convergence,
    entropy_surface,
    estimate_bandwidth,
    layer_entropies,
    mutual_information,
    null_baseline,
    population_interval,
    subsampled_entropy,
    suggest_bandwidth,
)
from dsentropy._checks import devices
from dsentropy._data.device_rows import DeviceRows
from dsentropy._operator import torch_eigenvalues

pytestmark = [
    pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning"),
    pytest.mark.filterwarnings("ignore::dsentropy.BandwidthWarning"),
]

RNG = np.random.default_rng(3)
LABELS = RNG.integers(0, 4, 400)
NORMAL = RNG.normal(size=(400, 5))
GROUPS = NORMAL + 3 * np.eye(4, 5)[LABELS]
SETS = pytest.mark.parametrize("X", [NORMAL, GROUPS], ids=["normal", "groups"])
TOL = 1e-2
ESTIMATED = Stochastic(tol=TOL)
KERNELS = [
    {},
    {"metric": "cosine"},
    {"bandwidth": RNG.uniform(1, 2, 400), "alpha": 0.5},
    {"bandwidth": "knn", "n_neighbors": 9},
]


@pytest.fixture(autouse=True)
def torch_computes(monkeypatch):
    """Leaves tensors on the processor to PyTorch, as those on a GPU."""
    monkeypatch.setattr(devices, "CORE_DEVICES", ())


def equal(found, core):
    np.testing.assert_allclose(found, core, rtol=0, atol=1e-10)


def near(found, exact, estimates=1):
    """Assert that sums of estimates are within three times the tolerance of each."""
    np.testing.assert_allclose(found, exact, rtol=0, atol=3 * estimates * TOL)


@SETS
@pytest.mark.parametrize("options", KERNELS)
def test_information_is_that_of_the_core(X, options):
    arguments = {"t": [1, 3], "n_repeats": 3, "n_permutations": 2, **options}
    core = mutual_information(X, LABELS, **arguments)
    found = mutual_information(torch.tensor(X), torch.tensor(LABELS), **arguments)
    equal(found.value, core.value)
    equal(found.null, core.null)
    np.testing.assert_array_equal(found.clusters, core.clusters)
    assert repr(found) == repr(core)
    estimate = mutual_information(torch.tensor(X), LABELS, solver=ESTIMATED, **arguments)
    near(estimate.value, core.value, 2)
    near(estimate.null, core.null, 2)
    assert estimate.to_dict().keys() == core.to_dict().keys()


@SETS
def test_information_within_classes_is_that_of_the_core(X):
    given = np.arange(400) % 2
    arguments = {"n_repeats": 3, "n_permutations": 2}
    core = conditional_mutual_information(X, LABELS, given, **arguments)
    equal(conditional_mutual_information(torch.tensor(X), LABELS, given, **arguments).value, core.value)
    found = conditional_mutual_information(torch.tensor(X), LABELS, given, solver=ESTIMATED, **arguments)
    near(found.value, core.value, 2)


def test_clusters_may_have_one_row():
    labels = np.minimum(np.arange(400), 1)
    found = mutual_information(torch.tensor(NORMAL), labels, n_repeats=2, solver=ESTIMATED)
    assert found.per_cluster["entropy"][0] == 0


@SETS
@pytest.mark.parametrize("options", [*KERNELS[:2], KERNELS[3], {"null": "sphere", "null_bandwidth": "data"}])
def test_a_baseline_has_the_entropy_of_the_core_and_its_null_within_the_spread(X, options):
    """Draws are others than the core's: means of 20 differ by four standard errors of their difference."""
    arguments = {"t": [1, 2], "orders": [1, 2], **options}
    X = X[:200]
    core = null_baseline(X, **arguments)
    spread = core.null.std(axis=0, ddof=1) * 4 * np.sqrt(2 / 20)
    exact = null_baseline(torch.tensor(X), **arguments)
    equal(exact.value, core.value)
    assert (np.abs(exact.null.mean(axis=0) - core.null.mean(axis=0)) <= spread).all()
    found = null_baseline(torch.tensor(X), solver=ESTIMATED, **arguments)
    near(found.value, core.value)
    near(found.null, exact.null)
    assert found.to_dict().keys() == core.to_dict().keys()


def test_a_null_of_a_callable_has_the_draws_of_the_core():
    def null(X, rng):
        return rng.permutation(X) + rng.normal(size=X.shape)

    core = null_baseline(GROUPS, null=null, n_draws=2, bandwidth=1.5)
    equal(null_baseline(torch.tensor(GROUPS), null=null, n_draws=2, bandwidth=1.5).null, core.null)
    near(null_baseline(GROUPS, null=null, n_draws=2, bandwidth=1.5, device="cpu", solver=ESTIMATED).null, core.null)


@SETS
def test_surfaces_have_a_null(X):
    arguments = {"bandwidths": ["median", "knn"], "t": [1, 2], "null": "gaussian"}
    X = X[:200]
    core = entropy_surface(X, **arguments)
    spread = core.null.std(axis=0, ddof=1) * 4 * np.sqrt(2 / 20)
    exact = entropy_surface(torch.tensor(X), **arguments)
    assert (np.abs(exact.null.mean(axis=0) - core.null.mean(axis=0)) <= spread).all()
    found = entropy_surface(torch.tensor(X), **arguments, n_null=3, solver=ESTIMATED)
    near(found.null, exact.null[:3])


@SETS
@pytest.mark.parametrize("options", KERNELS)
def test_subsampled_entropies_are_those_of_the_core(X, options):
    arguments = {"n_samples": 150, "n_repeats": 3, "t": [1, 2], **options}
    core = subsampled_entropy(X, **arguments)
    equal(subsampled_entropy(torch.tensor(X), **arguments).values, core.values)
    near(subsampled_entropy(torch.tensor(X), solver=ESTIMATED, **arguments).values, core.values)


def test_estimates_have_the_signs_of_the_core():
    arguments = {"n_samples": 300, "n_repeats": 2, "solver": ESTIMATED, "random_state": 4}
    core = subsampled_entropy(NORMAL, **arguments)
    found = subsampled_entropy(torch.tensor(NORMAL), **arguments)
    np.testing.assert_allclose(found.values, core.values, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "options", [{}, {"bandwidth_of": "subset"}, {"reading": lambda spectrum: spectrum.entropy()}]
)
def test_convergence_is_that_of_the_core(options):
    arguments = {"sizes": [50, 100, 200], "n_repeats": 2, **options}
    core = convergence(GROUPS, **arguments)
    equal(convergence(torch.tensor(GROUPS), **arguments).values, core.values)
    near(convergence(torch.tensor(GROUPS), solver=ESTIMATED, **arguments).values, core.values)


def test_a_reading_knows_the_device():
    seen = []
    convergence(torch.tensor(GROUPS), sizes=[50, 100], n_repeats=2, reading=lambda s: seen.append(s) or 1.0)
    assert {spectrum.parameters["device"] for spectrum in seen} == {"cpu"}


@SETS
def test_comparisons_are_those_of_the_core(X):
    arguments = {"n_samples": 100, "n_repeats": 3}
    core = compare(X, NORMAL**3, **arguments)
    found = compare(torch.tensor(X), torch.tensor(NORMAL**3), **arguments)
    equal(found.difference, core.difference)
    estimate = compare(torch.tensor(X), NORMAL**3, solver=ESTIMATED, **arguments)
    near(estimate.difference, core.difference, 2)
    of_layers = compare({"a": torch.tensor(X), "b": NORMAL**3}, device="cpu", solver=ESTIMATED, **arguments)
    near(of_layers.difference, [core.difference], 2)


@pytest.mark.parametrize("options", [{}, {"bandwidth": 2.0}, {"clusters": LABELS}])
def test_intervals_of_a_population_are_those_of_the_core(options):
    core = population_interval(GROUPS, n_repeats=3, **options)
    found = population_interval(torch.tensor(GROUPS), n_repeats=3, **options)
    equal(found.value, core.value)
    equal(found.values, core.values)


@SETS
def test_layers_are_those_of_the_core(X):
    layers = {"array": X, "tensor": torch.tensor(X[:, :3]), "tokens": torch.tensor(X.reshape(200, 2, 5))}
    arguments = {"bandwidths": ["median", 2.0], "t": [1, 2], "tokens": "rows", "normalize": True}
    core = layer_entropies({name: np.asarray(layer) for name, layer in layers.items()}, **arguments)
    equal(layer_entropies(layers, **arguments).entropy, core.entropy)
    found = layer_entropies(layers, **arguments, solver=ESTIMATED, null="permuted", n_null=2, device="cpu")
    near(found.entropy, core.entropy)


def test_layers_share_the_multiple_of_a_suggestion():
    layers = {"groups": torch.tensor(GROUPS[:60]), "normal": NORMAL[:60]}
    found = layer_entropies(layers, "structure", null="gaussian", n_null=2)
    suggested = found.suggestion.bandwidth
    np.testing.assert_allclose(found.bandwidth, [[suggested["groups"]], [suggested["normal"]]])


def test_a_suggestion_is_near_that_of_the_core():
    """The curve of structure has other draws: suggestions are within one step of the grid, a factor of 1.7."""
    core = suggest_bandwidth(GROUPS[:200])
    exact = suggest_bandwidth(torch.tensor(GROUPS[:200]))
    assert abs(np.log(exact.bandwidth / core.bandwidth)) < np.log(100) / 9
    found = suggest_bandwidth(torch.tensor(GROUPS[:200]), n_draws=2, solver=ESTIMATED)
    assert abs(np.log(found.bandwidth / core.bandwidth)) < np.log(100) / 9


@pytest.mark.parametrize("rule", ["median", "knn"])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_bandwidths_are_those_of_the_core(rule, metric):
    core = estimate_bandwidth(GROUPS, rule, metric=metric)
    assert estimate_bandwidth(torch.tensor(GROUPS), rule, metric=metric) == pytest.approx(core, rel=1e-11)
    assert estimate_bandwidth(GROUPS, rule, metric=metric, device="cpu") == pytest.approx(core, rel=1e-11)


def test_a_bandwidth_of_structure_is_that_of_the_suggestion():
    X = torch.tensor(GROUPS[:120])
    assert estimate_bandwidth(X, "structure") == suggest_bandwidth(X).bandwidth


def test_float32_has_the_precision_of_the_core():
    X = GROUPS.astype(np.float32)
    core = subsampled_entropy(X, n_samples=300, n_repeats=2)
    np.testing.assert_array_equal(subsampled_entropy(torch.tensor(X), n_samples=300, n_repeats=2).values, core.values)


@pytest.fixture
def solved(monkeypatch):
    """Lets the processor solve for 90 rows and more as a GPU does; the numbers of rows that it solved for."""
    monkeypatch.setattr(torch_eigenvalues, "DEVICES", ("cpu",))
    monkeypatch.setattr(torch_eigenvalues, "MIN_ROWS", 90)
    rows, solve = [], torch_eigenvalues.eigenvalues
    monkeypatch.setattr(
        torch_eigenvalues, "eigenvalues", lambda data, *rest: rows.append(data.n_samples) or solve(data, *rest)
    )
    return rows


@pytest.mark.parametrize("bandwidth", [1.5, RNG.uniform(1, 2, 400)])
def test_large_subsets_are_solved_on_the_device(bandwidth, solved):
    labels = np.repeat([0, 1, 2], [100, 240, 60])
    found = mutual_information(torch.tensor(GROUPS), labels, n_repeats=2, bandwidth=bandwidth)
    assert sorted(solved) == [100] * 3 + [240] * 3
    equal(found.value, mutual_information(GROUPS, labels, n_repeats=2, bandwidth=bandwidth).value)


def test_surrogates_are_solved_on_the_device(solved):
    found = null_baseline(torch.tensor(GROUPS), n_draws=3)
    assert solved == [400] * 4
    equal(found.value, null_baseline(GROUPS, n_draws=3).value)
    layer_entropies([torch.tensor(GROUPS)], [1.0, 2.0], null="gaussian", n_null=2)
    assert solved == [400] * 10


def test_subsets_that_the_device_cannot_solve_are_left_to_the_core(solved):
    """A bandwidth beyond the range of distances on the device."""
    arguments = {"n_samples": 200, "n_repeats": 2}
    found = subsampled_entropy(torch.tensor(GROUPS), bandwidth=1e-130, **arguments)
    assert solved == []
    equal(found.values, np.log2(200))
    subsampled_entropy(torch.tensor(GROUPS), bandwidth=1.0, **arguments)
    assert solved == [200] * 2


CALLS = {
    "mutual_information": lambda X, **options: mutual_information(X, LABELS, n_repeats=2, **options),
    "null_baseline": lambda X, **options: null_baseline(X, n_draws=2, **options),
    "subsampled_entropy": lambda X, **options: subsampled_entropy(X, n_samples=100, n_repeats=2, **options),
    "compare": lambda X, **options: compare(X, X, n_samples=50, n_repeats=2, **options),
    "convergence": lambda X, **options: convergence(X, sizes=[20, 40], n_repeats=2, **options),
    "layer_entropies": lambda X, **options: layer_entropies({"a": X}, **options),
    "suggest_bandwidth": lambda X, **options: suggest_bandwidth(X, n_draws=2, **options),
}


@pytest.mark.parametrize("name", list(CALLS))
def test_a_stochastic_solver_copies_no_rows_to_the_processor(name, monkeypatch):
    """Rows of the median, at most 4000, may be copied; more rows are not."""
    copied = []
    whole = DeviceRows.rows.func
    monkeypatch.setattr(DeviceRows, "rows", property(lambda self: copied.append(self.n_samples) or whole(self)))
    X = torch.tensor(GROUPS, dtype=torch.float32)
    options = {"bandwidths": 2.0} if name == "layer_entropies" else {"bandwidth": 2.0}
    options = {} if name == "suggest_bandwidth" else options
    CALLS[name](X, solver=Stochastic(tol=5e-2), **options)
    assert set(copied) <= ({400} if name == "suggest_bandwidth" else set())


@pytest.mark.parametrize("name", list(CALLS))
def test_a_device_that_is_not_there_is_an_error(name):
    with pytest.raises(ValueError, match="device must be one that is there, cpu, got 'cuda:7'"):
        CALLS[name](GROUPS, device="cuda:7")
    with pytest.raises(ValueError, match="device must be None, 'cpu', 'cuda', 'mps' or one by its number"):
        CALLS[name](GROUPS, device="gpu")
    with pytest.raises(TypeError, match=r"device must be a string, a torch\.device or None, got 3"):
        CALLS[name](GROUPS, device=3)


@pytest.mark.parametrize("name", list(CALLS))
def test_single_precision_needs_the_core(name):
    with pytest.raises(ValueError, match="device must be None or 'cpu' where precision is 'single', got 'cpu'"):
        CALLS[name](GROUPS, precision="single", device="cpu")
    CALLS[name](torch.tensor(GROUPS, dtype=torch.float32), precision="single")


def test_pairs_of_rows_need_the_core():
    distances = torch.cdist(torch.tensor(GROUPS), torch.tensor(GROUPS))
    distances = (distances + distances.T) / 2
    with pytest.raises(ValueError, match="device must be None or 'cpu' where metric is 'precomputed', got 'cpu'"):
        subsampled_entropy(distances, n_samples=100, metric="precomputed", device="cpu")
    found, core = (
        subsampled_entropy(given, n_samples=100, metric="precomputed", n_repeats=2)
        for given in (distances, distances.numpy())
    )
    np.testing.assert_array_equal(found.values, core.values)


def test_informations_of_random_rows_are_those_of_the_core():
    arguments = {"max_samples": 200, "bandwidth": RNG.uniform(1, 2, 400), "n_repeats": 2}
    core = mutual_information(GROUPS, LABELS, **arguments)
    equal(mutual_information(torch.tensor(GROUPS), LABELS, **arguments).value, core.value)
    near(mutual_information(torch.tensor(GROUPS), LABELS, solver=ESTIMATED, **arguments).value, core.value, 2)


def test_differences_of_the_population_are_those_of_the_core():
    arguments = {"interval": "population", "n_repeats": 3}
    core = compare(GROUPS, NORMAL, **arguments)
    found = compare(torch.tensor(GROUPS), torch.tensor(NORMAL), **arguments)
    equal(found.difference, core.difference)
    equal(found.interval, core.interval)


def test_data_on_another_accelerator_name_their_argument():
    """A tensor without memory stands for one on another accelerator."""
    X = torch.ones(9, 2, device="meta")
    for call, name in [
        (lambda: layer_entropies({"a": GROUPS, "b": X}, device="cpu"), "layers['b']"),
        (lambda: compare(GROUPS, X, device="cpu"), "B"),
        (lambda: suggest_bandwidth([GROUPS, X], device="cpu"), "X[1]"),
        (lambda: mutual_information(X, np.arange(9) % 2, device="cpu"), "X"),
    ]:
        text = (
            f"device must be that of {name} where {name} is a tensor on an accelerator, meta, got 'cpu': {name}.to("
        )
        with pytest.raises(ValueError, match=re.escape(text)):
            call()
