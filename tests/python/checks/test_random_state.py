"""Seeds: integers, generators of NumPy, whose state moves on, and None."""

import random

import numpy as np
import pytest
from dsentropy import (
    Spectrum,
    adjacency_spectral_entropy,
    adjacency_spectral_mutual_information,
    adjacency_spectrum,
    compare,
    convergence,
    covariance_spectrum,
    diffusion_spectral_entropy,
    diffusion_spectral_mutual_information,
    diffusion_spectrum,
    entropy_surface,
    estimate_bandwidth,
    kernel_spectrum,
    layer_entropies,
    mutual_information,
    population_interval,
    subsampled_entropy,
)

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SubsetWarning")

X = np.random.default_rng(0).normal(size=(60, 3))
LABELS = np.repeat([0, 1, 2], [10, 20, 30])
KERNEL = np.exp(-np.abs(X[:, :1] - X[:, 0]))

DRAWING = {
    "diffusion_spectrum": lambda state: diffusion_spectrum(X, max_samples=20, random_state=state).entropy(),
    "diffusion_spectrum, knn": lambda state: diffusion_spectrum(
        X, graph="knn", n_neighbors=5, max_samples=20, random_state=state
    ).entropy(),
    "adjacency_spectrum": lambda state: adjacency_spectrum(X, max_samples=20, random_state=state).entropy(),
    "adjacency_spectrum, knn": lambda state: adjacency_spectrum(
        X, graph="knn", n_neighbors=5, max_samples=20, random_state=state
    ).entropy(),
    "covariance_spectrum": lambda state: covariance_spectrum(X, max_samples=20, random_state=state).entropy(),
    "entropy_surface": lambda state: entropy_surface(X, 1.0, max_samples=20, random_state=state).values.item(),
    "layer_entropies": lambda state: layer_entropies({"a": X}, max_samples=20, random_state=state).entropy,
    "compare": lambda state: compare(X, X**2, n_samples=20, random_state=state).difference,
    "convergence": lambda state: convergence(X, [10, 20], random_state=state).change,
    "population_interval": lambda state: population_interval(X, n_repeats=3, random_state=state).standard_error,
    "subsampled_entropy": lambda state: subsampled_entropy(X, n_samples=20, random_state=state).mean,
    "mutual_information": lambda state: mutual_information(X, LABELS, n_repeats=3, random_state=state).value,
    "DSE": lambda state: diffusion_spectral_entropy(X, 1.0, max_N=20, random_seed=state),
    "ASE": lambda state: adjacency_spectral_entropy(X, 1.0, max_N=20, random_seed=state),
    "DSMI": lambda state: diffusion_spectral_mutual_information(
        X, LABELS, gaussian_kernel_sigma=1, random_seed=state
    )[0],
    "ASMI": lambda state: adjacency_spectral_mutual_information(
        X, LABELS, gaussian_kernel_sigma=1, random_seed=state
    )[0],
}
UNUSED = {
    "estimate_bandwidth": lambda state: estimate_bandwidth(X, random_state=state),
    "kernel_spectrum": lambda state: kernel_spectrum(KERNEL, random_state=state).entropy(),
}
GENERATORS = {
    "Generator": (np.random.default_rng, lambda generator: int(generator.integers(2**32))),
    "RandomState": (np.random.RandomState, lambda state: int(state.randint(2**32, dtype=np.int64))),
}


@pytest.mark.parametrize("kind", GENERATORS)
@pytest.mark.parametrize("function", [*DRAWING, *UNUSED])
def test_generator_gives_one_integer_that_is_the_seed(function, kind):
    call = {**DRAWING, **UNUSED}[function]
    make, draw = GENERATORS[kind]
    generator, copy = make(7), make(7)
    assert call(generator) == call(draw(copy))
    assert draw(generator) == draw(copy)  # one integer each call, no more


@pytest.mark.parametrize("function", DRAWING)
def test_state_of_a_generator_moves_on(function):
    generator = np.random.default_rng(0)
    assert DRAWING[function](generator) != DRAWING[function](generator)


def test_signs_of_an_estimate_follow_the_generator():
    wide = np.random.default_rng(1).normal(size=(700, 3))
    first, second = (
        diffusion_spectrum(wide, bandwidth=0.5, solver="stochastic", random_state=np.random.default_rng(3)).entropy()
        for _ in range(2)
    )
    assert first == second


def test_spectrum_records_the_seed_that_was_drawn(tmp_path):
    generator = np.random.default_rng(5)
    drawn = int(np.random.default_rng(5).integers(2**32))
    spectrum = diffusion_spectrum(X, max_samples=20, random_state=generator)
    assert spectrum.parameters["random_state"] == drawn
    spectrum.save(tmp_path / "spectrum.npz")
    assert Spectrum.load(tmp_path / "spectrum.npz", X=X).parameters["random_state"] == drawn
    again = diffusion_spectrum(X, max_samples=20, random_state=drawn)
    assert np.array_equal(again.eigenvalues, spectrum.eigenvalues)


@pytest.mark.parametrize("state", [0.5, "0", random.Random(0), np.random.SeedSequence(0)], ids=type)
def test_what_gives_no_seed_is_named(state):
    with pytest.raises(
        TypeError, match=r"^random_state must be an integer or None, or a Generator or RandomState of NumPy, got "
    ):
        diffusion_spectrum(X, random_state=state)
