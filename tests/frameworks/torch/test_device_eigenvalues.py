"""The exact solver for rows on a device: eigenvalues of the core to 1e-12, computed on the device where that pays."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from dsentropy import adjacency_spectrum, diffusion_spectrum, entropy_surface
from dsentropy._checks import devices
from dsentropy._data.device_rows import DeviceRows
from dsentropy._operator import torch_eigenvalues
from dsentropy._operator.torch_memory import DeviceMemory

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")

N = 160
RNG = np.random.default_rng(0)
CLOUD = RNG.normal(size=(N, 5))
SETS = {
    "normal": (CLOUD, 2.0),
    "single": (CLOUD.astype(np.float32), 2.0),
    "half": (CLOUD.astype(np.float16), 2.0),
    "far from the origin": (CLOUD + 1e4, 2.0),
    "one row far away": (np.r_[CLOUD[1:], np.full((1, 5), 1e8)], 2.0),
    "groups far apart": (CLOUD + 1e6 * (np.arange(N) % 3)[:, None], 1.0),
    "duplicates": (CLOUD[RNG.integers(0, 12, N)], 1.0),
    "integers": (RNG.integers(0, 4, size=(N, 3)), 1.5),
    "tiny": (1e-200 * CLOUD, 2e-200),
    "huge": (1e300 * CLOUD, 2e300),
    "wide": (RNG.normal(size=(N, 400)), 20.0),
    "wide bandwidth": (CLOUD, 1e6),
    "narrow bandwidth": (CLOUD, 1e-3),
    "one bandwidth a row": (CLOUD, 1 + np.arange(N) / N),
    "knn": (CLOUD, "knn"),
    "median": (CLOUD, "median"),
}


@pytest.fixture(autouse=True)
def processor_as_device(monkeypatch):
    """Takes the processor for a device whose eigenvalues cost less than the core's from 100 rows on."""
    monkeypatch.setattr(devices, "CORE_DEVICES", ())
    monkeypatch.setattr(torch_eigenvalues, "DEVICES", ("cpu",))
    monkeypatch.setattr(torch_eigenvalues, "MIN_ROWS", 100)


def of_core(function, X, **options):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(devices, "CORE_DEVICES", ("cpu",))
        return function(X, **options)


def agrees(found, expected):
    assert found.parameters["eigenvalues_on"] == "cpu"
    largest = expected.eigenvalues.max()
    np.testing.assert_allclose(found.eigenvalues, expected.eigenvalues, atol=1e-12 * largest, rtol=0)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("name", SETS)
def test_eigenvalues_of_the_diffusion_operator_are_those_of_the_core(name, alpha, calls):
    X, sigma = SETS[name]
    found = diffusion_spectrum(torch.tensor(X), bandwidth=sigma, alpha=alpha)
    assert len(calls) == 1
    agrees(found, of_core(diffusion_spectrum, X, bandwidth=sigma, alpha=alpha))


@pytest.fixture
def calls(monkeypatch):
    """The calls of torch.linalg.eigvalsh."""
    made, solve = [], torch.linalg.eigvalsh

    def counted(matrix):
        made.append(matrix.dtype)
        return solve(matrix)

    monkeypatch.setattr(torch.linalg, "eigvalsh", counted)
    return made


@pytest.mark.parametrize("name", ["normal", "groups far apart", "one bandwidth a row"])
def test_eigenvalues_of_the_affinity_are_those_of_the_core(name, calls):
    X, sigma = SETS[name]
    found = adjacency_spectrum(torch.tensor(X), bandwidth=sigma)
    assert calls == [torch.float64]
    agrees(found, of_core(adjacency_spectrum, X, bandwidth=sigma))


@pytest.mark.parametrize("smallest", [1.0, 1e-130])
def test_surfaces_are_computed_on_the_device(smallest, calls):
    """A bandwidth that the device cannot take is left to the core."""
    axes = {"bandwidths": [smallest, 2.0, "median"], "alphas": [0.0, 1.0], "t": [1, 2]}
    found = entropy_surface(torch.tensor(CLOUD), **axes)
    assert len(calls) == (6 if smallest == 1.0 else 4)
    np.testing.assert_allclose(found.values, of_core(entropy_surface, CLOUD, **axes).values, atol=1e-10)
    assert found.spectra[1][0].parameters["eigenvalues_on"] == "cpu"


@pytest.mark.parametrize("options", [{"metric": "cosine"}, {"weights": np.linspace(1, 3, N)}, {"max_samples": 120}])
def test_arguments_mean_what_they_mean_to_the_core(options, calls):
    found = diffusion_spectrum(torch.tensor(CLOUD), bandwidth=0.7, alpha=0.5, **options)
    assert len(calls) == 1
    agrees(found, of_core(diffusion_spectrum, CLOUD, bandwidth=0.7, alpha=0.5, **options))


def test_small_tiles_have_the_eigenvalues_of_large_ones(monkeypatch, calls):
    from dsentropy._data import device_distances

    expected = diffusion_spectrum(torch.tensor(CLOUD), bandwidth=2.0).eigenvalues
    monkeypatch.setattr(device_distances, "TILE_ENTRIES", 3 * N)
    found = diffusion_spectrum(torch.tensor(CLOUD), bandwidth=2.0).eigenvalues
    np.testing.assert_allclose(found, expected, atol=1e-14)


def test_settings_of_the_caller_play_no_part():
    X = torch.tensor(CLOUD)
    expected = diffusion_spectrum(X, bandwidth=2.0).eigenvalues
    kept = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.float16)
        with torch.autocast("cpu"), torch.inference_mode(), torch.device("meta"):
            found = diffusion_spectrum(X, bandwidth=2.0).eigenvalues
    finally:
        torch.set_default_dtype(kept)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("reason", ["few rows", "another device", "no float64", "no memory", "range"])
def test_the_core_computes_where_the_device_does_not_pay(reason, calls, monkeypatch):
    X, sigma = torch.tensor(CLOUD.astype(np.float32)), 2.0
    if reason == "few rows":
        monkeypatch.setattr(torch_eigenvalues, "MIN_ROWS", N + 1)
    elif reason == "another device":
        monkeypatch.setattr(torch_eigenvalues, "DEVICES", ("cuda",))
    elif reason == "no float64":
        monkeypatch.setattr(devices, "WITHOUT_FLOAT64", ("cpu",))
    elif reason == "no memory":
        monkeypatch.setattr(DeviceMemory, "has", lambda self, needed: False)
    else:
        X, sigma = torch.tensor(CLOUD), 1e-130
    found = diffusion_spectrum(X, bandwidth=sigma)
    assert not calls
    expected = of_core(diffusion_spectrum, X, bandwidth=sigma)
    np.testing.assert_array_equal(found.eigenvalues, expected.eigenvalues)
    assert found.parameters["eigenvalues_on"] == "cpu"


def test_memory_is_counted_before_work(monkeypatch):
    asked = []
    monkeypatch.setattr(DeviceMemory, "has", lambda self, needed: asked.append((self.n_samples, needed)) or False)
    diffusion_spectrum(torch.tensor(CLOUD), bandwidth=2.0)
    assert asked == [(N, torch_eigenvalues.needed_bytes(N, 5))]
    assert torch_eigenvalues.needed_bytes(10_000, 64) > 3 * 8 * 10_000**2


@pytest.mark.parametrize(
    ("raised", "error", "text"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), MemoryError, "rows need more memory than is left on device"),
        (RuntimeError("another fault"), RuntimeError, "another fault"),
    ],
)
def test_errors_of_the_device_are_raised(raised, error, text, monkeypatch):
    def fail(matrix):
        raise raised

    monkeypatch.setattr(torch.linalg, "eigvalsh", fail)
    with pytest.raises(error, match=text):
        diffusion_spectrum(torch.tensor(CLOUD), bandwidth=2.0)


def test_eigenvalues_keep_their_signs():
    """A bandwidth a row gives a kernel that is not positive definite; the spectrum has the moduli."""
    rows = DeviceRows.of(torch.tensor(CLOUD), "euclidean", "cpu")
    found = torch_eigenvalues.eigenvalues(rows, 1 + np.arange(N) % 7 * 3.0, 0.0)
    assert found[0] < -1e-6
    assert found[-1] == pytest.approx(1, abs=1e-13)


def test_an_estimate_that_the_device_replaces_says_where_eigenvalues_were_computed(calls):
    for made in (
        diffusion_spectrum(torch.tensor(CLOUD), bandwidth=2.0, solver="stochastic"),
        adjacency_spectrum(torch.tensor(CLOUD), bandwidth=2.0, solver="stochastic"),
        entropy_surface(torch.tensor(CLOUD), [2.0], [1], solver="stochastic").spectra[0][0],
    ):
        assert made.parameters["requested_solver"] == "stochastic"
        assert made.parameters["eigenvalues_on"] == "cpu"
    assert len(calls) == 3
