"""Spectra of rows on a device, against those of the core: on the processor, which stands for any device."""

from __future__ import annotations

import re
import weakref

import numpy as np
import pytest
import torch
from dsentropy import (
    EstimatedSpectrum,
    Spectrum,
    Stochastic,
    _core,
    adjacency_spectrum,
    diffusion_spectrum,
    entropy_surface,
)
from dsentropy._checks import devices
from dsentropy._data.device_rows import DeviceRows
from dsentropy._operator import torch_eigenvalues, torch_operator
from dsentropy._operator.slq_options import SlqOptions
from dsentropy._operator.torch_affinity import TorchAffinity
from torch.utils._python_dispatch import TorchDispatchMode

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")

T, ORDERS = [0.5, 1, 2, 5], [1, 2]
RNG = np.random.default_rng(1)


@pytest.fixture(autouse=True)
def torch_computes(monkeypatch):
    """Leaves tensors on the processor to PyTorch, as those on a GPU."""
    monkeypatch.setattr(devices, "CORE_DEVICES", ())


@pytest.fixture
def without_float64(monkeypatch):
    """Takes the processor for a device that has no float64."""
    monkeypatch.setattr(devices, "WITHOUT_FLOAT64", ("cpu",))


def sphere(n, d):
    X = RNG.normal(size=(n, d))
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def data_sets():
    normal = RNG.normal(size=(900, 6))
    yield "normal", normal
    yield "blobs", 6 * RNG.normal(size=(8, 10))[RNG.integers(0, 8, 900)] + RNG.normal(size=(900, 10))
    yield "power law", RNG.normal(size=(900, 40)) / np.arange(1, 41)
    yield "sphere", sphere(900, 4)
    yield "half rank", RNG.normal(size=(900, 5)) @ RNG.normal(size=(5, 10))
    yield "tiny", normal * 1e-20
    yield "huge", normal * 1e20
    yield "duplicates", normal[RNG.integers(0, 200, 900)]
    yield "half precision", normal.astype(np.float16)
    yield "integers", RNG.integers(-9, 9, size=(900, 3))
    yield "wide", RNG.normal(size=(700, 1000)) * np.geomspace(1, 1e-2, 1000)
    yield "far from the origin", normal + 1e4


DATA = dict(data_sets())


def require_covered(found, exact, t):
    """Assert that errors are within three standard errors and the bounds, or rounding where eigenvalues are exact."""
    entropies = exact.entropy(t, ORDERS)
    if type(found) is Spectrum:
        np.testing.assert_allclose(found.entropy(t, ORDERS), entropies, rtol=0, atol=1e-8)
        return
    lower, upper = found.bounds(t, ORDERS)
    error = np.abs(found.entropy(t, ORDERS) - entropies)
    assert (error <= 3 * found.standard_error(t, ORDERS) + (upper - lower) + 1e-9).all()


@pytest.mark.parametrize("name", list(DATA))
def test_values_are_those_of_the_core_within_their_errors(name):
    X = DATA[name]
    found = diffusion_spectrum(torch.tensor(X), solver=Stochastic(tol=1e-2, t=T, orders=ORDERS))
    exact = diffusion_spectrum(X)
    assert found.parameters["device"] == "cpu"
    assert found.parameters["bandwidth"] == exact.parameters["bandwidth"]
    assert found.parameters.get("distinct_rows") == exact.parameters.get("distinct_rows")
    assert found.fingerprint == exact.fingerprint
    require_covered(found, exact, T)


@pytest.mark.parametrize("name", [name for name in DATA if name not in ("tiny", "huge")])
def test_values_in_float32_are_those_of_the_core_within_their_errors(without_float64, name):
    X = DATA[name] if name in ("half precision", "integers") else DATA[name].astype(np.float32)
    times = [1, 2, 5]  # powers below 1 magnify the rounding of products
    found = diffusion_spectrum(torch.tensor(X), solver=Stochastic(tol=1e-2, t=times, orders=ORDERS))
    assert isinstance(found, EstimatedSpectrum)
    require_covered(found, diffusion_spectrum(X), times)


def test_readings_that_float32_cannot_resolve_have_wide_bounds(without_float64):
    X = DATA["normal"].astype(np.float32)
    found, exact = diffusion_spectrum(torch.tensor(X), solver=Stochastic(tol=1e-2)), diffusion_spectrum(X)
    require_covered(found, exact, [0.3, 0.5])
    lower, upper = found.bounds(0.5)
    assert upper - lower > 0.1


def test_eigenvalues_that_cost_less_are_in_float64(without_float64):
    X = DATA["normal"].astype(np.float32)
    found = diffusion_spectrum(torch.tensor(X), solver=Stochastic(tol=1e-4))
    assert type(found) is Spectrum
    assert found.parameters["requested_solver"] == "stochastic"
    np.testing.assert_allclose(found.entropy(T, ORDERS), diffusion_spectrum(X).entropy(T, ORDERS), atol=1e-8)


def test_estimates_are_made():
    found = diffusion_spectrum(torch.tensor(DATA["normal"]), solver=Stochastic(tol=1e-2))
    assert isinstance(found, EstimatedSpectrum)
    core = diffusion_spectrum(DATA["normal"], solver=Stochastic(tol=1e-2))
    assert found.parameters == {**core.parameters, "device": "cpu"}
    assert found.entropy() == pytest.approx(core.entropy(), abs=1e-6)
    assert found.standard_error() == pytest.approx(core.standard_error(), abs=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"alpha": 0.5},
        {"alpha": 1.0, "bandwidth": 2.0},
        {"metric": "cosine"},
        {"bandwidth": "knn", "n_neighbors": 7},
        {"bandwidth": RNG.uniform(1, 3, 900)},
        {"bandwidth": lambda X: X.std() * 2},
        {"weights": RNG.uniform(0.5, 2, 900)},
        {"weights": RNG.uniform(0.5, 2, 900), "alpha": 1.0, "bandwidth": 2.0},
        {"max_samples": 600, "random_state": 3},
        {"max_samples": 600, "bandwidth": RNG.uniform(1, 3, 900), "weights": RNG.uniform(0.5, 2, 900)},
    ],
)
@pytest.mark.parametrize("given", [torch.tensor, np.asarray])
def test_arguments_have_their_meaning(options, given):
    X = DATA["normal"]
    solver = Stochastic(tol=1e-2, t=T, orders=ORDERS)
    found = diffusion_spectrum(given(X), solver=solver, device="cpu", **options)
    exact = diffusion_spectrum(X, **options)
    assert found.fingerprint == exact.fingerprint
    np.testing.assert_array_equal(found.parameters["bandwidth"], exact.parameters["bandwidth"])
    require_covered(found, exact, T)


@pytest.mark.parametrize("options", [{}, {"alpha": 0.5}, {"weights": RNG.uniform(0.5, 2, 900), "bandwidth": 2.0}])
def test_the_exact_solver_copies_the_rows(options):
    X = DATA["normal"]
    found, core = diffusion_spectrum(torch.tensor(X), **options), diffusion_spectrum(X, **options)
    np.testing.assert_array_equal(found.eigenvalues, core.eigenvalues)
    assert found.parameters["device"] == "cpu"
    assert found.parameters["eigenvalues_on"] == "cpu"


def test_equal_calls_give_equal_bits():
    X, solver = torch.tensor(DATA["normal"]), Stochastic(tol=1e-2)
    one, other = (diffusion_spectrum(X, solver=solver) for _ in range(2))
    assert one.entropy() == other.entropy()
    stored = diffusion_spectrum(X, solver=Stochastic(tol=1e-2, storage="tiled"))
    assert stored.entropy() == one.entropy()


def test_a_spectrum_can_be_saved_and_checked(tmp_path):
    X = torch.tensor(DATA["normal"][:300])
    spectrum = diffusion_spectrum(X, solver="stochastic")
    spectrum.save(tmp_path / "spectrum.npz")
    loaded = Spectrum.load(tmp_path / "spectrum.npz", X=X)
    assert loaded.parameters["device"] == "cpu"


def test_eigenvalues_of_the_device_that_cost_less_are_computed(monkeypatch):
    monkeypatch.setattr(torch_eigenvalues, "DEVICES", ("cpu",))
    monkeypatch.setattr(torch_eigenvalues, "MIN_ROWS", 500)
    X = DATA["normal"]
    found = diffusion_spectrum(torch.tensor(X), solver="stochastic")
    assert type(found) is Spectrum
    assert found.parameters["requested_solver"] == "stochastic"
    np.testing.assert_allclose(found.entropy(T, ORDERS), diffusion_spectrum(X).entropy(T, ORDERS), atol=1e-9)
    limited = diffusion_spectrum(torch.tensor(X), solver=Stochastic(memory_limit=25 * 10**6))
    assert isinstance(limited, EstimatedSpectrum)
    monkeypatch.setattr(torch_operator, "EXACT_UP_TO", 800)
    assert isinstance(diffusion_spectrum(torch.tensor(X), solver="stochastic"), EstimatedSpectrum)


REFUSED = [
    ("graph is 'knn'", {"graph": "knn"}),
    ("metric is 'precomputed'", {"metric": "precomputed"}),
    ("metric is 'affinity'", {"metric": "affinity"}),
    ("precision is 'single'", {"precision": "single"}),
]


@pytest.mark.parametrize(("reason", "options"), REFUSED)
def test_a_device_that_plays_no_part_is_refused(reason, options):
    X = torch.tensor(np.exp(-((DATA["integers"][:50, None] - DATA["integers"][:50]) ** 2).sum(axis=2) / 50.0))
    if options.get("metric") == "precomputed":
        X = 1 - X
    with pytest.raises(ValueError, match=re.escape(f"device must be None or 'cpu' where {reason}, got 'cpu'")):
        diffusion_spectrum(X, device="cpu", **options)
    found = diffusion_spectrum(X, **options)
    assert "device" not in found.parameters


def test_data_that_are_multiplied_elsewhere_have_no_device():
    import dask.array as da
    from scipy.sparse import eye_array

    with pytest.raises(ValueError, match="device must be None or 'cpu' where X is an operator, got 'cpu'"):
        diffusion_spectrum(eye_array(5, format="csr"), metric="affinity", device="cpu")
    with pytest.raises(ValueError, match=r"device must be None or 'cpu' where X is a dask\.array, got 'cpu'"):
        diffusion_spectrum(da.ones((5, 2)), device="cpu")


def test_memory_errors_name_what_the_function_has():
    with pytest.raises(MemoryError, match=r"use a larger memory_limit of Stochastic, or fewer rows, max_samples="):
        diffusion_spectrum(torch.tensor(DATA["normal"]), solver=Stochastic(memory_limit=8 * 10**6))


class Held(TorchDispatchMode):
    """Counts the bytes of the tensors that are held at once, within a block."""

    def __init__(self):
        super().__init__()
        self.now = self.most = 0
        self._seen = weakref.WeakSet()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, (list, tuple)) else [result]:
            if isinstance(tensor, torch.Tensor):
                self._add(tensor.untyped_storage())
        return result

    def _add(self, storage):
        if storage not in self._seen:  # which has one object of Python as long as a tensor holds it
            self._seen.add(storage)
            self.now += storage.nbytes()
            self.most = max(self.most, self.now)
            weakref.finalize(storage, self._drop, storage.nbytes())

    def _drop(self, size):
        self.now -= size


@pytest.mark.parametrize("megabytes", [30, 60, 200])
@pytest.mark.parametrize("bandwidth", [3.0, 1e-7])
def test_memory_stays_under_the_limit(megabytes, bandwidth):
    """With tiles that are stored, large ones and small ones; and with near pairs computed again."""
    X = torch.tensor(RNG.normal(size=(2200, 3)))
    X[1::2] = X[::2] + 1e-8
    options = SlqOptions(1e-2, [1.0], [1.0], None, "auto", megabytes * 10**6 + _core.estimate_bytes(2200), 0)
    with Held() as held:
        affinity = TorchAffinity(DeviceRows.of(X, "euclidean", "cpu"), bandwidth, options)
        affinity.product(RNG.normal(size=(2200, 128)), [], False)
        affinity.moments(np.ones(2200), False)
    assert megabytes * 10**6 / 6 < held.most <= megabytes * 10**6


@pytest.mark.parametrize("options", [{}, {"bandwidth": "knn"}, {"metric": "cosine", "max_samples": 500}])
def test_affinities_are_those_of_the_core(options):
    X = DATA["normal"]
    found = adjacency_spectrum(torch.tensor(X), solver=Stochastic(tol=1e-2, t=T, orders=ORDERS), **options)
    exact = adjacency_spectrum(X, **options)
    assert found.parameters["device"] == "cpu"
    assert found.fingerprint == exact.fingerprint
    require_covered(found, exact, T)
    copied = adjacency_spectrum(torch.tensor(X), **options)
    np.testing.assert_array_equal(copied.eigenvalues, exact.eigenvalues)
    assert copied.parameters["eigenvalues_on"] == "cpu"


@pytest.mark.parametrize(
    ("reason", "options"), [*REFUSED[:3], ("graph is 'knn'", {"graph": "knn", "symmetrize": "mean"})]
)
def test_affinities_that_need_the_core_refuse_a_device(reason, options):
    X = torch.eye(30, dtype=torch.float64)
    if options.get("metric") == "precomputed":
        X = 1 - X
    with pytest.raises(ValueError, match=re.escape(f"device must be None or 'cpu' where {reason}, got 'cpu'")):
        adjacency_spectrum(X, device="cpu", **options)
    assert "device" not in adjacency_spectrum(X, **options).parameters


def test_surfaces_are_those_of_the_core():
    X = DATA["normal"]
    arguments = ([1.5, "knn"], [1, 2], ORDERS, [0.0, 1.0])
    found = entropy_surface(torch.tensor(X), *arguments, solver=Stochastic(tol=1e-2))
    exact = entropy_surface(X, *arguments)
    for spectra, expected in zip(found.spectra, exact.spectra, strict=True):
        for spectrum, known in zip(spectra, expected, strict=True):
            assert spectrum.parameters["device"] == "cpu"
            require_covered(spectrum, known, [1, 2])
    copied = entropy_surface(torch.tensor(X), *arguments)
    np.testing.assert_array_equal(copied.values, exact.values)
    assert copied.spectra[0][0].parameters["eigenvalues_on"] == "cpu"


@pytest.mark.parametrize(("reason", "options"), [*REFUSED[1:2], *REFUSED[3:]])
def test_surfaces_that_need_the_core_refuse_a_device(reason, options):
    X = 1 - torch.eye(30, dtype=torch.float64)
    with pytest.raises(ValueError, match=re.escape(f"device must be None or 'cpu' where {reason}, got 'cpu'")):
        entropy_surface(X, [0.5], device="cpu", **options)
    assert "device" not in entropy_surface(X, [0.5], **options).spectra[0][0].parameters


def test_a_limit_that_the_smallest_tiles_exceed_is_an_error_before_any_work():
    with pytest.raises(MemoryError, match="900 rows"):
        entropy_surface(torch.tensor(DATA["normal"]), [1.0], solver=Stochastic(memory_limit=10**6))
