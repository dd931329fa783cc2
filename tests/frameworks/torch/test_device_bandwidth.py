"""Rules of a bandwidth for rows on a device: the numbers of the core, within rounding."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from dsentropy import (
    Stochastic,
    adjacency_spectrum,
    convergence,
    diffusion_spectrum,
    entropy_surface,
    layer_entropies,
    null_baseline,
    subsampled_entropy,
    suggest_bandwidth,
)
from dsentropy._checks import devices
from dsentropy._data import device_distances
from dsentropy._operator import bandwidth as rules
from dsentropy._operator import device_bandwidth
from dsentropy._operator.torch_memory import DeviceMemory

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")

RNG = np.random.default_rng(0)
CLOUD = RNG.normal(size=(300, 4))
SETS = {
    "normal": CLOUD,
    "single": CLOUD.astype(np.float32),
    "duplicates": CLOUD[RNG.integers(0, 20, 300)],
    "integers": RNG.integers(0, 3, size=(300, 2)),
    "nearly all equal": np.r_[np.zeros((295, 4)), CLOUD[:5]],
}


@pytest.fixture(autouse=True)
def processor_as_device(monkeypatch):
    """Takes the processor for a device."""
    monkeypatch.setattr(devices, "CORE_DEVICES", ())
    monkeypatch.setattr(rules, "MEDIAN_ROWS", 120)
    monkeypatch.setattr(device_bandwidth, "MIN_PRODUCTS", 0)


@pytest.fixture
def calls(monkeypatch):
    """The names of the functions that computed on the device."""
    made = []
    for name in ("median_distance", "neighbor_distances"):
        compute = getattr(device_distances, name)

        def counted(*arguments, compute=compute, name=name):
            made.append(name)
            return compute(*arguments)

        monkeypatch.setattr(device_distances, name, counted)
    return made


def of_core(X, **options):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(devices, "CORE_DEVICES", ("cpu",))
        return diffusion_spectrum(X, **options).parameters["bandwidth"]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("rule", ["median", "knn"])
@pytest.mark.parametrize("name", SETS)
def test_the_rules_give_the_numbers_of_the_core(name, rule, metric, calls):
    X = SETS[name] + (2 if metric == "cosine" else 0)
    options = {"bandwidth": rule, "metric": metric, **({"n_neighbors": 7} if rule == "knn" else {})}
    found = diffusion_spectrum(torch.tensor(X), **options).parameters["bandwidth"]
    assert calls[0] == {"median": "median_distance", "knn": "neighbor_distances"}[rule]
    np.testing.assert_allclose(found, of_core(X, **options), rtol=1e-11)


@pytest.mark.parametrize("reason", ["weights", "no float64", "no memory", "little work"])
@pytest.mark.parametrize("rule", ["median", "knn"])
def test_the_core_computes_where_the_device_does_not(rule, reason, calls, monkeypatch):
    options = {"bandwidth": rule}
    if reason == "weights":
        options = {"bandwidth": "median", "weights": np.linspace(1, 2, 300)}
    elif reason == "little work":
        rows = 120 if rule == "median" else 300
        monkeypatch.setattr(device_bandwidth, "MIN_PRODUCTS", rows**2 * 4 + 1)
    elif reason == "no float64":
        monkeypatch.setattr(devices, "WITHOUT_FLOAT64", ("cpu",))
    else:
        monkeypatch.setattr(DeviceMemory, "has", lambda self, needed: False)
    X = CLOUD.astype(np.float32)
    found = diffusion_spectrum(torch.tensor(X), **options).parameters["bandwidth"]
    assert not calls
    np.testing.assert_array_equal(found, of_core(X, **options))


def test_other_functions_have_the_same_rules(calls):
    found = adjacency_spectrum(torch.tensor(CLOUD), bandwidth="knn", n_neighbors=3).parameters["bandwidth"]
    assert calls == ["neighbor_distances"]
    np.testing.assert_allclose(found, of_core(CLOUD, bandwidth="knn", n_neighbors=3), rtol=1e-11)


def with_limit(X, rule, memory_limit):
    solver = Stochastic(tol=3e-2, memory_limit=memory_limit)
    return {
        "diffusion": lambda: diffusion_spectrum(X, bandwidth=rule, solver=solver),
        "adjacency": lambda: adjacency_spectrum(X, bandwidth=rule, solver=solver),
        "surface": lambda: entropy_surface(X, bandwidths=[rule], t=[1], null="gaussian", n_null=2, solver=solver),
        "null": lambda: null_baseline(X, bandwidth=rule, n_draws=2, solver=solver),
        "layers": lambda: layer_entropies({"a": X}, [rule], null="gaussian", n_null=2, solver=solver),
        "subsets": lambda: subsampled_entropy(X, bandwidth=rule, n_samples=50, n_repeats=2, solver=solver),
        "convergence": lambda: convergence(X, sizes=[50, 100], bandwidth=rule, n_repeats=2, solver=solver),
    }


@pytest.fixture
def limits(monkeypatch):
    """The limits with which rules ask for memory, which they do not get."""
    asked = []

    class NoMemory:
        def __init__(self, device, n_samples, limit):
            asked.append(limit)

        def has(self, needed):
            return False

    monkeypatch.setattr(device_bandwidth, "DeviceMemory", NoMemory)
    return asked


@pytest.mark.parametrize("rule", ["median", "knn"])
@pytest.mark.parametrize("function", with_limit(None, None, None))
def test_rules_ask_for_memory_within_the_limit_of_the_solver(function, rule, limits, calls):
    with_limit(torch.tensor(CLOUD), rule, 10**9)[function]()
    assert set(limits) == {10**9}
    assert not calls


def test_suggestions_ask_for_memory_within_the_limit_of_the_solver(limits):
    X = torch.tensor(CLOUD[:60])
    suggest_bandwidth({"a": X, "b": X}, n_draws=2, solver=Stochastic(tol=3e-2, memory_limit=10**9))
    assert set(limits) == {10**9}
